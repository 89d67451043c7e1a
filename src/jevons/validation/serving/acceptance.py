"""Predictions of how many tokens a step yields under speculative decoding, beside measured acceptance lengths."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from jevons.errors import FactError, InputError
from jevons.limits import DRAFTS
from jevons.operators.engines import Place, engine_fact, engine_id
from jevons.serving.calibration import Calibration
from jevons.serving.formulas import accepted_tokens
from jevons.validation.report import Entry, measured_of, no_figure

ACCEPTANCE_COLUMNS = ("model", "engine", "draft_tokens", "accept_length")
_FACTOR = "draft_acceptance_frac"


def acceptance_entries(path: Path, rows: tuple[dict[str, str], ...], factors: Calibration) -> list[Entry]:
    """Return an entry for every measured acceptance length [tokens per step, that of the model itself included].

    The prediction is the engine's: one chance for each drafted token, whatever drafts it. Its 80 % interval is the
    range of that fact, which covers kinds of text.
    """
    return [_entry(path, index, row, factors) for index, row in enumerate(rows)]


def _entry(path: Path, index: int, row: dict[str, str], factors: Calibration) -> Entry:
    group = row.get("group") or " :: ".join(row.get(name) or "–" for name in ("model", "method"))
    measured = measured_of(row["accept_length"])
    entry = partial(
        Entry, file=path.name, row=index, metric="accept_length", group=group, family=path.stem, measured=measured
    )
    if measured is None:
        return entry(reason=no_figure(row["accept_length"]))
    try:
        drafted = _drafted(row["draft_tokens"])
        engine = engine_id(row["engine"])
        fact = engine_fact(engine, _FACTOR, Place())
        chance = factors.engines.get(engine, {}).get(_FACTOR) or (fact.number if fact else None)
        if chance is None:
            message = f"no chance of acceptance is on file for {engine}"
            raise InputError(message)
    except (InputError, FactError) as error:
        return entry(reason=str(error))
    ends = (None, None) if fact is None or fact.low is None or fact.high is None else (fact.low, fact.high)
    low, high = (None if end is None else accepted_tokens(drafted, end) for end in ends)
    return entry(predicted=accepted_tokens(drafted, chance), low=low, high=high)


def _drafted(text: str) -> int:
    """Return the tokens drafted a step."""
    if not text.strip().isdigit() or not 1 <= int(text) <= DRAFTS:
        message = f"draft_tokens `{text}` is no whole number from 1 to {DRAFTS}"
        raise InputError(message)
    return int(text)
