"""Asking many requests: in parallel, within limits, through the ledger."""
