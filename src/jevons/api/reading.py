"""What functions of a model say of its file before they use it."""

from __future__ import annotations

import warnings

from jevons import options as o
from jevons.errors import InputWarning


def named_model(model: str | None) -> str:
    """Return the model of a function that may take it from a launch line, and warn as `warn_of_file` does.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    named = o.needed(model)  # before anything heavy is imported
    warn_of_file(named)
    return named


def warn_of_file(model: str) -> None:
    """Warn of what a model's file says and its reader does not understand, such as an unknown family.

    Raises
    ------
    InputError
        If the model cannot be read.
    """
    from jevons import models

    for doubt in models.load(model).warnings:
        warnings.warn(doubt, InputWarning, stacklevel=2)
