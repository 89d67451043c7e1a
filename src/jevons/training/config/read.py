"""Reads what a trainer is given: a YAML, TOML or JSON file, or the line or script that starts it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons.errors import InputError
from jevons.files import read_text
from jevons.files.shell import as_typed, shell_commands, text_or_file
from jevons.files.written import as_script, file_named, without_files
from jevons.files.yaml_text import documents_of
from jevons.training.config.jobs import GPUS, NODES, scripts_of
from jevons.training.config.keys import KEYS, LAUNCHERS, NEUTRAL, NEUTRAL_TABLES, PROGRAMS, UNMODELLED
from jevons.training.config.meshes import settle_maxtext, settle_nanotron
from jevons.training.config.python_script import python_keys
from jevons.training.config.torchtune import settle, shipped, tune_run
from jevons.training.config.types import TrainingText

_LONGEST = 200_000
_DEEPEST = 12
_LARGEST = 1e15
_ENDINGS = "ya?ml|json|toml|sh|txt|bash|slurm|sbatch|conf|py"
_TELLING: tuple[tuple[str, str], ...] = (
    ("torchtune", r"\w+\._component_"),
    ("axolotl", r"base_model|sequence_len"),
    ("nanotron", r"tokens\.(?:micro_batch_size|batch_accumulation_per_replica)"),
    ("maxtext", r"max_target_length|per_device_batch_size|remat_policy|base_num_decoder_layers|ici_\w+_parallelism"),
    ("torchtitan", r"model\.flavor|parallelism\.\w+|training\.(?:local_batch_size|data_parallel_\w+)"),
    ("nemo", r"trainer\.(?:devices|num_nodes)|model\.(?:tensor_model_parallel_size|micro_batch_size)"),
    ("megatron", r"(?:tensor|pipeline)[-_]model[-_]parallel[-_]size|micro[-_]batch[-_]size|num[-_]attention[-_]heads"),
    ("llamafactory", r"finetuning_type|cutoff_len"),
    ("swift", r"train_type|tuner_type|quant_bits"),
    ("trainer", r"model_name_or_path|per_device_train_batch_size|num_train_epochs"),
    ("deepspeed", r"zero_optimization\.\w+|train_micro_batch_size_per_gpu|zero_optimization"),
    ("accelerate", r"compute_environment|distributed_type|deepspeed_config\.\w+"),
)
"""Keys by which a program's files and lines are told from the others', the surest first."""
_COMMANDS = {"llamafactory-cli": "llamafactory", "axolotl": "axolotl", "swift": "swift"}
_BASE = re.compile(r"(?:^|/)base\.ya?ml$")
"""MaxText's file of defaults, which every line of it names."""
_COUNTED = {
    "node_gpus": ("NPROC_PER_NODE", "NGPU", "GPUS_PER_NODE", "SLURM_GPUS_ON_NODE", "SLURM_GPUS_PER_NODE", GPUS),
    "nodes": ("NNODES", "SLURM_NNODES", NODES),
}
"""Variables that count the accelerators of a machine, and machines; those that a job sets come last."""
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1", ""}), frozenset({"false", "no", "off", "0", "none", "null"})
EXAMPLES = (
    "llamafactory-cli train sft.yaml", "axolotl train lora.yml",
    "tune run --nproc_per_node 8 full_finetune_distributed --config llama3_1/8B_full batch_size=4 …",
    "torchrun --nproc_per_node 8 pretrain_gpt.py --tensor-model-parallel-size 2 --micro-batch-size 1 …",
    "deepspeed --num_gpus 8 train.py --model_name_or_path meta-llama/Llama-3.1-8B --deepspeed ds_z3.json …",
)  # fmt: skip


def read_training(given: str | Path) -> TrainingText:
    """Return what a trainer's file or launch line says.

    Raises
    ------
    InputError
        If it is too long, names a file that is not there, is of no program that is known, or a key has a value that it
        cannot have.
    """
    text, folder = text_or_file(
        given, "--config", most=_LONGEST, endings=_ENDINGS, instead="the launch line in quotes"
    )  # fmt: skip
    settings = python_keys(text) or _settings_of(text)
    program = "" if settings is None else _program_of(settings)
    if settings is not None and program:
        told = TrainingText(program=program)
        _take_all(told, settings, folder, {})
        _settle(told)
        return told
    for script in (text,) if settings is None else scripts_of(documents_of(text)):
        plain, files = without_files(as_script(as_typed(script)))
        for words, variables in shell_commands(plain, "config"):
            line = _line(words, {**variables}, folder, files)
            if line is not None:
                return line
    raise _unknown(text)


def _unknown(text: str) -> InputError:
    shown = " ".join(text.split())
    return InputError(
        f"--config {shown if len(shown) <= 60 else shown[:57] + '…'}: is of no trainer that is read. Read are files "
        f"and launch lines of {', '.join(PROGRAMS.values())}, such as:\n" + "\n".join(f"  {line}" for line in EXAMPLES)
    )


def _settings_of(text: str) -> dict[str, Any] | None:
    """Return the keys of a file with those of tables joined by dots; None where the text is a line or a script."""
    if re.search(r"(?m)^\s*\[[\w.\"]+\]\s*$", text) and "=" in text:
        try:
            return dict(_flat(tomllib.loads(text), ""))
        except tomllib.TOMLDecodeError as error:
            message = f"--config: is no valid TOML: {error}"
            raise InputError(message) from None
    if not text.lstrip().startswith("{") and not re.search(
        r"(?m)^[ \t{]*[\"']?[A-Za-z_][\w.-]*[\"']?[ \t]*:(?:[ \t]|$)", text
    ):
        return None
    documents = documents_of(text)
    document = documents[0] if len(documents) == 1 else None
    if not isinstance(document, dict):
        return None
    return dict(_flat(document, ""))


def _flat(table: Mapping[Any, Any], before: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(value, f"{key}.", depth + 1)
        elif value is not None:
            yield key, value


def _program_of(settings: Mapping[str, Any]) -> str:
    """Return the program that a file is of; empty for others."""
    for program, pattern in _TELLING:
        if any(re.fullmatch(pattern, key) for key in settings):
            return program
    return ""


def _line(
    words: Sequence[str], variables: Mapping[str, str], folder: Path, files: Mapping[str, str]
) -> TrainingText | None:
    """Return what one command says; None where it starts no trainer that is known."""
    tuned = tune_run(words)
    if tuned is not None:
        return _tuned(*tuned, variables, folder, files)
    launcher, before, rest = _launched(words)
    own = dict(_flags(rest[2:] if rest[:1] == ["-m"] else rest))
    stated = next((word for word in rest if re.search(r"\.(?:ya?ml|toml|json)$", word) and "=" not in word), "")
    named = (own.pop(key) for key in ("job.config_file", "config-file", "config_file", "config") if key in own)
    stated = str(next(named, stated)) or variables.get("CONFIG_FILE", "")
    names = [word.rsplit("/", 1)[-1] for word in rest[:4]]
    known = next((_COMMANDS[name] for name in names if name in _COMMANDS), "")
    if "axolotl.cli.train" in rest[:4]:
        known = "axolotl"
    if names[:2] in (["megatron", "sft"], ["megatron", "pt"], ["megatron", "rlhf"]):
        known = "megatron-swift"
    held: dict[str, Any] = {}
    if stated and stated not in own.values() and not (_BASE.search(stated) and _program_of(own) == "maxtext"):
        held = _beside(stated, folder, files)
    keys = {**held, **own}
    program = known or _program_of(keys)
    if not program:
        return None
    told = TrainingText(program=program)
    _take_launch(told, launcher, before, variables, folder, files)
    _take_all(told, own, folder, files, dashes="--")
    _take_all(told, held, folder, files)
    _settle(told)
    return told


def _settle(told: TrainingText) -> None:
    """Turn what a program says in its own way into the settings of all."""
    if told.program == "torchtune":
        settle(told, "")
    elif told.program == "maxtext":
        settle_maxtext(told)
    elif told.program == "nanotron":
        settle_nanotron(told)
    if str(told.value("distributed", "")).upper() == "FSDP":
        told.take("fsdp", ["full_shard"], told.key("distributed"))


def _tuned(
    flags: Sequence[str], recipe: str, rest: Sequence[str], variables: Mapping[str, str], folder: Path,
    files: Mapping[str, str],
) -> TrainingText:  # fmt: skip
    """Return what a ``tune run`` says: its own words first, then the file that it names or a config that ships."""
    told = TrainingText(program="torchtune")
    own = dict(_flags(rest))
    stated = str(own.pop("config"))
    _take_launch(told, "torchrun", dict(_flags(flags)), variables, folder, files)
    _take_all(told, own, folder, files)
    if re.search(r"\.ya?ml$", stated) or not shipped(stated, told):
        _take_all(told, _beside(stated, folder, files), folder, files)
    settle(told, recipe.rsplit("/", 1)[-1].removesuffix(".py"))
    return told


def _take_launch(
    told: TrainingText, launcher: str, flags: Mapping[str, Any], variables: Mapping[str, str], folder: Path,
    files: Mapping[str, str],
) -> None:  # fmt: skip
    """Take the flags of what starts the processes, and the variables that count accelerators."""
    for key, value in flags.items():
        name, kind = LAUNCHERS[launcher].get(key, ("", ""))
        if kind == "file":
            _take_file(told, name, value, folder, files)
        else:
            _take(told, name, kind, value, f"--{key}")
    shown = variables.get("CUDA_VISIBLE_DEVICES", "")
    if re.fullmatch(r"\d+(?:,\d+)*", shown):
        told.take("node_gpus", len(shown.split(",")), "CUDA_VISIBLE_DEVICES")
    for setting, counted in _COUNTED.items():
        for name in counted:
            if re.fullmatch(r"[1-9]\d{0,6}", variables.get(name, "")):
                told.take(setting, int(variables[name]), name)


def _launched(words: Sequence[str]) -> tuple[str, dict[str, Any], list[str]]:
    """Return which program starts the processes, its own flags, and the words of the script that it starts."""
    for place, word in enumerate(words):
        name = word.rsplit("/", 1)[-1]
        module = words[place + 1] if name == "-m" and place + 1 < len(words) else ""
        if name == "torchrun" or module in {"torch.distributed.run", "torch.distributed.launch"}:
            launcher, own = "torchrun", place + 1 + bool(module)
        elif name == "deepspeed" and place < len(words) - 1:
            launcher, own = "deepspeed", place + 1
        elif name == "accelerate" and words[place + 1 : place + 2] == ["launch"]:
            launcher, own = "accelerate", place + 2
        else:
            continue
        rest = list(words[own:])
        start = next(
            (at for at, word in enumerate(rest) if re.search(r"\.py$|^-m$|^(?:llamafactory-cli|swift)$", word)), None
        )
        if start is None:
            return launcher, dict(_flags(rest)), rest
        return launcher, dict(_flags(rest[:start])), rest[start:]
    script = next((at for at, word in enumerate(words) if word.endswith(".py")), 0)
    return "torchrun", {}, list(words[script:])


def _flags(words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield flags and their values: ``--name value``, ``--name=value``, ``name=value`` and switches alone."""
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        pair = re.fullmatch(r"(?:--?|\+{1,2})?([A-Za-z][\w.-]*)=(.*)", word, re.DOTALL)
        if pair:
            yield pair[1], pair[2]
            continue
        flag = re.fullmatch(r"--?([A-Za-z][\w.-]*)", word)
        if not flag:
            continue
        values: list[str] = []
        while place < len(words) and not re.match(r"--?[A-Za-z]", words[place]):
            if values and re.search(r"\.(?:py|ya?ml)$|=", words[place]):
                break
            values.append(words[place])
            place += 1
        yield flag[1], True if not values else values[0] if len(values) == 1 else values


def _beside(name: str, folder: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys of a file that a line names.

    Raises
    ------
    InputError
        If it is not there, or holds no settings.
    """
    held = file_named(name, files)
    if held is None:
        try:
            held = read_text(folder / name)
        except (InputError, OSError, ValueError):
            message = f"--config: names {name}, which is not there; give that file itself, or run where it is"
            raise InputError(message) from None
    settings = _settings_of(held)
    if settings is None:
        message = f"--config: names {name}, which holds no settings that can be read"
        raise InputError(message)
    return settings


def _take_all(
    told: TrainingText, settings: Mapping[str, Any], folder: Path, files: Mapping[str, str], *, dashes: str = ""
) -> None:
    """Take keys into the settings of a text; files that they name are read too."""
    keys = KEYS[told.program]
    plain = {name.replace("-", "_"): entry for name, entry in keys.items()}
    later: list[tuple[str, Any]] = []
    for key, value in settings.items():
        under = str(key).replace("-", "_")
        entry = plain.get(under)
        if entry is None and dashes and "." not in under:
            entry = KEYS["deepspeed"].get(under) if told.program == "deepspeed" else None
        if entry is None:
            _take_other(told, f"{dashes}{key}", under, value)
        elif entry[1] == "file":
            later.append((entry[0], value))
        elif entry[0]:
            _take(told, entry[0], entry[1], value, f"{dashes}{key}")
    for name, value in later:
        _take_file(told, name, value, folder, files)


def _take_other(told: TrainingText, key: str, under: str, value: Any) -> None:
    """Note a key that is no setting: one without effect, or one that is not known."""
    last = under.rsplit(".", 1)[-1]
    if str(value).strip().lower() in _FALSE or value in ([], {}):
        return
    if last in UNMODELLED:
        told.unmodelled.append(key)
    elif not NEUTRAL.fullmatch(last) and not NEUTRAL_TABLES.fullmatch(under):
        told.unknown.append(key)


def _take_file(told: TrainingText, name: str, value: Any, folder: Path, files: Mapping[str, str]) -> None:
    """Take the settings of a file of DeepSpeed or Accelerate; one that is not there by what its name says."""
    if isinstance(value, bool) or str(value).lower() in _FALSE:
        return
    program = "deepspeed" if name == "deepspeed" else "accelerate"
    inner = TrainingText(program=program)
    stated = str(value)
    if "$" in stated:
        told.open.add(name)
        told.notes.append(f"{name} {stated[:60]} has no value here, and is left out")
        return
    try:
        settings = _settings_of(stated) if stated.lstrip().startswith("{") else _beside(stated, folder, files)
        _take_all(inner, settings or {}, folder, files)
    except InputError:
        usual = re.search(r"(?:z|zero|stage)_?-?([0-3])", stated.rsplit("/", 1)[-1].lower())
        if usual is None:
            raise
        stage = int(usual[1])
        inner.take("zero", stage, stated)
        states = bool(re.search(r"offload", stated.lower()))
        inner.take("offload_optimizer", states, stated)
        whole = states and stage == 3 and "_opt" not in stated.lower() and "params" not in stated.lower()
        inner.take("offload_parameters", whole or "cpuoffload_all" in stated.lower(), stated)
        states_on_host = " with offload" if states else ""
        told.notes.append(
            f"{stated} is not there; by its name it is ZeRO {stage}{states_on_host}, as the trainers' own is"
        )
    told.take("deepspeed", program == "deepspeed" or "zero" in inner.settings, stated)
    for setting, entry in inner.settings.items():
        told.take(setting, entry.value, f"{entry.key} of {stated.rsplit('/', 1)[-1]}"[:80])
    told.unmodelled += inner.unmodelled
    told.unknown += inner.unknown
    told.notes += inner.notes


def _take(told: TrainingText, name: str, kind: str, value: Any, key: str) -> None:
    """Take one value into the settings, by its kind.

    Raises
    ------
    InputError
        If it is none of that kind.
    """
    text = str(value).strip()
    if name and "$" in text:
        told.open.add(name)
        told.notes.append(f"{key} {text[:60]} has no value here, and is left out")
        return
    if not name or text.lower() in {"auto", "null", ""} or (kind not in {"word", "place"} and text.lower() == "none"):
        return
    if kind in {"count", "stage", "number"}:
        number = _number(text)
        least = 0 if kind == "stage" else None
        if number is None or (kind != "number" and number % 1):
            message = f"--config: {key} = {text[:60]}: must be a {'whole ' if kind != 'number' else ''}number"
            raise InputError(message)
        if number <= 0 and least is None:
            return  # -1 leaves it to the program
        told.take(name, number if kind == "number" else int(number), key)
    elif kind in {"on", "off"}:
        lower = text.lower()
        if lower not in _TRUE | _FALSE:
            message = f"--config: {key} = {text[:60]}: must be true or false"
            raise InputError(message)
        told.take(name, (lower in _TRUE) == (kind == "on"), key)
    elif kind == "place":
        told.take(name, text.lower() in {"cpu", "nvme", "true"}, key)
    elif kind == "fsdp":
        told.take(name, ["full_shard"], key)
    elif kind == "words":
        words = value if isinstance(value, list) else re.split(r"[,\s]+", text.strip("[]\"'"))
        told.take(name, [str(word).strip("\"' ") for word in words if str(word).strip()], key)
    else:
        told.take(name, text, key)


def _number(text: str) -> float | None:
    try:
        value = json.loads(text.replace("_", ""))
    except ValueError:
        return None
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )
