"""Teachers: who answers the questions. `asking` is the engine that asks many requests through the ledger."""
