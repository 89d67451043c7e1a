"""The options of functions and commands, each declared once: meaning, unit, bounds, and how text becomes a value.

A public function states its options in its signature, ``rate: Annotated[float | None, RATE] = None``. `declared` checks
and parses what a caller gives and writes the parameters into the docstring; `jevons.cli.build` makes the command of the
same name from the same signature. Messages name an option as ``--max-num-seqs``; to callers of the library they name
the argument, ``max_num_seqs``.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import math
import numbers
import os
import re
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from jevons.errors import Fault, InputError, did_you_mean
from jevons.units import UnitError, parse_date, parse_quantity

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What an option is.

    Parameters
    ----------
    help : str
        What the option is, in a few words without unit and default; those are added.
    unit : str
        Unit of a bare number, such as ``s``.
    low, high : float or None
        Least and greatest value.
    above : float or None
        Value that it must exceed.
    parse : callable or None
        Makes the value of what a person wrote, given value and name; None where the type alone says it.
    choices : callable or None
        Returns the words that are allowed, for the message and for completion.
    metavar : str
        Word for the value in help, such as ``TIME``.
    flag : str
        Name at the command line, without the dashes; that of the argument where empty.
    expand : callable or None
        Returns other arguments that the value stands for, given it, what else was given by name, and the names of all
        arguments; each with the words for its origin. One that was given otherwise too is refused.
    """

    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    parse: Callable[[Any, str], Any] | None = None
    choices: Callable[[], Sequence[str]] | None = None
    metavar: str = ""
    flag: str = ""
    expand: Callable[[Any, Mapping[str, Any], frozenset[str]], Mapping[str, tuple[Any, str]]] | None = None

    def text(self) -> str:
        """Return the help with the unit."""
        return f"{self.help} [{self.unit}]" if self.unit else self.help

    def value(self, given: Any, name: str) -> Any:
        """Return what a caller gave as the value that the function works with.

        Raises
        ------
        InputError
            If it is of another type, out of bounds, or no allowed word.
        """
        if given is None:
            return None
        value = given if self.parse is None else self.parse(given, name)
        if self.choices is not None and isinstance(value, str):
            known = list(self.choices())
            if value not in known:
                message = f"--{name} {value}: unknown.{did_you_mean(value, known)} Known: {', '.join(known)}."
                raise InputError(message)
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, float | int) and not isinstance(number, bool):
                self._check(number, given, name)
        return value

    def _check(self, number: float, given: Any, name: str) -> None:
        unit = f" {self.unit}" if self.unit else ""
        problem = ""
        if isinstance(number, float) and not math.isfinite(number):
            problem = "must be a finite number"
        elif self.above is not None and not number > self.above:
            problem = f"must be above {self.above:g}{unit}"
        elif self.low is not None and number < self.low:
            problem = f"must be at least {self.low:g}{unit}"
        elif self.high is not None and number > self.high:
            problem = f"must be at most {self.high:,.10g}{unit}"
        if problem:
            message = f"--{name} {given}: {problem}"
            raise InputError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One parameter of a declared function."""

    name: str
    type: Any
    option: Option
    default: Any
    positional: bool
    several: bool = False

    @property
    def flag(self) -> str:
        """Name at the command line, without the dashes."""
        return self.option.flag or self.name.rstrip("_").replace("_", "-")


_NONE_OF_IT = object()


def typed(given: Any, one: Declared) -> Any:
    """Return an argument in the type that its function declares: numpy's numbers as Python's, a path as text.

    Raises
    ------
    InputError
        If it is of another type.
    """
    kinds = typing.get_args(one.type) if _is_union(one.type) else (one.type,)
    if given is None:
        if one.default is None or type(None) in kinds or Any in kinds:
            return None
        raise _another_type(given, kinds, one.flag)
    for kind in kinds:
        value = _as_kind(given, kind)
        if value is not _NONE_OF_IT:
            return value
    strange = [kind for kind in kinds if typing.get_origin(kind) is None and kind not in _KINDS]
    if strange and not isinstance(given, numbers.Number | bytes | list | tuple | dict | set | type):
        return given  # a class of the package, which its function knows
    raise _another_type(given, kinds, one.flag)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in {typing.Union, types.UnionType}


def _as_kind(given: Any, kind: Any) -> Any:
    """Return a value as one kind has it, or `_NONE_OF_IT` where it is none of it."""
    truth = isinstance(given, bool) or type(given).__name__ == "bool"
    whole = isinstance(given, numbers.Integral) or (isinstance(given, float) and given.is_integer())
    if kind is Any:
        return given
    if kind is bool and truth:
        return bool(given)
    if kind is int and whole and not truth:
        return int(given)
    if kind is int and isinstance(given, float) and not math.isfinite(given):
        return given  # told as what it is by the bounds
    if kind is float and isinstance(given, numbers.Real) and not truth:
        return int(given) if isinstance(given, numbers.Integral) else float(given)
    if kind is str and isinstance(given, str | os.PathLike):
        return os.fspath(given)
    if kind is Path and isinstance(given, str | os.PathLike):
        return given
    if kind is dt.date and isinstance(given, dt.date):
        return given
    origin = typing.get_origin(kind)
    if isinstance(origin, type) and isinstance(given, origin) and not isinstance(given, str | bytes):
        inner = [part for part in typing.get_args(kind) if isinstance(part, type)]
        items = typing.cast("Sequence[Any]", given) if origin is Sequence and inner else ()
        return given if all(isinstance(item, tuple(inner)) for item in items) else _NONE_OF_IT
    return _NONE_OF_IT


_KINDS: dict[Any, str] = {
    int: "a whole number", float: "a number", str: "text", bool: "true or false", Path: "a path", dt.date: "a date",
    type(None): "none",
}  # fmt: skip


_COLLECTIONS: dict[Any, str] = {Sequence: "a list of texts", Mapping: "a dictionary from path to values"}


def _another_type(given: Any, kinds: Sequence[Any], name: str) -> InputError:
    words = [_KINDS.get(kind) or _COLLECTIONS.get(typing.get_origin(kind), "") for kind in kinds]
    known = " or ".join(dict.fromkeys(word for word in words if word and word != "none"))
    shown = repr(given)
    return InputError(
        f"--{name} {shown if len(shown) <= 60 else shown[:57] + '…'}: must be {known or 'of another type'}"
    )


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


_TIME = re.compile(r"^\s*([0-9.eE+-]+)\s*(us|µs|ms|s|min|h)?\s*$")
_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, None: 1.0}


def duration_s(given: Any, name: str) -> float:
    """Return a time in seconds: a number of seconds, or text with a unit, such as ``300ms`` or ``1.5 s``.

    Raises
    ------
    InputError
        If it is no time.

    Examples
    --------
    >>> duration_s("300ms", "ttft")
    0.3
    """
    match = _TIME.match(str(given))
    try:
        if isinstance(given, bool) or match is None:
            raise ValueError
        return float(match[1]) * _SECONDS[match[2]]
    except ValueError:
        message = f"--{name} {given}: write a time with its unit, such as 300ms or 1.5s"
        raise InputError(message) from None


_LONG_S = {"ttft": 60.0, "tpot": 1.0, "e2e": 3600.0}
"""Limits in seconds above which a bare number was likely meant in milliseconds."""


def bare_time(given: Any, one: Declared) -> tuple[str, bool]:
    """Return in which unit a time without one was taken, and whether that is unlikely; empty for other values."""
    text = str(given).strip()
    if one.option.parse is not duration_s or not text.replace(".", "", 1).isdigit() or not float(text):
        return "", False
    seconds = float(text)
    if seconds > _LONG_S.get(one.name, math.inf):
        return f"--{one.flag} {text} is taken as {seconds:g} seconds; for milliseconds write {text}ms", True
    shown = f"{seconds:g} s" if seconds >= 1 else f"{seconds:g} s ({1e3 * seconds:g} ms)"
    return f"--{one.flag} {text} is taken as {shown}", False


def data_bytes(given: Any, name: str) -> float:
    """Return an amount of data in bytes: a number of bytes, or text with a unit, such as ``64MiB`` or ``2 GB``.

    Raises
    ------
    InputError
        If it is no amount of data.

    Examples
    --------
    >>> data_bytes("64 MiB", "message")
    67108864.0
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    text = str(given)
    try:
        return parse_quantity(text if re.search(r"[a-zA-Z]\s*$", text) else f"{text} bytes", "bytes")
    except UnitError:
        message = f"--{name} {given}: write an amount of data with its unit, such as 64MiB or 2GB"
        raise InputError(message) from None


def date(given: Any, name: str) -> dt.date:
    """Return a date, given as one or as text such as ``2025-02-24``."""
    return given if isinstance(given, dt.date) else parse_date(str(given), f"--{name}")


def whole(given: Any, name: str) -> int:
    """Return a whole number.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(given, bool) or int(given) != given:
        message = f"--{name} {given}: must be a whole number"
        raise InputError(message)
    return int(given)


def path(given: Any, _name: str) -> Any:
    """Return a path; what is none, such as a calibration just fitted, stays as it is."""
    return Path(given) if isinstance(given, str) else given


def store_place(given: Any, name: str) -> Any:
    """Return the place of a store: a path, or an address such as ``s3://bucket/folder`` as it is.

    Raises
    ------
    InputError
        If it is empty or holds a NUL character.
    """
    if not isinstance(given, str):
        return given
    if not given.strip() or "\0" in given:
        message = f"--{name} {given!r}: must be a folder, or an address such as s3://BUCKET/FOLDER"
        raise InputError(message)
    return given if "://" in given else Path(given)


def device_file(given: Any, name: str) -> Path:
    """Return the path of a YAML file that describes a device.

    Raises
    ------
    InputError
        If it does not end in .yaml.
    """
    if not str(given).lower().endswith((".yaml", ".yml")):
        message = f"--{name} {given}: a device is described in a .yaml file"
        raise InputError(message)
    return Path(given)


def kind_of(gpu: str, hardware: Path | str | None) -> str:
    """Return what names the accelerator: the file of one's own device where one is given, else its name."""
    return gpu if hardware is None else str(hardware)


def seconds(value: float | str | None) -> float | None:
    """Return a time that `declared` has parsed, with its type [s]."""
    return typing.cast("float | None", value)


def number_of(value: float | str) -> float:
    """Return an amount that `declared` has parsed, with its type."""
    return typing.cast("float", value)


def day(value: dt.date | str | None) -> dt.date | None:
    """Return a date that `declared` has parsed, with its type."""
    return typing.cast("dt.date | None", value)


def file(value: Path | str | None) -> Path | None:
    """Return a path that `declared` has parsed, with its type."""
    return typing.cast("Path | None", value)


def needed(model: str | None) -> str:
    """Return the model of a function that may take it from a launch line.

    Raises
    ------
    InputError
        If there is none.
    """
    if not model:
        message = "--model: is missing; name a shipped model (`jevons models list`), a config.json, or a --serve line"
        raise InputError(message)
    return model


MODEL = Option(help="Model: a shipped name (`jevons models list`) or the path of a config.json", metavar="MODEL")
GPU = Option(help="Accelerator, such as h100_sxm or 'NVIDIA H100 80GB', or a YAML file of your own", metavar="NAME")
DEVICE = Option(help="Accelerator in any common spelling, or a YAML file of your own", metavar="NAME")
HARDWARE = Option(
    help="YAML file that describes an accelerator of your own",
    parse=device_file, metavar="FILE",
)  # fmt: skip
GPU_KINDS = Option(
    help="Accelerator, such as h100_sxm; or kinds of replicas with their number, such as h100_sxm:6,h20:4",
    metavar="NAME",
)
GPUS = Option(help="Number of accelerators", low=1, high=1_000_000)
MAX_REPLICA_GPUS = Option(help="Maximum accelerators of one replica", low=1, high=4096)
ENGINE = Option(help="Serving engine, such as vllm or vllm@0.13; `jevons engines` lists them", metavar="NAME")
ENGINE_VERSION = Option(
    help="Release of the engine, such as 0.11.0, as in vllm@0.11; the newest on file by default", metavar="RELEASE"
)
EAGER = Option(help="Run without captured graphs (--enforce-eager)")
PRECISION = Option(help="Precision of the weights: native (as shipped), bf16, fp8, int8 and others", metavar="NAME")
KV_PRECISION = Option(help="Precision of the KV cache: bf16, fp8 and others", metavar="NAME")
TP = Option(help="Tensor-parallel degree", low=1, high=4096)
PP = Option(help="Pipeline stages", low=1, high=4096)
EP = Option(help="Expert-parallel degree", low=1, high=4096)
DP = Option(help="Data-parallel degree", low=1, high=4096)
ISL = Option(help="Input tokens per request", unit="tokens", low=1, high=100_000_000)
OSL = Option(help="Output tokens per request", unit="tokens", low=1, high=100_000_000)
RATE = Option(help="Arrival rate", unit="req/s", above=0, high=1e9)
CONCURRENCY = Option(help="Concurrent users of a closed loop, in place of a rate", low=1, high=10_000_000)
REQUESTS = Option(help="Requests to simulate", low=1, high=200_000_000)
TTFT = Option(
    help="Limit on time to first token, such as 300ms", unit="s", above=0, high=1e6, parse=duration_s, metavar="TIME"
)
TPOT = Option(
    help="Limit on time per output token, such as 20ms", unit="s", above=0, high=1e6, parse=duration_s, metavar="TIME"
)
E2E = Option(
    help="Limit on end-to-end latency, such as 5s", unit="s", above=0, high=1e7, parse=duration_s, metavar="TIME"
)
MAX_NUM_SEQS = Option(help="Maximum requests running on a replica at once", low=1, high=1_000_000)
MAX_NUM_BATCHED_TOKENS = Option(help="Maximum tokens in one engine step", unit="tokens", low=1, high=1_048_576)
MAX_MODEL_LEN = Option(
    help="Longest sequence that is served, prompt and output; the model's own context by default", unit="tokens",
    low=1, high=100_000_000,
)  # fmt: skip
GPU_MEMORY_UTILIZATION = Option(
    help="Share of device memory that the engine may use; the engine's own by default", above=0, high=1
)
DP_ATTENTION = Option(help="Data-parallel ranks share one set of experts")
GPU_HOUR = Option(help="Price of an accelerator-hour with its currency, such as '2 USD'", metavar="PRICE")
SITE = Option(help="Site whose power, PUE and tariff are used: the prefix of its facts", metavar="ID")
UTILISATION = Option(help="Share of hours in which capacity is sold", low=0.01, high=1)
CURRENCY = Option(
    help="Currency of all money, at the latest rate on file: USD, CNY or EUR; that of prices given by default, or USD",
    choices=lambda: ("USD", "CNY", "EUR"), parse=lambda given, _: str(given).strip().upper(), metavar="CODE",
)  # fmt: skip
CALIBRATION = Option(help="Calibration file written by `jevons calibrate`", parse=path, metavar="FILE")
AS_OF = Option(help="Date of the information: nothing published later is visible", parse=date, metavar="YYYY-MM-DD")
PROCESSES = Option(help="Worker processes; one per core where not given", low=1, high=1024)
EXECUTOR = Option(help="Where the runs go: local or ray", choices=lambda: ("local", "ray"), metavar="NAME")
ADDRESS = Option(
    help="Ray cluster: auto, ray://HOST:PORT or HOST:PORT; one of this machine where not given", metavar="ADDRESS"
)
STORE = Option(
    help="Folder, or address such as s3://BUCKET/FOLDER, that keeps finished draws, so that a stopped run goes on",
    parse=store_place, metavar="FOLDER",
)  # fmt: skip
SEED = Option(help="Seed of all random streams", low=0, high=2**63 - 1)
SCENARIO = Option(help="Scenario file (YAML)", metavar="SCENARIO")
DRAWS = Option(help="Monte Carlo draws, 0 for none; the scenario's own number where not given", low=0, high=100_000)
TRACE = Option(
    help="Request trace of any known make, such as Azure, Mooncake, AIPerf, ShareGPT or OpenTelemetry, or a table with "
    "--map", parse=path, metavar="FILE",
)  # fmt: skip
MAP = Option(
    help="Name of a figure and the column or field that holds it, such as ttft='TTFT (ms)'; may be repeated",
    metavar="NAME=COLUMN",
)  # fmt: skip
REPLICAS = Option(help="Number of replicas", low=1, high=100_000)
ROUTING = Option(
    help="How the router picks a replica: round_robin, least_loaded, least_tokens, two_choices, prefix, session or "
    "adapter; a fleet's default is least_loaded, that of equal replicas round_robin",
    metavar="NAME",
)  # fmt: skip
KV_TOKENS = Option(help="Tokens that the KV cache of a replica holds", unit="tokens", low=16, high=10**12)
ISL_CV = Option(help="Coefficient of variation of lognormal input lengths", low=0, high=100)
OSL_CV = Option(help="Coefficient of variation of lognormal output lengths", low=0, high=100)
ARRIVALS = Option(help="Arrival process: poisson, gamma, bursts, constant or at_once", metavar="NAME")
CV = Option(help="Coefficient of variation of the gaps of gamma arrivals", low=0, high=1000)
THINK = Option(
    help="User think time between an answer and the next request", unit="s", low=0, high=1e6, parse=duration_s,
    metavar="TIME",
)  # fmt: skip
PREFIX_CACHE = Option(help="Reuse prompt prefixes that the trace's block hashes state")
RATE_STAGES = Option(
    help="Arrival rates in turn with their durations, such as 8:600s,20:600s", unit="req/s", metavar="STAGES"
)
PROMPTS = Option(
    help="Distinct prompts, sent in turn and found in the prefix cache; every request has its own where not given",
    low=1, high=10_000_000,
)  # fmt: skip
SYSTEM_TOKENS = Option(
    help="Tokens that begin every prompt and are found in the prefix cache", unit="tokens", low=0,
    high=10_000_000,
)  # fmt: skip
LOAD = Option(help="YAML file of request classes: shares, lengths, conversations, limits", parse=path, metavar="FILE")
LENGTHS_FROM = Option(help="Trace from which prompt and output lengths are drawn", parse=path, metavar="FILE")
SPEED = Option(help="Replay speed of a trace relative to its recording", above=0, high=1e9)
KEEP = Option(help="Share of a trace's requests to keep, drawn by the seed", above=0, high=1)
SWEEP_RATES = Option(help="Arrival rates to simulate one after another: 1,2,4 or 1:8:4", unit="req/s", metavar="RATES")
STALE = Option(
    help="Interval between load reports to the router", unit="s", low=0, high=1e6, parse=duration_s, metavar="TIME"
)
SLACK = Option(help="Extra queued requests tolerated for cache affinity; 32 where not given", low=0, high=1_000_000)
AUTOSCALE = Option(help="Minimum and maximum number of replicas under autoscaling, such as 2:10", metavar="MIN:MAX")
TARGET = Option(help="Unanswered requests per replica that autoscaling aims at", above=0, high=1e9)
COLD_START = Option(
    help="Replica start-up time; 120 s where not given", unit="s", low=0, high=1e7, parse=duration_s, metavar="TIME"
)
MTBF = Option(help="Mean time between failures of a replica", unit="h", low=1e-3, high=1e7)
REPAIR = Option(
    help="Time until a failed replica serves again; 600 s where not given", unit="s", low=0, high=1e8, parse=duration_s,
    metavar="TIME",
)  # fmt: skip
RETRIES = Option(help="Maximum retries of a request whose replica failed; 3 where not given", low=0, high=1000)
QUEUE_LIMIT = Option(help="Maximum requests waiting at a replica; more are rejected", low=1, high=10**9)
RATE_LIMIT = Option(help="Admitted requests per second, and a burst: 20 or 20:100; more are rejected", metavar="RATE")
OFFLINE_REQUESTS = Option(help="Batch requests without a deadline that fill idle capacity", low=1, high=100_000_000)
OFFLINE_BELOW = Option(help="Unanswered requests at a replica below which it takes batch work", low=1, high=10**9)
PREFILL_REPLICAS = Option(help="Replicas that only prefill; --replicas then only decode", low=1, high=100_000)
PREFILL_TP = Option(
    help="Tensor-parallel degree of the prefill replicas; that of the others where not given", low=1, high=4096
)
HOST_GB = Option(help="Host memory behind the KV cache, per accelerator", unit="GB", low=0, high=1e6)
SWAP = Option(help="Swap the KV cache of preempted requests to host memory instead of recomputing it")
DRAFT_TOKENS = Option(help="Draft tokens per step of speculative decoding", low=0, high=16)
DRAFT_ACCEPTANCE = Option(
    help="Probability that a draft token is accepted; the engine's where not given", low=0, high=0.999
)
CANDIDATES = Option(help="Candidate accelerators, separated by commas, such as h100_sxm,h20", metavar="NAMES")
FLEET_GPUS = Option(help="Maximum number of accelerators of the whole fleet", low=1, high=1_000_000)
SIZE_PRECISION = Option(
    help="Precision of the weights: auto (as shipped where quantised, else bf16 and fp8), native, bf16, fp8, int8 "
    "and others",
    metavar="NAMES",
)
LOAD_RATE = Option(help="Arrival rate to carry; 0 for one replica at full load", unit="req/s", low=0, high=1e9)
USERS = Option(help="Concurrent users, in place of a rate", low=0, high=10_000_000)
PERCENTILE = Option(help="Statistic that must meet the limits: mean, p50, p90, p95 or p99", metavar="NAME")
CONFIDENCE = Option(
    help="Probability of keeping the latency limits, by the errors of past predictions, of a recommended fleet",
    low=0.0, high=1.0,
)  # fmt: skip
STATIC = Option(help="Skip the simulation: latencies without queueing, for a first look")
RUNS = Option(help="Simulations of each finalist", low=1, high=100)
BUDGET = Option(help="Maximum cost of the accelerators per month, such as '300k CNY'", metavar="AMOUNT")
GPU_HOURS = Option(
    help="Price of an accelerator-hour, such as '2 USD', or by device, such as 'h20=8 CNY,h100_sxm=2 USD'",
    metavar="PRICES",
)


def words(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the parts of text separated by commas, or of a sequence of texts."""
    given = () if value is None else (value,) if isinstance(value, str) else tuple(value)
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


TOKENS = Option(help="Training tokens, such as 14.8T, or chinchilla for 20 per parameter", metavar="COUNT")
SEQ_LEN = Option(help="Tokens per sequence", unit="tokens", low=1, high=100_000_000)
BATCH = Option(
    help="Sequences per optimiser step; 1,024, or one for every four accelerators, where not given", low=1,
    high=10_000_000,
)  # fmt: skip
TRAIN_PRECISION = Option(
    help="Format of the matrix products: bf16, fp8, fp8_block, mxfp8, nvfp4 or mxfp4", metavar="NAME"
)
VPP = Option(help="Virtual pipeline stages per accelerator", low=1, high=4096)
CP = Option(help="Context-parallel degree: accelerators that share a sequence", low=1, high=4096)
ETP = Option(help="Tensor-parallel degree of routed experts", low=1, high=4096)
ZERO = Option(help="ZeRO stage: sharding of optimiser states, gradients and weights", low=0, high=3)
SHARD = Option(help="Replicas among which states are sharded (HSDP)", low=1, high=1_000_000)
STAGES = Option(help="Layers of each pipeline stage, such as 9,10,10,9", metavar="COUNTS")
OFFLOAD = Option(help="State kept in host memory: none, optimizer, activations or both", metavar="NAME")
OVERSUBSCRIPTION = Option(help="Injection over bisection bandwidth of the fabric", low=1, high=1000)
POD = Option(help="Neighbouring accelerators of a rail without oversubscription", low=0, high=1_000_000)
SCALE_TO = Option(help="Largest cluster of a scaling curve", low=1, high=1_000_000)
SITE_MW = Option(help="Power of the site for servers", unit="MW", above=0, high=1e6)
MACHINE_GPUS = Option(
    help="Accelerators of the machines, separated by commas; h20,h200_sxm where not given", metavar="NAMES"
)
TOKENS_PER_DAY = Option(
    help="Output tokens per day, such as 57M; 10M where neither this nor a rate is given", metavar="COUNT"
)
API = Option(
    help="API by the prefix of its facts, such as deepseek.reasoner; that of the model where not given", metavar="ID"
)
RENT = Option(help="Rent of an accelerator-hour by device, such as 'h20=6 CNY'", metavar="PRICES")
RENT_PROVIDER = Option(
    help="Whose rent on file counts, such as aws; the Chinese market's, else the latest, where not given",
    metavar="NAME",
)
RENT_TERM = Option(
    help="For how long rents bind: on_demand, 1y, 3y or spot; the latest on file where not given",
    choices=lambda: ("on_demand", "1y", "3y", "spot"), metavar="TERM",
)  # fmt: skip
OPEN_HOURS = Option(
    help="When the load comes and rented machines are paid: always, office (50 h a week) or scale-to-zero",
    choices=lambda: ("always", "office", "scale-to-zero"), metavar="NAME",
)  # fmt: skip
MACHINE_UNIT = Option(
    help="Smallest machine: gpu (1, 2, 4 or 8 accelerators) or node (whole servers)", choices=lambda: ("gpu", "node"),
    metavar="NAME",
)  # fmt: skip
YEARS = Option(help="Years over which machines are written off", unit="y")
MEAN_UTILISATION = Option(help="Mean load over the maximum load of the machines")
AVAILABILITY = Option(help="Share of hours in which a machine works")
STAFF = Option(help="Staff for own machines", unit="CNY a year")
CACHED = Option(help="Share of input tokens that the API bills as cached")
PRICE_CUT = Option(help="Fall of the API's price in a year")
PRESET = Option(help="What AI costs a small shop: restaurant or web-shop", metavar="NAME")
SHOPS = Option(help="Shops that share machines", low=1, high=100_000_000)
WORDS = Option(help="Words that the name must contain")
