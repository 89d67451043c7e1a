"""Every result speaks from the catalogue of sentences, so that its answer is there in each language."""

import importlib
import pkgutil

import jevons
from jevons.results import Result

OUTSIDE = {"StoreResult", "QueryResult", "PruneResult"}
"""Results of a store's upkeep, which no page shows."""


def _all_results():
    for module in pkgutil.walk_packages(jevons.__path__, "jevons."):
        if module.name.endswith("result") or "catalogue" in module.name or ".draws." in module.name:
            importlib.import_module(module.name)
    pending, seen = [Result], []
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.startswith("jevons."):
                seen.append(kind)
    return seen


def test_no_result_makes_its_answer_or_notes_of_english_text_alone() -> None:
    """A class that overrides `answer` or `notes` bypasses the catalogue: its page would be English everywhere."""
    plain = {one.__name__ for one in _all_results() if {"answer", "notes"} & vars(one).keys()}
    assert plain - OUTSIDE == set()
