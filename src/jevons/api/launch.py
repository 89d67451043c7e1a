"""The option ``serve``: a launch line of an engine stands for the options that it sets."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jevons.errors import InputError, InputWarning
from jevons.options import Option


def _line(given: Any, name: str) -> str:
    text = str(given)
    if not text.strip():
        message = f"--{name}: is empty; give a launch line such as `vllm serve MODEL`, or the path of a file with one"
        raise InputError(message)
    return text


def arguments_of(text: str | Path, given: Mapping[str, Any], names: frozenset[str]) -> dict[str, tuple[Any, str]]:
    """Return the arguments that a launch line gives to a function that has those *names*; warn of what has no part.

    Raises
    ------
    InputError
        If the line cannot be read, or says of the engine or the model other than what was given.
    """
    from jevons.operators.engines import engine_and_release, patch_of
    from jevons.serving.launch import deployment_of, model_of, read_launch

    line = read_launch(text)
    named, version = given.get("model"), given.get("engine_version")
    engine = str(given.get("engine", line.engine)) + (f"@{version}" if version else "")
    release = patch_of(engine.partition("@")[2]) or engine_and_release(engine)[1]
    meaning = deployment_of(line, None if named is None else str(named), release)
    if "model" in meaning:
        meaning["model"] = meaning["model"]._replace(value=_shipped(meaning["model"].value))
    if named is not None and _same_model(str(named), model_of(line)):
        meaning.pop("model", None)
    if "engine" in given:
        engine, release = engine_and_release(str(given["engine"]))
        if engine == line.engine:
            meaning.pop("engine")
            if release is not None:
                meaning.pop("engine_version", None)
    if "dp" in meaning and "osl" in names and not meaning["dp_attention"].value and "replicas" not in names:
        meaning["dp"] = meaning["dp"]._replace(value=1)  # copies, which a fleet counts as replicas
    asked = {name for name, value in given.items() if value is not None}
    whole = bool(_FLEETS & asked) or ":" in str(given.get("gpu", ""))
    for counted in _POOLS & meaning.keys() if whole else _POOLS & asked:
        meaning.pop(counted, None)
    if given.get("trace") is None:
        meaning.pop("prefix_cache", None)  # prompts that are drawn have no hashes; those that repeat are kept anyway
    own = {name: (stated.value, stated.flag) for name, stated in meaning.items() if name in names}
    if "precision" in names and "files" not in names and "precision" not in given:
        own.setdefault("precision", ("native", "no quantization"))
    doubts = [line.warning] if line.warning else []
    if "gpu" in names and not {"gpu", "hardware"} & asked:
        if line.device:
            own["gpu"] = line.device, "the accelerator that its file names"
        elif line.no_device:
            doubts.append(f"--serve: {line.no_device}")
    unused = (
        []
        if "files" in names
        else sorted(
            {stated.flag for name, stated in meaning.items() if name not in names and _matters(name, stated.value)}
        )
    )
    if unused:
        doubts.append(f"--serve: without effect here: {', '.join(unused)}")
    for doubt in doubts:
        warnings.warn(doubt, InputWarning, stacklevel=2)
    return own


def changed_factors(text: str | Path | None) -> tuple[tuple[str, float | str], ...]:
    """Return the factors of its engine that a launch line changes and their values; none without one."""
    from jevons.serving import launch

    return () if text is None else tuple(launch.changed_factors(launch.read_launch(text)).items())


_POOLS = {"replicas", "prefill_replicas", "prefill_tp"}
"""What a manifest says of its pools, each of which gives way to the argument of its name."""
_FLEETS = {"gpus", "autoscale", "measured"}
"""Arguments that say what a whole fleet is; all of a manifest's pools give way to them."""


def _matters(name: str, value: Any) -> bool:
    unseen = {"model", "engine", "engine_version", "prefix_cache", "draft_model", "replicas"}
    return name not in unseen and value not in {1, False}


def _shipped(served: str) -> str:
    """Return the shipped name of a model, or what the line calls it where that is none."""
    from jevons import models

    try:
        spec = models.load(served)
        return spec.name if models.load(spec.name) == spec else served
    except InputError:
        return served


def _same_model(named: str, served: str) -> bool:
    """Return whether a line's model is the one that was named, or a path that names none."""
    from jevons import models

    try:
        other = models.load(served)
    except InputError:
        return True
    return other.name == models.load(named).name


SERVE = Option(
    help="Launch line of vLLM, SGLang or TensorRT-LLM, or a file with it; its flags set the corresponding options",
    parse=_line, metavar="LINE", expand=arguments_of,
)  # fmt: skip
