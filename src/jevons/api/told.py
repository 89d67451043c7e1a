"""What callers of `jevons.validate` and `jevons.calibrate` say of the server that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

from jevons import options as o
from jevons.api.accelerators import GPU
from jevons.api.launch import SERVE
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.validation.told import Told


class Measured(TypedDict, total=False):
    """What files of measured runs do not say themselves of the server and its load."""

    serve: Annotated[Path | str | None, SERVE]
    map_: Annotated[Sequence[str] | None, o.MAP]
    model: Annotated[str | None, o.MODEL]
    gpu: Annotated[str | None, GPU]
    gpus: Annotated[int | None, o.GPUS]
    tp: Annotated[int | None, o.TP]
    pp: Annotated[int | None, o.PP]
    ep: Annotated[int | None, o.EP]
    dp: Annotated[int | None, o.DP]
    engine: Annotated[str | None, o.ENGINE]
    engine_version: Annotated[str | None, o.ENGINE_VERSION]
    precision: Annotated[str | None, o.PRECISION]
    rate: Annotated[float | None, o.RATE]
    concurrency: Annotated[int | None, o.CONCURRENCY]
    isl: Annotated[int | None, o.ISL]
    osl: Annotated[int | None, o.OSL]


_CELLS = ("model", "gpu", "tp", "pp", "ep", "dp", "engine", "engine_version", "precision", "isl", "osl")
"""Options that stand in cells of a measured row under the same name."""


def told_of(measured: Measured) -> Told:
    """Return what files of measured runs do not say themselves.

    Raises
    ------
    InputError
        If both a rate and users are given, or a mapping is none.
    """
    from jevons.serving.launch.line import text_of
    from jevons.serving.measured.known import pairs_of
    from jevons.validation.told import Told

    rate, concurrency, mapping = measured["rate"], measured["concurrency"], measured["map_"]
    if rate is not None and concurrency is not None:
        message = f"--rate {rate:g} and --concurrency {concurrency}: users of a closed loop have no rate; omit one"
        raise InputError(message)
    load = "" if rate is None else f"{rate:g} req/s"
    load = load if concurrency is None else f"concurrency {concurrency}"
    stated: dict[str, object] = {**measured}
    cells = {name: _cell(stated[name]) for name in _CELLS} | {"n_gpus": _cell(measured["gpus"])}
    serve = measured["serve"]
    texts = [mapping] if isinstance(mapping, str) else list(mapping or ())
    return Told(
        cells=cells, load=load, serve="" if serve is None else text_of(serve)[0], mapping=pairs_of(texts)
    )  # fmt: skip


def _cell(value: object) -> str:
    return "" if value is None else str(value)
