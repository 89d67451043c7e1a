"""The option ``config`` of `jevons.train`: a trainer's configuration stands for the options that it sets."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from typing import Any

from jevons.errors import InputError, InputWarning
from jevons.options import Option


def _text(given: Any, name: str) -> str:
    text = str(given)
    if not text.strip():
        message = f"--{name}: is empty; give a trainer's file, or the line that starts it in quotes"
        raise InputError(message)
    return text


def _arguments(text: str, given: Mapping[str, Any], names: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return the options that a trainer's configuration sets; warn of what has no part.

    Raises
    ------
    InputError
        If it cannot be read, or leaves open what an answer needs.
    """
    from jevons.training.config import options_of, read_training
    from jevons.training.config.keys import KEYS

    told = read_training(text)
    found = options_of(told, given)
    doubts = []
    if told.unknown:
        known, named = list(KEYS[told.program]), []
        for key in dict.fromkeys(told.unknown):
            near = difflib.get_close_matches(key.lstrip("-"), known, n=1, cutoff=0.8)
            named.append(f"{key} (did you mean {near[0]}?)" if near else key)
        doubts.append(f"not understood: {', '.join(named)}")
    if told.unmodelled:
        doubts.append(f"without effect on a prediction: {', '.join(dict.fromkeys(told.unmodelled))}")
    for doubt in [*doubts, *told.notes]:
        warnings.warn(f"--config: {doubt}", InputWarning, stacklevel=2)
    return {name: stated for name, stated in found.items() if name in names}


CONFIG = Option(
    help="Configuration of a trainer, or the line or script that starts it: Megatron-LM, NeMo, torchtitan, "
    "torchtune, DeepSpeed, LLaMA-Factory, Axolotl, ms-swift, MaxText, nanotron, Unsloth or the HF Trainer; its keys "
    "set the corresponding options",
    parse=_text, metavar="FILE", expand=_arguments,
)  # fmt: skip
