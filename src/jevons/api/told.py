"""What callers of `jevons.validate` and `jevons.calibrate` say of the server that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.validation.told import Told


def told_of(
    *, serve: Any, mapping: Sequence[str] | str | None, rate: float | None, concurrency: int | None, gpus: int | None,
    **cells: Any,
) -> Told:  # fmt: skip
    """Return what files of measured runs do not say themselves.

    Raises
    ------
    InputError
        If both a rate and users are given, or a mapping is none.
    """
    from jevons.serving.launch.line import text_of
    from jevons.serving.measured.known import pairs_of
    from jevons.validation.told import Told

    if rate is not None and concurrency is not None:
        message = f"--rate {rate:g} and --concurrency {concurrency}: users of a closed loop have no rate; omit one"
        raise InputError(message)
    load = "" if rate is None else f"{rate:g} req/s"
    load = load if concurrency is None else f"concurrency {concurrency}"
    stated = {name: "" if value is None else str(value) for name, value in cells.items()}
    texts = [mapping] if isinstance(mapping, str) else list(mapping or ())
    return Told(
        cells={**stated, "n_gpus": "" if gpus is None else str(gpus)}, load=load,
        serve="" if serve is None else text_of(serve)[0], mapping=pairs_of(texts),
    )  # fmt: skip
