"""Reads the launch line of a server into settings: flags, JSON values and files of settings."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.files import read_text
from jevons.files.shell import text_or_file
from jevons.files.written import file_named
from jevons.files.yaml_text import documents_of
from jevons.serving.launch.device import device_named
from jevons.serving.launch.flags import FLAGS, NEUTRAL, SHORT, SWITCHES, UNMODELLED
from jevons.serving.launch.types import Command
from jevons.serving.launch.words import commands_of
from jevons.units import COMMAND_LETTERS

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
_COUNT = re.compile(r"(-?(?:\d+(?:\.\d*)?|\.\d+))([kKmMgG]?)(?:i?[bB])?")
_LONGEST = 100_000
_ENDINGS = "sh|txt|ya?ml|bash|conf|env|cmd|ps1"
_NAMED = re.compile(r"[\w./~:@+-]*[A-Za-z][\w./~:@+-]*")
LONGER = {"VLLM_ALLOW_LONG_MAX_MODEL_LEN", "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN"}
"""Variables by which an engine takes a longer context than the model's config states."""
_SPANNING = re.compile(r"--(?:nnodes|node[-_]rank|headless|data[-_]parallel[-_]address|dist[-_]init[-_]addr)\b")
"""Flags of a server that runs on several machines, each of which starts it with the same words."""
_DEGREES, _MOST_DEGREE = {"tp", "pp", "dp", "ep"}, 4096


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and the flag that gave it, as it is written."""

    value: Any
    flag: str


@dataclass(slots=True, kw_only=True)
class LaunchLine:
    """What a launch line says.

    Parameters
    ----------
    engine, release : str
        Engine id; its release where an image or a requirement names it, else empty.
    settings : mapping of str to Setting
        By name: ``model``, ``tp``, ``max_model_len``, …; see `jevons.serving.launch.flags`.
    unmodelled, unknown : list of str
        Flags that change something that no prediction sees; flags that are not known.
    unread : list of str
        Files of settings that could not be read, with the reason.
    variables : mapping of str to str
        Environment variables set for the server.
    files : mapping of str to str
        Files that the text around the command writes, by path.
    device, no_device : str
        Id of the accelerator that the text around the command names; why none is taken of those that it names.
    """

    engine: str
    release: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    unmodelled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    no_device: str = ""

    def value(self, name: str, default: Any = None) -> Any:
        """Return the value of a setting."""
        setting = self.settings.get(name)
        return default if setting is None else setting.value

    @property
    def warning(self) -> str:
        """What of the line has no part in a prediction, in one sentence each; empty where all has."""
        known = [*FLAGS[self.engine], *NEUTRAL, *UNMODELLED]
        parts = []
        unmodelled = [*self.unmodelled, *unread_settings(self.settings)]
        if self.unknown:
            named = []
            for flag in dict.fromkeys(self.unknown):
                near = difflib.get_close_matches(flag.lstrip("-").replace("_", "-"), known, n=1, cutoff=0.75)
                named.append(f"{flag} (did you mean --{near[0]}?)" if near else flag)
            parts.append(f"not understood: {', '.join(named)}")
        if unmodelled:
            parts.append(f"without effect on a prediction: {', '.join(dict.fromkeys(unmodelled))}")
        parts += self.unread
        return f"--serve: {'; '.join(parts)}" if parts else ""


_READ_OF: Mapping[str, frozenset[str]] = {
    "compilation": frozenset({"level", "mode", "cudagraph_mode"}),
    "kv_cache": frozenset({
        "dtype", "free_gpu_memory_fraction", "enable_block_reuse", "max_tokens", "host_cache_size", "tokens_per_block",
    }),
    "graphs": frozenset(),
    "overrides": frozenset({"rope_scaling", "rope_parameters", "max_position_embeddings"}),
    "media": frozenset({"image", "video", "audio"}),
}  # fmt: skip
"""Entries of settings written in JSON or as counts that a prediction reads; of others all are read."""
EXPERT_KERNELS: Mapping[str, str] = {"auto": "", "marlin": "int4"}
"""Kernels for experts that a line may name, and the precision whose products run weights in MXFP4; of others nothing
is known."""
_UNREAD = frozenset({"draft_tree", "draft_branches", "poll_steps", "stream_tokens"})
"""Settings that are taken so that measured runs can be told apart, and that no prediction reads."""


def unread_settings(settings: Mapping[str, Setting]) -> list[str]:
    """Return the flags of settings, and the entries of those in JSON, that no prediction reads."""
    flags = [setting.flag for name, setting in settings.items() if name in _UNREAD and setting.value not in {0, 1}]
    experts = settings.get("expert_kernels")
    if experts is not None and experts.value not in EXPERT_KERNELS:
        flags.append(experts.flag)
    if "prompt_tokens" in settings and "chunked_prefill" not in settings:
        flags.append(settings["prompt_tokens"].flag)
    for name, read in _READ_OF.items():
        if name in settings:
            stated = settings[name]
            flags += [f"{stated.flag} {entry}" for entry in stated.value if str(entry) not in read]
    return flags


def read_launch(given: str | Path) -> LaunchLine:
    """Return what a launch line says: the line itself, or the path of a file that holds it.

    Raises
    ------
    InputError
        If it starts no server that is known, or a flag has a value that it cannot have.
    """
    text, folder = text_of(given)
    commands = commands_of(text)
    pools: dict[str, list[Command]] = {}
    for command in commands:
        pools.setdefault(_role(command), []).append(command)
    answering = pools.get("decode") or pools.get("")  # Dynamo names workers for prompts alone
    apart = "prefill" in pools and answering is not None
    line, copies = _server(answering if apart and answering else commands, folder, apart=apart)
    if apart:
        prompts, count = _server(pools["prefill"], folder, apart=True)
        line.settings["prefill_replicas"] = Setting(max(count, 1), "prefill pool")
        line.unread += [note for note in prompts.unread if note not in line.unread]
        degrees = [(prompts.value(name, 1), line.value(name, 1)) for name in ("tp", "pp", "dp", "ep", "dp_attention")]
        if degrees[0][0] != degrees[0][1]:
            line.settings["prefill_tp"] = Setting(prompts.value("tp", 1), "prefill pool")
        if any(own != other for own, other in degrees[1:]):
            line.unread.append(
                f"its prefill pool has ranks of its own, and is taken as TP {prompts.value('tp', 1)} alone"
            )
    if copies or apart:
        line.settings["replicas"] = Setting(max(copies, 1), "replicas")
    line.device, line.no_device = device_named(text)
    return line


def _role(command: Command) -> str:
    """Return whether a server only prefills or only decodes, as its flags or its place say; empty for both."""
    words = " ".join(command.words)
    told = re.search(r"--disaggregation[-_]mode[ =](prefill|decode)\b", words)
    if told:
        return told[1]
    if re.search(r"--is[-_]prefill[-_]worker\b|[\"']?kv_role[\"']?\s*:\s*[\"']?kv_producer", words):
        return "prefill"
    if re.search(r"--is[-_]decode[-_]worker\b|[\"']?kv_role[\"']?\s*:\s*[\"']?kv_consumer", words):
        return "decode"
    return command.role


def _server(commands: Sequence[Command], folder: Path, *, apart: bool) -> tuple[LaunchLine, int]:
    """Return what the first of several commands says, and how many equal ones run; in a pool each counts."""
    command, *others = commands
    line = LaunchLine(engine=command.engine, release=command.release, variables=command.variables, files=command.files)
    _read_words(line, command.words, folder)
    line.unmodelled += command.unseen
    if command.program:
        line.unread.append(f"{command.program} has no measured factors, and those of the generic engine are taken")
    own = (name for name in command.variables if re.match(r"(?:VLLM|SGLANG|SGL|TRTLLM|AITER)_", name))
    line.unmodelled += [name for name in own if name not in LONGER]
    unlike, least = False, 1 if apart else 0
    copies = max(command.replicas, least)
    for other in others:
        beside = LaunchLine(engine=other.engine, files=other.files)
        _read_words(beside, other.words, folder, strict=False)
        equal = (beside.engine, _values(beside)) == (line.engine, _values(line))
        unlike = unlike or not equal
        if equal and not _SPANNING.search(" ".join(other.words)):
            copies += max(other.replicas, least)
    if unlike:
        line.unread.append("starts servers that differ, and the first is taken; give one at a time")
    if apart:
        line.unmodelled = [flag for flag in line.unmodelled if not _SPLITTING.match(flag)]
    return line, copies


_SPLITTING = re.compile(r"--(?:disaggregation[-_]mode|is[-_](?:prefill|decode)[-_]worker|kv[-_]transfer[-_]config)$")


def _values(line: LaunchLine) -> dict[str, Any]:
    return {name: setting.value for name, setting in line.settings.items()}


def settings_of(text: str, engine: str) -> LaunchLine:
    """Return what flags say that stand without a command, or within one whose end is cut; faults are left out."""
    line = LaunchLine(engine=engine if engine in FLAGS else "vllm")
    _read_words(line, re.findall(r"[^\s\[\]]+", text), Path(), strict=False)
    return line


def text_of(given: str | Path) -> tuple[str, Path]:
    """Return a launch line, read where it is the path of a file, and the folder that its own files lie in.

    Raises
    ------
    InputError
        If it is too long, or names a script that is not there.
    """
    return text_or_file(given, "--serve", most=_LONGEST, endings=_ENDINGS, instead="the line itself in quotes")


def _read_words(line: LaunchLine, words: Sequence[str], folder: Path, *, strict: bool = True) -> None:
    files: list[Setting] = []
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not re.match(r"--?[A-Za-z]", word):
            if "model" not in line.settings and line.engine != "sglang" and _NAMED.fullmatch(word):
                line.settings["model"] = Setting(word, word)
            elif word.startswith("$") and strict:
                line.unread.append(f"{word[:60]} has no value here, and is left out")
            continue
        name, value = _split(line.engine, word)
        base = name.split(".")[0]
        kind = _kind(line.engine, base)
        following = words[place] if place < len(words) else None
        if value is None and following is not None and _takes(kind, following):
            value, place = following, place + 1
            while kind == "json" and value.count("{") > value.count("}") and place < len(words):
                value, place = f"{value} {words[place]}", place + 1  # JSON whose quotes a shell has eaten
        try:
            _take(line, word.split("=")[0], name, value, files)
        except InputError:
            if strict:
                raise
    for setting in files:
        _read_file(line, setting, folder)
    ranks = line.settings.pop("attn_dp", None)
    if ranks is not None and ranks.value > 1:  # SGLang's newer name for --dp-size with --enable-dp-attention
        line.settings["dp"] = ranks
        line.settings["dp_attention"] = Setting(value=True, flag=ranks.flag)


def _split(engine: str, word: str) -> tuple[str, str | None]:
    """Return a flag's name in its usual spelling, and the value that it carries after ``=``."""
    name, mark, value = word.partition("=")
    if name.startswith("--"):
        base, dot, rest = name[2:].partition(".")
        base = base.replace("_", "-")
        return _full(engine, base.lower() if engine == "trtllm" else base) + dot + rest, value if mark else None
    short = SHORT[engine]
    base, dot, rest = name[1:].partition(".")
    if base in short:
        return short[base] + dot + rest, value if mark else None
    attached = re.fullmatch(r"(tp|pp|dp|O)(\d+)", base)
    if attached and attached[1] in short and not mark:
        return short[attached[1]], attached[2]
    return name, value if mark else None


def _full(engine: str, name: str) -> str:
    """Return the flag that a name means: itself, or the one that it begins, as the engines' parsers allow."""
    known = FLAGS[engine]
    if name in known or name in NEUTRAL or name in UNMODELLED or len(name) < 6:
        return name
    meant = {known[flag] for flag in known if flag.startswith(name)}
    return next(flag for flag in known if flag.startswith(name)) if len(meant) == 1 else name


def _kind(engine: str, name: str) -> str:
    if name in FLAGS[engine]:
        return FLAGS[engine][name][1]
    return "on" if name in SWITCHES or name.startswith(("no-", "disable-")) else ""


def _takes(kind: str, following: str) -> bool:
    """Return whether the next word is the value of a flag."""
    if kind in {"on", "off"}:
        return following.lower() in _TRUE | _FALSE
    return not re.match(r"--?[A-Za-z]", following)


def _take(line: LaunchLine, flag: str, name: str, value: str | None, files: list[Setting]) -> None:
    """Take one flag into the settings of a line."""
    base, _, inner = name.partition(".")
    known = FLAGS[line.engine].get(base)
    if known is None:
        _note(line, flag, base, value)
        return
    setting, kind = known
    if kind in {"on", "off"}:
        stated = (value or "true").lower() not in _FALSE
        line.settings[setting] = Setting(stated == (kind == "on"), flag)
        return
    if value is None:
        message = f"--serve: {flag} has no value; give one"
        raise InputError(message)
    if kind == "file":
        files.append(Setting(value, flag))
    elif kind in {"json", "counts"}:
        listed = line.value(setting, {})
        record = _record(value.replace("=", ":") if kind == "counts" else value, inner)
        if not record and not re.fullmatch(r"[\"']*\{\s*\}[\"']*|null|none|auto", value.strip().lower()):
            message = f"--serve: {flag} {value}: is no JSON object; write it like '{{\"name\": value}}'"
            raise InputError(message)
        line.settings[setting] = Setting({**listed, **record}, flag)
    elif kind == "text":
        line.settings[setting] = Setting(value, flag)
    else:
        _take_number(line, flag, setting, kind, value)


def _note(line: LaunchLine, flag: str, base: str, value: str | None) -> None:
    """Note a flag that sets nothing here: not modelled, or unknown."""
    base = base if base in NEUTRAL or base in UNMODELLED else base.removeprefix("no-")
    if base in UNMODELLED:
        if (value or "").lower() not in _FALSE:
            line.unmodelled.append(flag)
    elif base not in NEUTRAL:
        line.unknown.append(flag)


def _take_number(line: LaunchLine, flag: str, setting: str, kind: str, value: str) -> None:
    """Take a flag whose value is a number, a count or a fraction."""
    number = _number(value)
    if setting == "max_model_len" and line.engine == "vllm" and (number == -1 or value.lower() == "auto"):
        line.settings["shortened"] = Setting(value=True, flag=flag)
        return
    if number is None:
        if value.lower() in {"auto", "none", "null"}:
            return
        wanted = f"must be a number, such as {'0.9' if kind == 'frac' else '8192 or 32k'}"
        if re.match(r"\$[\w{@*#]", value):
            wanted = "the variable has no value here; write its value in its place"
        message = f"--serve: {flag} {value}: {wanted}"
        raise InputError(message)
    unset = setting == "ep" and number == -1  # TensorRT-LLM's own default
    if setting in _DEGREES and not unset and not 1 <= number <= _MOST_DEGREE:
        message = f"--serve: {flag} {value}: must be from 1 to {_MOST_DEGREE:,}"
        raise InputError(message)
    if kind == "count" and number % 1:
        message = f"--serve: {flag} {value}: must be a whole number"
        raise InputError(message)
    if number >= 0:
        line.settings[setting] = Setting(number if kind == "frac" else round(number), flag)
    elif setting == "step_tokens_all":  # SGLang's way to take prompts whole
        line.settings["chunked_prefill"] = Setting(value=False, flag=flag)
    elif not unset:
        line.unread.append(f"{flag} {value}: is below 0, and is taken as not set")


def _number(value: str) -> float | None:
    stated = _COUNT.fullmatch(value.strip())
    return None if stated is None else float(stated[1]) * COMMAND_LETTERS.get(stated[2], 1)


def _record(value: str, inner: str) -> dict[str, Any]:
    """Return the mapping of a JSON value, also one that lost its quotes to a shell, or of one dotted entry."""
    if inner:
        nested = _record(value, "") if value.lstrip().startswith("{") else {}
        return {inner.replace("-", "_"): nested or _plain(value)}
    try:
        record = json.loads(value)
    except (ValueError, RecursionError):
        pairs = re.findall(r"[\"']?([A-Za-z_]\w*)[\"']?\s*:\s*[\"']?([^,\"'{}\[\]\s]+)", value)
        record = {name: _plain(text) for name, text in pairs}
        if not record and value.strip().isdigit():
            record = {"level": int(value)}
    return record if isinstance(record, dict) else {}


def _plain(text: str) -> Any:
    number = _number(text)
    if number is not None:
        return number if number % 1 else int(number)
    return True if text.lower() == "true" else False if text.lower() == "false" else text


def _read_file(line: LaunchLine, setting: Setting, folder: Path) -> None:
    """Take the settings of a YAML file; what the line itself says goes before."""
    path = folder / str(setting.value)
    beside = file_named(str(setting.value), line.files)
    try:
        documents = documents_of(read_text(path) if beside is None else beside)
    except (InputError, ValueError, OSError):
        documents = []
    if not documents:
        line.unread.append(f"{setting.flag} {setting.value}: cannot be read, so its settings are not taken")
        return
    own = dict(line.settings)
    for name, value in _entries(documents[0]):
        _take_entry(line, name, value)
    line.settings.update(own)


def _entries(document: Any) -> Iterator[tuple[str, Any]]:
    for name, value in document.items() if isinstance(document, dict) else ():
        yield str(name).replace("_", "-"), value


def _take_entry(line: LaunchLine, name: str, value: Any) -> None:
    known = FLAGS[line.engine].get(name)
    if value is None:
        return
    if known is not None and known[1] == "json" and isinstance(value, dict):
        line.settings[known[0]] = Setting({**line.value(known[0], {}), **value}, name)
        return
    if isinstance(value, dict | list):
        if name not in NEUTRAL:
            (line.unmodelled if name in UNMODELLED else line.unknown).append(name)
        return
    _take(line, name, name, str(value), [])
