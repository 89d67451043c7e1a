"""Makes the command of a declared function: its options come from the function's signature, its output from the result.

Every command made so takes ``--json``, ``--format``, ``--detail`` and ``--out`` too, opens with the answer in a
sentence, and prints the result's tables; those that answer a second question only with ``--detail``.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
import types
import typing
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.figures import PICTURES, draw
from jevons.cli.output import check_inputs, check_out, forced, named_path, note
from jevons.cli.printed import print_result
from jevons.cli.progress import Progress, progress
from jevons.errors import InputError, InputNote, InputWarning
from jevons.options import Declared, bare_time, call_parsed, parameters
from jevons.options.numbers import number_of_text

if TYPE_CHECKING:
    from jevons.results import Result

FORMATS = ("table", "csv", "md", "json")
OUTPUT_ENDINGS = (".json", ".csv", ".parquet", ".xlsx", ".html", ".zip")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Format = Annotated[str, typer.Option("--format", metavar="FORM", help="Output format: table, csv, md or json.")]
Detail = Annotated[bool, typer.Option("--detail", help="Print every table.")]
Plot = Annotated[
    Path | None, typer.Option("--plot", help="Draw the result: .svg, .png or .pdf.", metavar="FILE", parser=named_path)
]
Explain = Annotated[
    list[str] | None,
    typer.Option("--explain", help="Path of a figure whose formulas and facts are printed.", metavar="PATH"),
]
Emit = Annotated[
    Path | None,
    typer.Option(
        "--emit", help="Also write launch commands, manifests and load tests to DIR.", metavar="DIR", parser=named_path
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language", help="Language of the page that --out FILE.html writes: en or zh (default en).", metavar="CODE"
    ),
]

NamedModel = Annotated[
    str | None, typer.Argument(help="The same as --model MODEL.", metavar="MODEL", show_default=False)
]


def command(
    function: Callable[..., Result],
    *,
    arguments: tuple[str, ...] = (),
    endings: tuple[str, ...] = OUTPUT_ENDINGS,
    plots: bool = False,
    before: Callable[[dict[str, Any]], None] | None = None,
    after: Callable[[Any], None] | None = None,
    also: Mapping[str, Any] | None = None,
    instead: Mapping[str, tuple[Any, Callable[..., Result]]] | None = None,
    explains: bool = False,
    out: Path | None = None,
    counted: bool = False,
    emits: bool = False,
) -> Callable[..., None]:
    """Return the command of a declared function.

    Parameters
    ----------
    function : callable
        Declared function that returns a result.
    arguments : tuple of str
        Parameters that stand without a flag, in this order; all others are options.
    endings : tuple of str
        Endings that ``--out`` takes.
    plots : bool
        Whether the result has a picture, which ``--plot`` draws.
    before : callable, optional
        Checks or completes what was given, by argument name, before the function runs; takes out what *also* adds.
    after : callable, optional
        Says more of the result on standard error.
    also : mapping of str to annotation, optional
        Switches that the command has and the function has not, by name.
    instead : mapping of str to annotation and function, optional
        Switches by name that run another declared function, with those options that it has.
    explains : bool
        Whether ``--explain`` prints the formulas and facts behind figures in place of the tables.
    out : path, optional
        Where ``--out`` writes when it is not given.
    counted : bool
        Whether the function tells its progress as step, done and total, which a terminal shows on one line.
    emits : bool
        Whether the result writes a folder of files that run it, with ``--emit``.
    """
    own = parameters(function)
    names_model = not arguments and any(parameter.name == "model" for parameter in own)
    several = {parameter.flag for parameter in own if parameter.several or _takes_several(parameter)} | {"explain"}
    files = [p.name for p in own if p.option.metavar == "FILE" and p.option.expand is None]  # others may be lines
    default_out = out

    def run(**given: Any) -> None:
        context = given.pop("ctx", None)
        model = given.pop("named_model", None)
        if model is not None:
            given["model"] = _one_model(model, given.get("model"), context)
        if before is not None:
            before(given)
        json, form, detail, out = (given.pop(name) for name in ("json", "form", "detail", "out"))
        language = given.pop("language", None)
        plot, paths = given.pop("plot", None), given.pop("explain", None) or ()
        folder = given.pop("emit", None)
        check_format(form)
        check_out(out, endings)
        check_page_language(language, out)
        check_out(plot, PICTURES, option="--plot")
        check_folder(folder)
        check_apart({"--out": out, "--plot": plot, "--emit": folder, "--store": given.get("store")})
        check_inputs({name: given.get(name) for name in files})
        chosen = function
        for name, (_, other) in (instead or {}).items():
            chosen = other if given.pop(name) else chosen
        said = [*_repeated(several), *_times(own, given, context)]
        stated = _stated(own, given, context) | ({} if model is None else {"model": given["model"]})
        result = _called(chosen, stated, said, counted=counted)
        if after is not None:
            after(result)
        explained = {path: result.explain(path) for path in paths}
        draw(plot, result, result.picture)
        if folder is not None:
            result.emit(folder, force=forced())  # type: ignore[attr-defined]
            note(f"wrote {folder}")
        doubts = tuple(dict.fromkeys(said))
        for doubt in doubts:
            note(f"warning: {doubt}")
        form = "json" if json else form
        print_result(
            result, form=form, detail=detail, out=out, language=language or "en", warnings=doubts, explained=explained
        )

    switches = {**(also or {}), **{name: kind for name, (kind, _) in (instead or {}).items()}}
    shared: list[tuple[str, Any, Any]] = [(name, kind, False) for name, kind in switches.items()]
    shared += [("explain", Explain, None)] if explains else []
    shared += [("plot", Plot, None)] if plots else []
    shared += [("emit", Emit, None)] if emits else []
    shared += [("json", Json, False), ("form", Format, "table"), ("detail", Detail, False)]
    shared += [("out", _out(endings), default_out)]
    shared += [("language", Language, None)] if ".html" in endings else []
    shared += [("named_model", NamedModel, None)] if names_model else []
    signature = _signature(own, arguments, shared)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    run.__name__ = function.__name__.rstrip("_")
    run.declared = own  # type: ignore[attr-defined]  # for the reference, which states bounds
    run.__doc__ = _about(function, own, arguments)
    return run


def _signature(
    own: Iterable[Declared], arguments: tuple[str, ...], shared: Iterable[tuple[str, Any, Any]]
) -> inspect.Signature:
    """Return what typer reads: the function's own options, and those of commands (name, kind, default)."""
    alone = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [_parameter(parameter, argument=parameter.name in arguments) for parameter in own]
        + [inspect.Parameter(name, alone, default=default, annotation=kind) for name, kind, default in shared]
        + [inspect.Parameter("ctx", alone, annotation=typer.Context)]
    )


def _one_model(named: str, option: Any, context: typer.Context | None) -> str:
    """Return the model that stands without a flag; refuse another one by ``--model``."""
    source = None if context is None else context.get_parameter_source("model")
    if source is not None and source.name == "COMMANDLINE" and str(option) != named:
        message = f"--model {option}: the line also names {named}; give one model"
        raise InputError(message)
    if _is_accelerator(named):
        message = f"{named}: is an accelerator, not a model; write --gpu {named}"
        raise InputError(message)
    return named


def _is_accelerator(name: str) -> bool:
    """Return whether a name is no shipped model's, and an accelerator's."""
    from jevons import models
    from jevons.hardware.names import device_id

    try:
        models.resolve(name)
    except InputError:
        with contextlib.suppress(InputError):
            return bool(device_id(name))
    return False


def _out(endings: Sequence[str]) -> Any:
    """Return the option ``--out`` of a command, whose help names the endings that it takes."""
    *others, last = endings
    named = f"{', '.join(others)} or {last}" if others else last
    about = f"Also write to FILE, in the format of its suffix: {named}."
    return Annotated[Path | None, typer.Option("--out", help=about, metavar="FILE", parser=named_path)]


def _about(function: Callable[..., Result], own: Iterable[Declared], arguments: tuple[str, ...]) -> str:
    """Return what a function's docstring says before its sections, with the flags of a command for its arguments."""
    text = (inspect.getdoc(inspect.unwrap(function)) or "").partition("\n\nReturns\n")[0]
    for parameter in own:
        word = (
            (parameter.option.metavar or parameter.name.upper())
            if parameter.name in arguments
            else f"--{parameter.flag}"
        )
        text = re.sub(rf"(?<!`)`{parameter.name}`(?!`)", word, text)
    return text.replace("``", "`")


def _stated(own: Iterable[Declared], given: dict[str, Any], context: typer.Context | None) -> dict[str, Any]:
    """Return what was given, without defaults where a launch line or the like says what they are."""
    expanded = any(parameter.option.expand is not None and given.get(parameter.name) for parameter in own)
    if not expanded or context is None:
        return given

    def default(name: str) -> bool:
        source = context.get_parameter_source(name)
        return source is not None and source.name.startswith("DEFAULT")

    return {name: value for name, value in given.items() if not default(name)}


def _repeated(several: set[str]) -> list[str]:
    """Say which options of one value are given several times: the last counts, which a long line hides."""
    flags = [word.partition("=")[0] for word in sys.argv[1:] if re.match("--[a-z]", word)]
    return [
        f"{flag} is given {count} times; the last counts"
        for flag, count in Counter(flags).items()
        if count > 1 and flag.removeprefix("--") not in several
    ]


def _times(own: Iterable[Declared], given: Mapping[str, Any], context: typer.Context | None) -> list[str]:
    """Say in which unit times without one are taken; return those that are unlikely."""
    doubts = []
    for parameter in own:
        source = None if context is None else context.get_parameter_source(parameter.name)
        if parameter.name in given and source is not None and source.name == "COMMANDLINE":
            text, unlikely = bare_time(given[parameter.name], parameter)
            if unlikely:
                doubts.append(text)
            elif text:
                note(text)
    return doubts


def _called(function: Callable[..., Result], given: Mapping[str, Any], said: list[str], *, counted: bool) -> Result:
    """Return what a function makes of those options that it has, its progress on a terminal's standard error.

    What it warns of in its input goes to *said*.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", InputWarning)
        try:
            return _run(function, given, counted=counted)
        finally:
            for sentence in told:
                if issubclass(sentence.category, InputNote):
                    note(str(sentence.message))
                elif issubclass(sentence.category, InputWarning):
                    said.append(str(sentence.message))


def _run(function: Callable[..., Result], given: Mapping[str, Any], *, counted: bool) -> Result:
    known = inspect.signature(function).parameters
    own = {name: value for name, value in given.items() if name in known}
    if "progress" not in known:
        return call_parsed(function, own)
    steps = Progress()
    with progress() as told:
        try:
            return call_parsed(function, own | {"progress": given.get("progress") or (steps if counted else told)})
        finally:
            steps.end()


def _takes_several(parameter: Declared) -> bool:
    """Return whether an option may be given several times."""
    kinds = [kind for kind in typing.get_args(parameter.type) if kind is not type(None)] or [parameter.type]
    several = any(typing.get_origin(each) in {tuple, list} for each in kinds)
    return several or (len(kinds) == 1 and typing.get_origin(kinds[0]) is Sequence)


def _parameter(declared: Declared, *, argument: bool) -> inspect.Parameter:
    """Return a parameter that typer understands: text where the option parses it, else the plain type."""
    option = declared.option
    optional = type(None) in typing.get_args(declared.type)
    kinds = [kind for kind in typing.get_args(declared.type) if kind is not type(None)] or [declared.type]
    kind = str if option.parse is not None or len(kinds) > 1 else kinds[0]
    parser: Callable[[str], Any] | None = named_path if kind is Any else None  # of an object, a command gets its file
    parser = parser or _number_parser(declared)
    kind = Path if kind is Any else kind
    several = declared.several or _takes_several(declared)
    if isinstance(declared.type, types.GenericAlias) or several:
        kind = list[str]
    required = declared.default is inspect.Parameter.empty
    default = None if required else declared.default
    text = option.text()
    if default not in {None, ""} and not isinstance(default, bool) and not several:
        text = (
            f"{text.rstrip('.')} (default {default:g})"
            if isinstance(default, float)
            else f"{text.rstrip('.')} (default {default})"
        )
    text = f"{text}."
    metavar = option.metavar or (
        f"<{declared.number.__name__}>" if declared.number is not None and not argument else None
    )
    if argument:
        info: Any = typer.Argument(
            help=text, metavar=metavar or declared.name.upper(), show_default=False, parser=parser
        )
    elif kind is bool:
        info = typer.Option(f"--{declared.flag}", help=text, show_default=False)
    else:
        info = typer.Option(f"--{declared.flag}", help=text, metavar=metavar, show_default=False, parser=parser)
    hint: Any = Annotated[kind | None if optional or (default is None) else kind, info]
    if kind is str and not required and default is not None:
        default = f"{default:g}" if isinstance(default, float) else str(default)
    place = inspect.Parameter.KEYWORD_ONLY
    empty = inspect.Parameter.empty if required else default
    return inspect.Parameter(declared.name, place, default=empty, annotation=hint)


def _number_parser(parameter: Declared) -> Callable[[str], Any] | None:
    """Return what reads a number as people write it; None where an option is no plain number."""
    if parameter.number is None:
        return None
    return lambda text: number_of_text(str(text), parameter.option, parameter.flag, whole=parameter.number is int)


def check_folder(folder: Path | None) -> None:
    """Refuse a folder that could not be written, before any work is done.

    Raises
    ------
    InputError
        Saying why, and what would be right.
    """
    if folder is None:
        return
    from jevons.deploy.write import folder_problem

    if problem := folder_problem(folder, force=forced()):
        message = f"--emit {folder}: {problem}"
        raise InputError(message)


def check_apart(outputs: Mapping[str, Path | str | None]) -> None:
    """Refuse two options that would write to one place, before any work is done.

    Raises
    ------
    InputError
        Naming both.
    """
    places: dict[str, str] = {}
    for option, path in outputs.items():
        if path is None or "://" in str(path):
            continue
        place = os.path.realpath(path)
        if place in places:
            message = f"{option} {path}: {places[place]} writes there too; name another"
            raise InputError(message)
        places[place] = option


def check_format(form: str) -> None:
    """Refuse an unknown form of output.

    Raises
    ------
    InputError
        Naming those that are known.
    """
    if form not in FORMATS:
        message = f"--format {form}: unknown. Known: {', '.join(FORMATS)}."
        raise InputError(message)


def check_page_language(language: str | None, out: Path | None) -> None:
    """Refuse an unknown language of a page, and one without a page.

    Raises
    ------
    InputError
        Saying what would be right.
    """
    if language is None:
        return
    from jevons.words import check_language

    check_language(language)
    if out is None or out.suffix.lower() != ".html":
        message = f"--language {language}: has no effect without --out FILE.html; add it"
        raise InputError(message)
