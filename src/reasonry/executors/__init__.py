"""Executors: spread work over processes that can be killed, one row at a time."""
