"""Upkeep of facts: what is stale, what conflicts, and which judgements move results most."""
