"""What the page offers to choose from: models, devices, engines, APIs, sites, scenarios, and facts to search."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from jevons.api.train_options import runs
from jevons.errors import InputError, did_you_mean
from jevons.facts.support import support_matrix
from jevons.hardware import site_ids
from jevons.provenance import GRADES
from jevons.schema import plain
from jevons.sizing.train_published import run_id
from jevons.study.scenario.shelf import shipped_scenarios
from jevons.web.frozen import rates
from jevons.web.inputs import FUNCTIONS, KINDS, declared_of, versions
from jevons.web.wording import scales

_MOST_FACTS = 5000


@functools.cache
def catalog() -> dict[str, Any]:
    """Return everything that a form needs."""
    import datetime as dt

    import jevons
    from jevons.deploy import target_titles

    return {
        "versions": versions(),
        "today": dt.datetime.now(dt.UTC).date().isoformat(),
        "models": [
            {k: model[k] for k in ("name", "parameters_total", "parameters_active", "max_context") if k in model}
            for model in jevons.models.list().to_json()["models"]
        ],
        "devices": jevons.devices().to_json()["devices"],
        "engines": [engine["engine"] for engine in jevons.engines().to_json()["engines"]],
        "apis": _apis(),
        "sites": list(site_ids()),
        "scenarios": list(shipped_scenarios()),
        "training_runs": _training_runs(),
        "rates": rates(),
        "scales": scales(),
        "support": support_matrix(),
        "kinds": list(KINDS),
        "targets": target_titles(),
        "grades": list(GRADES),
        "options": {kind: _options(kind) for kind in FUNCTIONS},
    }


def _options(kind: str) -> list[dict[str, Any]]:
    """Return the keywords of a function: name, help, unit, bounds and default."""
    import inspect

    return [
        {
            "name": parameter.name, "help": parameter.option.help, "unit": parameter.option.unit,
            "low": parameter.option.low,
            "high": parameter.option.high, "above": parameter.option.above,
            "default": None if parameter.default is inspect.Parameter.empty else plain(parameter.default),
            "required": parameter.default is inspect.Parameter.empty,
        }
        for parameter in declared_of(kind).values()
    ]  # fmt: skip


@functools.cache
def facts() -> list[dict[str, Any]]:
    """Return every fact's value in force with its evidence."""
    import jevons

    rows: list[dict[str, Any]] = jevons.facts.list().to_json()["facts"]
    return rows


def _apis() -> list[dict[str, Any]]:
    """Return the APIs that have a price for output tokens, with that price and its date."""
    rows = []
    for row in facts():
        for currency in ("cny", "usd"):
            end = f".output_{currency}_per_mtok"
            if row["id"].startswith("api.") and row["id"].endswith(end):
                name = row["id"].removeprefix("api.").removesuffix(end)
                rows.append({
                    "id": name, "output": row["value"], "currency": currency.upper(), "from": row["from"],
                })  # fmt: skip
    return rows


def _training_runs() -> list[dict[str, Any]]:
    """Return the published training runs: accelerators, tokens, and what was published of each."""
    rows = {row["id"]: row for row in facts()}
    listed = []
    for name, line in runs().items():
        words = line.split()
        options = {word[2:]: value for word, value in zip(words, [*words[1:], ""], strict=True) if word[:2] == "--"}
        shown = [
            {"value": row["value"], "unit": row["unit"], "source": row.get("source", "")}
            for field in ("accelerator_h", "flop_per_s") if (row := rows.get(f"{run_id(name)}.{field}"))
        ]  # fmt: skip
        listed.append({
            "run": name, "model": options["model"], "gpu": options["gpu"], "gpus": int(options["gpus"]),
            "tokens": options["tokens"], "published": shown,
        })  # fmt: skip
    return listed


def search(words: str, grade: str, date: str) -> list[dict[str, Any]]:
    """Return the facts that have all words, of a grade, in force on a date; those with whole words in their ids first.

    Raises
    ------
    InputError
        If the grade is unknown, or the date none.
    """
    import jevons
    from jevons.errors import FactError
    from jevons.options import as_argument

    if grade and grade not in GRADES:
        message = f"grade {grade[:60]}: unknown.{did_you_mean(grade, GRADES)} Known: {', '.join(GRADES)}."
        raise InputError(message)
    rows = facts()
    if date:
        try:
            rows = jevons.facts.list(as_of=date).to_json()["facts"]
        except (InputError, FactError) as error:
            message = as_argument(str(error)).replace("as_of", "date")
            raise InputError(message) from None
    parts = words.lower().split()
    matching = []
    for row in rows:
        text = f"{row['id']} {row.get('source', '')} {row.get('note', '')}".lower()
        if (not grade or row["grade"] == grade) and all(part in text for part in parts):
            matching.append(row)

    def strange(row: Mapping[str, Any]) -> tuple[int, int]:
        own = re.split(r"[._]", row["id"].lower())
        return sum(part not in row["id"].lower() for part in parts), sum(part not in own for part in parts)

    return sorted(matching, key=strange)[:_MOST_FACTS]


def fact(identity: str) -> dict[str, Any]:
    """Return every dated value of a fact.

    Raises
    ------
    FactError
        If the id is unknown.
    """
    import jevons

    shown: dict[str, Any] = jevons.facts.show(identity).to_json()
    return shown
