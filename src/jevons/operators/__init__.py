"""Operators: the time of one matrix product, attention, layer of experts or collective, and what bounds it."""
