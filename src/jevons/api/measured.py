"""The option ``measured``: a load test's result stands for the load that it ran under."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.options import Option, path


def _arguments(file: Path, given: Mapping[str, Any], names: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return the arguments that a load test's result gives to `jevons.simulate`."""
    from jevons.api.launch import arguments_of as launched
    from jevons.serving.launch import names_known_model, read_launch
    from jevons.sizing.measured import arguments_of, run_of

    run = run_of(file, pairs_of(given.get("map_")), given.get("rate"), given.get("concurrency"))
    stated = arguments_of(run, given)
    if run.serve and given.get("serve") is None:
        served = launched(run.serve, {**given, "measured": file}, names)
        kept = {"model": stated["model"]} if "model" in stated and not names_known_model(read_launch(run.serve)) else {}
        stated = {name: one for name, one in stated.items() if name != "engine"} | served | kept
    return {name: one for name, one in stated.items() if name in names and name not in given}


def pairs_of(texts: Any) -> dict[str, str]:
    """Return the mapping of an option that may be text, several, or a mapping already."""
    from jevons.serving.measured.known import pairs_of as pairs

    return pairs([texts] if isinstance(texts, str) else list(texts or ()))


def trace_columns(texts: Any, *sources: Any) -> dict[str, str]:
    """Return the mapping of a trace's columns.

    Raises
    ------
    InputError
        If there is no file whose columns it could name.
    """
    if texts and all(source is None for source in sources):
        message = "--map: names columns of a --trace or a --measured file; add one"
        raise InputError(message)
    return pairs_of(texts)


MEASURED = Option(
    help="Result of a load test, shown beside the prediction; its load is simulated unless another is given",
    parse=path, metavar="FILE", expand=_arguments,
)  # fmt: skip
