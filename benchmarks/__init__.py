"""Measurements. Each file is a program that prints what it measured; CI imports the harnesses, never the timings."""
