"""Declared functions: signatures say how arguments are checked and parsed; docstrings get the parameters from them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import re
import stat
import sys
import textwrap
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from jevons.errors import ArgumentError, Fault, InputError, did_you_mean
from jevons.files import keeping_inputs, note_input
from jevons.options.argument_types import typed
from jevons.options.option import Declared, Default, Option
from jevons.options.spellings import SPELLINGS
from jevons.text import shortened

P = ParamSpec("P")
R = TypeVar("R")


def parameters(function: Callable[..., Any]) -> list[Declared]:
    """Return a function's parameters that have an `Option`, in order, those of its group of options last."""
    plain = inspect.unwrap(function)
    names = vars(sys.modules[plain.__module__])
    known: list[Declared | None] = []
    for parameter in inspect.signature(plain).parameters.values():
        annotation = parameter.annotation
        if isinstance(annotation, str):
            annotation = _evaluated(annotation, names)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            known += _of_group(annotation)
        else:
            known.append(_declared_as(parameter, annotation))
    return [choice for choice in known if choice is not None]


def _declared_as(parameter: inspect.Parameter, annotation: Any) -> Declared | None:
    """Return a parameter as its annotation declares it; None where that has no `Option`."""
    option = next((a for a in getattr(annotation, "__metadata__", ()) if isinstance(a, Option)), None)
    if option is None:
        return None
    return Declared(
        name=parameter.name, type=typing.get_args(annotation)[0], option=option, default=parameter.default,
        positional=parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
        several=parameter.kind is inspect.Parameter.VAR_POSITIONAL,
    )  # fmt: skip


def _of_group(annotation: Any) -> list[Declared | None]:
    """Return the parameters of a group of options, given as ``Unpack[Group]``; other annotations have none."""
    if typing.get_origin(annotation) is not typing.Unpack:
        return []
    members = typing.get_type_hints(typing.get_args(annotation)[0], include_extras=True)
    known = []
    for name, member in members.items():
        default = next((entry.value for entry in member.__metadata__ if isinstance(entry, Default)), None)
        place = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        known.append(_declared_as(place, member))
    return known


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a declared function as callers see it: plain types, options of its group one by one."""
    own = inspect.signature(inspect.unwrap(function))
    options = {parameter.name: parameter for parameter in parameters(function)}
    places = [
        place.replace(annotation=_written(options[name].type)) if name in options else place
        for name, place in own.parameters.items()
        if place.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    places += [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=parameter.default, annotation=_written(parameter.type)
        )
        for name, parameter in options.items()
        if name not in own.parameters
    ]
    return own.replace(parameters=places)


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

    lines = text.split("\n")
    for place, line in enumerate(lines):
        if not line.startswith("  "):  # such lines show what a shell or a file holds
            begun = re.sub(r"^--([a-z][a-z0-9-]*) (\S+):", lambda m: f"{named(m)}={m[2]}:", line)
            lines[place] = re.sub(r"(?<![\w-])--([a-z][a-z0-9-]*)", named, begun)
    return "\n".join(lines)


def declared(function: Callable[P, R]) -> Callable[P, R]:
    """Check and parse the arguments of a function as its signature declares them, and complete its docstring.

    The wrapped function is at ``.__wrapped__``; `call_parsed` runs it for a command, whose errors keep their dashes.
    """
    signature = signature_of(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = _bound(function.__name__.rstrip("_"), signature, args, kwargs)
        try:
            with keeping_inputs() as inputs:
                _note_files(bound.arguments)
                answer = call_parsed(function, bound.arguments)
            keep = getattr(answer, "keep_inputs", None)
            if callable(keep):
                keep(inputs)
            return answer
        except InputError as error:
            names = {parameter.flag: parameter.name for parameter in parameters(function)}
            faults = [
                replace(f, message=as_argument(f.message, names), path=as_argument(f.path, names)) for f in error.faults
            ]
            raise type(error)(faults) from None

    call.__doc__ = _documented(function)
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def _note_files(arguments: Mapping[str, Any]) -> None:
    """Take note of the files that arguments name or were read from, and what they are to the result."""
    for name, given in arguments.items():
        for entry in given if isinstance(given, list | tuple) else (given,):
            value = getattr(entry, "source_file", entry)
            if isinstance(value, str | Path) and str(value):
                with contextlib.suppress(OSError, ValueError):
                    if stat.S_ISREG(os.stat(value).st_mode):  # noqa: PTH116 - of any text, which may be no path
                        note_input(value, f"the result was made from this file, as `{name}`")


def answered(function: Callable[P, R]) -> Callable[P, R]:
    """Answer a call with wrong arguments as `declared` does, for functions whose arguments no command shares."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError:
            _bound(function.__name__, signature, args, kwargs)  # raises where the call was wrong
            raise

    return call


def _bound(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Return arguments by name.

    Raises
    ------
    ArgumentError
        If they are not those of the function; it says which it has in place of a name that others use.
    """
    known = [parameter for parameter in signature.parameters if parameter != "self"]
    faults = [f"{name}() has no argument `{given}`.{_instead(given, known)}" for given in kwargs if given not in known]
    if faults:
        raise ArgumentError(Fault(message=text) for text in faults)
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        placed = [
            parameter
            for parameter in known
            if signature.parameters[parameter].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]
        named = [f"{parameter}=" for parameter in known if parameter not in placed]
        others = f"; all others are named, such as {', '.join(named[:_SHOWN])}" if named else ""
        twice = next((parameter for parameter, _ in zip(placed, args, strict=False) if parameter in kwargs), None)
        problem = str(error)
        if twice is not None:
            first = shortened(repr(args[placed.index(twice)]))
            problem = f"`{twice}` is given by place, {first}, and by name, {shortened(repr(kwargs[twice]))}"
        message = f"{name}(): {problem}; by place it takes {', '.join(placed) or 'none'}{others}"
        raise ArgumentError(message) from None


_SHOWN = 4
"""Arguments that a wrong call is shown as an example."""


def _instead(given: str, known: Sequence[str]) -> str:
    """Return which argument was likely meant, by the words of engines and load tests or by spelling."""
    meant = next((spelling for spelling in SPELLINGS.get(given.lower(), ()) if spelling in known), "")
    near = f" Did you mean `{meant}`?" if meant else did_you_mean(given, known)
    return near or f" It has {', '.join(known)}."


def call_parsed(function: Callable[..., R], arguments: dict[str, Any]) -> R:
    """Return what a function makes of arguments, checked and parsed as it declares them.

    A result that has invariants keeps them, or the call ends with `InvariantError`.
    """
    plain = inspect.unwrap(function)
    options = {parameter.name: parameter for parameter in parameters(plain)}
    several: list[Any] = []
    values: dict[str, Any] = {}
    for name, given in arguments.items():
        one = options.get(name)
        if one is not None and one.several:
            items = [inner for item in given for inner in (item if isinstance(item, list | tuple) else (item,))]
            several += [_stated(item, one) for item in items]
        else:
            values[name] = given if one is None else _stated(given, one)
    values |= _expanded(options, arguments, values)
    own = inspect.signature(plain).parameters
    values = {name: parameter.default for name, parameter in options.items() if name not in own} | values
    try:
        answer = plain(*several, **values)
    except InputError as error:
        faults = [_placed(fault, arguments, options) for fault in error.faults]
        raise type(error)(faults) from None
    check = getattr(answer, "check", None)
    if callable(check):
        check()
    return typing.cast("R", answer)


def _stated(given: Any, parameter: Declared) -> Any:
    """Return the value that an argument stands for.

    Raises
    ------
    InputError
        If it is none that the option takes, or a blank text: likely a variable that was not set.
    """
    value = parameter.option.value(typed(given, parameter), parameter.flag)
    if isinstance(value, str) and not value.strip() and value != parameter.default:
        omitted = "" if parameter.default is inspect.Parameter.empty else " or omit it"
        message = f"--{parameter.flag}: is empty; give a value{omitted}"
        raise InputError(message)
    return value


def _expanded(
    options: Mapping[str, Declared], arguments: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that options such as a launch line stand for.

    Raises
    ------
    InputError
        If one of them was given in another value; the message names both.
    """
    expanded: dict[str, Any] = {}
    explicit = {name: value for name, value in arguments.items() if value is not None}
    for parameter in options.values():
        if parameter.option.expand is None or values.get(parameter.name) is None:
            continue
        stated = parameter.option.expand(values[parameter.name], explicit | expanded, frozenset(options))
        for name, (value, origin) in stated.items():
            meant = options[name].option.value(value, options[name].flag)
            if name in expanded:
                if name == "model" and expanded[name] != meant:
                    message = f"--{parameter.flag}: is of {meant}, and another option of {expanded[name]}; omit one"
                    raise InputError(message)
                continue
            if name in explicit and name != parameter.name and values[name] != meant:
                message = (
                    f"--{options[name].flag} {arguments[name]}: --{parameter.flag} says {meant} ({origin}); "
                    "omit one of the "
                    "two"
                )
                raise InputError(message)
            expanded[name] = meant
    return expanded


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


def _written(kind: Any) -> str:
    """Return a type as a signature writes it."""
    text = getattr(kind, "__name__", str(kind)) if isinstance(kind, type) else str(kind)
    return re.sub(r"(?:typing|collections[.]abc|jevons[a-z_.]*|pathlib|pathlib._local|datetime)[.]", "", text)


def _documented(function: Callable[..., Any]) -> str:
    """Return the docstring with a section of parameters after its first paragraph."""
    text = inspect.getdoc(function) or ""
    lines = ["Parameters", "----------"]
    for parameter in parameters(function):
        default = "" if parameter.default is inspect.Parameter.empty else f", default {parameter.default!r}"
        lines.append(f"{'*' if parameter.several else ''}{parameter.name} : {_written(parameter.type)}{default}")
        lines += textwrap.wrap(f"{parameter.option.text()}.", 100, initial_indent="    ", subsequent_indent="    ")
    head, mark, rest = text.partition("\n\nReturns\n")
    return f"{head}\n\n" + "\n".join(lines) + (f"{mark}{rest}" if mark else "")
