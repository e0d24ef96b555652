"""The ledger: an append-only record of every paid call. The only place money is spent.

A response is durable before it counts: `append` resolves after SQLite has committed it (WAL, synchronous=FULL).
Commits are shared by all responses that arrived meanwhile (group commit), so durability costs one disk flush per
group, not one per response. Failed attempts are recorded too; only an answered one is ever replayed. What is
stored is the request's body and the reply: no header, so no key.

`claims` keeps two processes from asking the same; `exchange`, `checking` and `upkeep` are what `reasonry ledger` does.
"""

from __future__ import annotations

from reasonry.ledger.book import Ledger
from reasonry.ledger.entry import LedgerEntry, Outcome, Usage
from reasonry.ledger.reading import AnswersByKey, read_answers, read_entries_of

__all__ = ["AnswersByKey", "Ledger", "LedgerEntry", "Outcome", "Usage", "read_answers", "read_entries_of"]
