"""The plan: figures, result, tables and ledger."""
