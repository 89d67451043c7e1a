"""One replica or one pair of pools, step by step."""
