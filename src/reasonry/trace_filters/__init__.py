"""Filters over verified traces: `(candidates, options) -> Iterator[Candidate or Drop]`.

A filter gives exactly one output for each candidate, in order: the candidate itself, or a Drop that says by which rule
and why. What was thought (`trace.reasoning`) and what was answered (`trace.response`) are looked at apart.
"""
