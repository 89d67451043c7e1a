"""One module a command: its options and its tables."""
