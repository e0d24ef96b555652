"""Asking by batches, through OpenAI's batch API."""
