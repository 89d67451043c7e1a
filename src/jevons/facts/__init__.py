"""Dated, sourced, graded figures. A figure published after the date asked for is invisible."""

from jevons.facts.read import default_facts, get, load_facts, search, series
from jevons.facts.types import Fact, Facts, FactValue, Source

__all__ = ["Fact", "FactValue", "Facts", "Source", "default_facts", "get", "load_facts", "search", "series"]
