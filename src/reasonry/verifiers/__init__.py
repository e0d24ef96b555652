"""Verifiers: `(Question, response) -> Verdict`. They need no recipe, store or ledger."""
