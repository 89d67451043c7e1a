"""Declared functions: signatures say how arguments are checked and parsed; docstrings get the parameters from them."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from jevons.errors import Fault, InputError
from jevons.options.argument_types import typed
from jevons.options.option import Declared, Option

P = ParamSpec("P")
R = TypeVar("R")


def parameters(function: Callable[..., Any]) -> list[Declared]:
    """Return the declared parameters of a function in order; those without an `Option` are left out."""
    plain = inspect.unwrap(function)
    names = vars(sys.modules[plain.__module__])
    found = []
    for parameter in inspect.signature(plain).parameters.values():
        annotation = parameter.annotation
        if isinstance(annotation, str):
            annotation = _evaluated(annotation, names)
        option = next((a for a in getattr(annotation, "__metadata__", ()) if isinstance(a, Option)), None)
        if option is not None:
            positional = parameter.kind is not inspect.Parameter.KEYWORD_ONLY
            kind = typing.get_args(annotation)[0]
            found.append(
                Declared(
                    name=parameter.name, type=kind, option=option, default=parameter.default, positional=positional,
                    several=parameter.kind is inspect.Parameter.VAR_POSITIONAL,
                )
            )  # fmt: skip
    return found


def _evaluated(annotation: str, names: dict[str, Any]) -> Any:
    """Return what an annotation means; a class imported for type checking only is stood in for by its name."""
    known = dict(names)
    while True:
        try:
            return eval(annotation, known)  # noqa: S307 - the package's own source
        except NameError as error:
            missing = str(error.name)
            known[missing] = type(missing, (), {})


def as_argument(text: str, names: Mapping[str, str] | None = None) -> str:
    """Return a message that names options with dashes as one that names arguments; *names* are those that differ.

    Examples
    --------
    >>> as_argument("--gpus 12: a replica takes 8; use another --max-num-seqs")
    'gpus=12: a replica takes 8; use another max_num_seqs'
    """

    def named(match: re.Match[str]) -> str:
        return (names or {}).get(match[1], match[1].replace("-", "_"))

    text = re.sub(r"^--([a-z][a-z0-9-]*) (\S+):", lambda m: f"{named(m)}={m[2]}:", text, flags=re.MULTILINE)
    return re.sub(r"(?<![\w-])--([a-z][a-z0-9-]*)", named, text)


def declared(function: Callable[P, R]) -> Callable[P, R]:
    """Check and parse the arguments of a function as its signature declares them, and complete its docstring.

    The wrapped function is at ``.__wrapped__``; `call_parsed` runs it for a command, whose errors keep their dashes.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = inspect.signature(function).bind(*args, **kwargs)
        try:
            return call_parsed(function, bound.arguments)
        except InputError as error:
            names = {one.flag: one.name for one in parameters(function)}
            faults = [
                replace(f, message=as_argument(f.message, names), path=as_argument(f.path, names)) for f in error.faults
            ]
            raise type(error)(faults) from None

    call.__doc__ = _documented(function)
    return call


def call_parsed(function: Callable[..., R], arguments: dict[str, Any]) -> R:
    """Return what a function makes of arguments, checked and parsed as it declares them.

    A result that has invariants keeps them, or the call ends with `InvariantError`.
    """
    plain = inspect.unwrap(function)
    options = {one.name: one for one in parameters(plain)}
    several: list[Any] = []
    values: dict[str, Any] = {}
    for name, given in arguments.items():
        one = options.get(name)
        if one is not None and one.several:
            several += [one.option.value(typed(item, one), one.flag) for item in given]
        else:
            values[name] = given if one is None else one.option.value(typed(given, one), one.flag)
    values |= _expanded(options, arguments, values)
    try:
        answer = plain(*several, **values)
    except InputError as error:
        faults = [_placed(fault, arguments, options) for fault in error.faults]
        raise type(error)(faults) from None
    check = getattr(answer, "check", None)
    if callable(check):
        check()
    return typing.cast("R", answer)


def _expanded(
    options: Mapping[str, Declared], arguments: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that options such as a launch line stand for.

    Raises
    ------
    InputError
        If one of them was given in another value; the message names both.
    """
    made: dict[str, Any] = {}
    explicit = {name: value for name, value in arguments.items() if value is not None}
    for one in options.values():
        if one.option.expand is None or values.get(one.name) is None:
            continue
        stated = one.option.expand(values[one.name], explicit | made, frozenset(options))
        for name, (value, origin) in stated.items():
            if name in made:
                continue
            meant = options[name].option.value(value, options[name].flag)
            if name in explicit and values[name] != meant:
                message = (
                    f"--{options[name].flag} {arguments[name]}: --{one.flag} says {meant} ({origin}); omit one of the "
                    "two, or mend the line"
                )
                raise InputError(message)
            made[name] = meant
    return made


_INSIDE = re.compile(r"(?:layout\.)?([a-z][a-z0-9_]*) = ([^:\s`]+):")
"""How messages of the stages begin that name a figure by its field."""

_INSIDE_NAMES = {
    "step_tokens": "max_num_batched_tokens", "max_batch": "max_num_seqs", "stage_layers": "stages", "mtbf_s": "mtbf",
    "repair_s": "repair", "think_s": "think", "users": "concurrency", "stale_s": "stale", "rate_per_s": "rate",
    "rate_req_per_s": "rate", "cold_start_s": "cold_start", "draft_acceptance_frac": "draft_acceptance",
}  # fmt: skip
"""Parameters of functions by the field that holds them inside."""


def _placed(fault: Fault, arguments: dict[str, Any], options: dict[str, Declared]) -> Fault:
    """Return a fault that quotes the text of an argument with that argument's name before it."""
    if fault.path or fault.file or fault.message.startswith("--"):
        return fault
    match = _INSIDE.match(fault.message)
    if match is not None:
        inside = _INSIDE_NAMES.get(match[1], match[1])
        if arguments.get(inside) is not None and inside in options:
            return replace(fault, message=f"--{options[inside].flag} {match[2]}:{fault.message[match.end() :]}")
    for name, given in arguments.items():
        if name in options and isinstance(given, str) and given and f"`{given}`" in fault.message:
            rest = re.sub(rf"^[a-z_ ]+ (= )?`{re.escape(given)}`: ", "", fault.message)
            return replace(fault, message=f"--{options[name].flag} {given}: {rest}")
    return fault


def _documented(function: Callable[..., Any]) -> str:
    """Return the docstring with a section of parameters after its first paragraph."""
    text = inspect.getdoc(function) or ""
    lines = ["Parameters", "----------"]
    for one in parameters(function):
        kind = getattr(one.type, "__name__", str(one.type)) if isinstance(one.type, type) else str(one.type)
        default = "" if one.default is inspect.Parameter.empty else f", default {one.default!r}"
        kind = re.sub(r"(?:typing|jevons[a-z_.]*|pathlib|pathlib._local|datetime)[.]", "", kind)
        lines.append(f"{'*' if one.several else ''}{one.name} : {kind}{default}")
        lines += textwrap.wrap(f"{one.option.text()}.", 100, initial_indent="    ", subsequent_indent="    ")
    head, mark, rest = text.partition("\n\nReturns\n")
    return f"{head}\n\n" + "\n".join(lines) + (f"{mark}{rest}" if mark else "")
