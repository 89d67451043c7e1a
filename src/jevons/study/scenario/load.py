"""Reads a scenario file."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.facts import Facts, default_facts
from jevons.options import answered
from jevons.schema import Located, read_yaml, shortened, validate_document
from jevons.study.scenario.amounts import DEFAULT_CURRENCY
from jevons.study.scenario.checks import cross_check
from jevons.study.scenario.region import fill_from_region
from jevons.study.scenario.scenario import Scenario
from jevons.study.scenario.shelf import file_meant, near_scenario, shipped_scenarios
from jevons.units import CURRENCIES


@answered
def load(
    path: Path | str,
    *,
    facts: Facts | None = None,
    as_of: dt.date | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Scenario:
    """Return the scenario in a YAML file.

    Parameters
    ----------
    path : path or str
        The file, or the name of a scenario that ships, such as ``alibaba-380bn``.
    facts : Facts, optional
        The shipped facts by default.
    as_of : date, optional
        Overrides the file's date.
    settings : mapping, optional
        Values by path that stand in place of the file's.

    Raises
    ------
    InputError
        With every fault of the file, each with line and column.
    """
    if not isinstance(path, str | os.PathLike):
        message = f"path {shortened(repr(path))}: give the path of a scenario's YAML file"
        raise InputError(message)
    path = file_meant(path)
    facts = facts or default_facts()
    try:
        document = read_yaml(path)
    except InputError as error:
        if Path(path).suffix or not str(path) or os.path.lexists(path):
            raise
        ships = near_scenario(str(path)) or f" Those that ship: {', '.join(shipped_scenarios())}."
        message = f"{error}{ships} A scenario is a YAML file; `jevons new` writes one."
        raise InputError(message) from None
    date = _date(document, as_of)
    fill_from_region(document)
    for name, value in (settings or {}).items():
        _put(document.root, name.split("."), value)
    context = {"facts": facts, "as_of": date, "currency": _currency(document)}
    scenario: Scenario = validate_document(document, Scenario, context)
    scenario = _with_paths_from(scenario, Path(path).parent)
    faults = list(cross_check(document, scenario, facts))
    if faults:
        raise InputError(faults)
    return scenario.read_from(path)


def _put(section: Any, keys: list[str], value: Any) -> None:
    """Set a value at a path of a document, with the sections that lead there."""
    for key in keys[:-1]:
        section = section[int(key)] if isinstance(section, list) else section.setdefault(key, {})
    section[keys[-1]] = value


def _date(document: Located, as_of: dt.date | None) -> dt.date:
    """Return the date of the information, as given or as the file states it, and put it into the document."""
    if not isinstance(document.root, dict):
        raise InputError(document.fault((), "must be a mapping of sections, such as `as_of:`, `hardware:`, `market:`"))
    date = document.root.get("as_of") if as_of is None else as_of
    if isinstance(date, str):
        try:
            date = dt.date.fromisoformat(date)
        except ValueError:
            date = None
    if not isinstance(date, dt.date) or isinstance(date, dt.datetime):
        raise InputError(document.fault(("as_of",), "needs the date of the information, such as `as_of: 2025-02-24`"))
    document.root["as_of"] = date
    return date


def _currency(document: Located) -> str:
    """Return the currency that the file names; the schema refuses one that is none."""
    named = document.root.get("currency", DEFAULT_CURRENCY)
    return named if named in CURRENCIES else DEFAULT_CURRENCY


def _with_paths_from(scenario: Scenario, folder: Path) -> Scenario:
    """Return the scenario with paths of config.json files taken from the folder of the scenario file."""
    models = {
        name: served.model_copy(update={"architecture": str(folder / served.architecture)})
        if served.architecture.endswith(".json")
        else served
        for name, served in scenario.serving.models.items()
    }
    return scenario.model_copy(update={"serving": scenario.serving.model_copy(update={"models": models})})
