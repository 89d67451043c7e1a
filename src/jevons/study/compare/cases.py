"""Named cases: questions of strategy as changes of one scenario."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.schema import read_yaml
from jevons.study.scenario.changes import changed
from jevons.study.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case: title, what it asks, and the changes of either side."""

    name: str
    title: str
    question: str
    a: Mapping[str, Any]
    b: Mapping[str, Any]


@functools.cache
def cases() -> dict[str, Case]:
    """Return the cases by name."""
    root = read_yaml(Path(__file__).with_name("cases.yaml")).root
    return {
        name: Case(
            name=name, title=entry["title"], question=" ".join(entry["question"].split()), a=entry["a"] or {},
            b=entry["b"] or {},
        )
        for name, entry in root.items()
    }  # fmt: skip


def case_named(name: str) -> Case:
    """Return a case.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    known = cases()
    if name not in known:
        message = f"--case {name}: unknown.{did_you_mean(name, known)} Known: {', '.join(known)}."
        raise InputError(message)
    return known[name]


def sides(case: Case, scenario: Scenario) -> tuple[Scenario, Scenario]:
    """Return both sides of a case of a scenario.

    Raises
    ------
    InputError
        If the scenario lacks what the case changes.
    """
    try:
        return changed(scenario, case.a), changed(scenario, case.b)
    except InputError as error:
        message = f"--case {case.name}: the scenario lacks what this case changes. {error}"
        raise InputError(message) from None
