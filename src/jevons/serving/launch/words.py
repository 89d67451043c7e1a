"""Finds the command that starts a server in what people paste: shell lines, docker, Compose and Kubernetes files."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jevons.errors import InputError
from jevons.files.shell import VARIABLE, as_typed, expanded_words, shell_commands, unclosed
from jevons.files.written import as_script, files_of_manifest, without_files
from jevons.files.yaml_text import documents_of
from jevons.limits import REPLICAS
from jevons.serving.launch.nim import nim_server
from jevons.serving.launch.others import other_server
from jevons.serving.launch.python_file import python_commands
from jevons.serving.launch.settings_file import settings_commands
from jevons.serving.launch.types import Command, positive_whole

EXAMPLES = (
    "vllm serve meta-llama/Llama-3.1-8B-Instruct --max-model-len 8192",
    "python -m sglang.launch_server --model-path Qwen/Qwen3-32B --tp 2",
    "trtllm-serve nvidia/Llama-3.1-8B-Instruct-FP8 --tp_size 2",
    "docker run vllm/vllm-openai:v0.11.0 --model openai/gpt-oss-120b",
)

_MODULES = {
    "vllm.entrypoints.openai.api_server": "vllm", "vllm.entrypoints.api_server": "vllm",
    "vllm.entrypoints.cli.main": "vllm", "sglang.launch_server": "sglang",
    "dynamo.vllm": "vllm", "dynamo.sglang": "sglang", "dynamo.trtllm": "trtllm",
    "sglang_router.launch_server": "sglang", "tensorrt_llm.commands.serve": "trtllm",
}  # fmt: skip
_IMAGES = (
    (r"(?:^|/)vllm-openai$|(?:^|[/-])vllm(?:-[\w.-]+)?(?::[\w.-]+|(?::[\w.-]+)?@sha256:\w+)$", "vllm"),
    (r"(?:^|/)sglang[-\w]*(?:[:@].*)?$", "sglang"), (r"tensorrt-llm/[\w-]+(?:[:@].*)?$", "trtllm"),
)  # fmt: skip
_PROGRAMS = frozenset({"sh", "bash", "zsh", "dash", "ash", "python", "python3", "ray", "sleep", "tail", "uv", "tini"})
_RELEASE = re.compile(r"(?:^|[:v=-])v?(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?)")
_OTHERS_NUMBERS = re.compile(r"/ai-dynamo/|:\d\d\.\d\d-|(?:^|/)rocm/")
"""Images whose tags count something else than releases of the engine: Dynamo's, months of NVIDIA's, those of ROCm."""
_INSIDE = re.compile(
    r"(?:^|[\s/;&|'\"])(?:(?:vllm|sglang|lmdeploy)\s+serve|trtllm-serve|text-generation-launcher|llama-server"
    r"|-m\s+(?:vllm|sglang|tensorrt_llm|dynamo)\.\S+)\s"
)
_DEEPEST = 4
"""Shells within shells whose commands are read: ``ssh host "bash -c 'vllm serve …'"``."""
_MANIFEST = re.compile(r"(?m)(?:^|[{,])[ \t-]*[\"']?(?:args|command|image|containers|services|run)[\"']?[ \t]*:")
Words = tuple[Sequence[str], str, Mapping[str, str]]
"""Of a command: its words, the image that it runs in or an empty text, and the variables set before it."""


_OTHERS = {
    "text-generation-inference": r"text-generation-(?:launcher|inference)",
    "LMDeploy": r"\blmdeploy\s+serve\b",
    "llama.cpp": r"\bllama-server\b|\bllama\.cpp\b",
    "Ollama": r"\bollama\s+(?:run|serve)\b",
    "MLC": r"\bmlc_llm\s+serve\b",
    "Triton": r"\btritonserver\b",
}
"""Servers whose launch lines are known by sight alone."""


def commands_of(text: str) -> list[Command]:
    """Return the commands in a text that start a server, at least one.

    Raises
    ------
    InputError
        If there is none, or quotes do not close; the message shows lines that are understood.
    """
    text = as_typed(text)
    found = settings_commands(text) or _python(text)
    files: dict[str, str] = {}
    if not found:
        told = [_started(*container) for container in _manifests(text, files)]
        listed = _listed(text)
        if listed:
            told = [_launcher(*way) for way in _within([(listed, "", {})])]
        elif not any(told):
            plain, files = without_files(as_script(text))
            told = [_launcher(*way) for way in _within(_shell(plain))]
        found = list(filter(None, told))
    launched = [line if line.release else replace(line, release=_release(line.engine, text)) for line in found]
    if launched:
        return [replace(line, files=_filled(files, line.variables)) for line in launched]
    shown = " ".join(text.split())
    other = next((title for title, pattern in _OTHERS.items() if re.search(pattern, text)), None)
    if other is not None:
        message = (
            f"--serve {shown if len(shown) <= 60 else shown[:57] + '…'}: lines of {other} are not read; omit --serve "
            "and state what it does: --model, --tp, --max-model-len, --max-num-seqs, --precision (such as q4_k_m), "
            "--kv-precision, with --engine generic"
        )
        raise InputError(message)
    message = (
        f"--serve {shown if len(shown) <= 60 else shown[:57] + '…'}: starts no server that is known. Such lines are:\n"
        + "\n".join(f"  {line}" for line in EXAMPLES)
        + "\nFiles are understood too: Compose, Kubernetes, Helm values, the engine's own --config, systemd, Slurm, "
        "SkyPilot, Ray Serve, and Python"
    )
    raise InputError(message)


def _python(text: str) -> list[Command]:
    """Return the servers and engines that a Python file starts; none for other texts."""
    python = python_commands(text)
    if python is None:
        return []
    found = python.engines or [command for words in python.lists if (command := _launcher(words, "", {})) is not None]
    if found:
        return found
    return [command for line in python.lines for way in _within(_shell(line)) if (command := _launcher(*way))]


def _filled(files: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return files with the values of variables in their paths and texts."""

    def filled(text: str) -> str:
        return VARIABLE.sub(lambda match: variables.get(match[1] or match[3], match[0]), text)

    return {filled(path): filled(text) for path, text in files.items()}


def _started(ways: Iterable[Words], replicas: int, role: str) -> Command | None:
    """Return the server that a container starts, of the first way to read its words that starts one."""
    command = next(filter(None, (_launcher(*way) for way in ways)), None)
    return None if command is None else replace(command, replicas=replicas, role=role)


def _release(engine: str, text: str) -> str:
    """Return the release of an engine that a text names beside its command, as a requirement or an image."""
    required = re.search(rf"\b{engine}[ \t]*(?:==|@)[ \t]*v?(\d+\.\d+(?:\.\d+)?)", text)
    if required:
        return required[1]
    images = map(_image, re.split(r"[\s'\"]+", text))
    return next((release for of, release, _ in images if of == engine and release), "")


def _listed(text: str) -> list[str]:
    """Return the words of a command written as a list, as in a Dockerfile, a manifest or Python; empty for others."""
    stated = re.fullmatch(r"\s*(?:(?:CMD|ENTRYPOINT|command|args)\s*[:=]?\s*)?(\[.*\])\s*", text, re.DOTALL)
    try:
        words = ast.literal_eval(stated[1]) if stated else []
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    return [str(word) for word in words] if all(isinstance(word, str | int | float) for word in words) else []


def _within(ways: Iterable[Words], depth: int = 0) -> Iterator[Words]:
    """Yield the commands in scripts that a command is given as one word, as ``bash -c`` is; others as they are."""
    for words, image, variables in ways:
        script = next((word for word in words if " " in word and _INSIDE.search(word)), "")
        itself = _INSIDE.search(f"{' '.join(word for word in words if word is not script)} ")
        if not script or itself or depth >= _DEEPEST:
            yield words, image, variables
            continue
        for inner, own, more in _within(_shell(script), depth + 1):
            yield inner, own, {**variables, **more}


def _shell(text: str) -> Iterator[Words]:
    """Yield the words of each command of a shell text, no image, and the variables set so far."""
    return ((words, "", variables) for words, variables in shell_commands(text, "serve"))


def _split(text: str) -> list[str]:
    """Return the words of a container's command that stands in one text."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise unclosed(text, error, "serve") from None


def _launcher(words: Sequence[str], image: str, variables: Mapping[str, str]) -> Command | None:
    """Return the server's command within a command's words, or within those that a container's image gets."""
    other = other_server(words, image, variables) or nim_server(words, image, variables)
    if other is not None:
        return other
    engine, release, after = _image(image) if image else ("", "", None)
    for place, word in enumerate(words):
        name, following = word.rsplit("/", 1)[-1], words[place + 1] if place + 1 < len(words) else ""
        if name in {"vllm", "sglang"} and following == "serve":
            return Command(engine=name, words=tuple(words[place + 2 :]), release=release, variables=variables)
        if name == "vllm" and following == "bench" and words[place + 2 : place + 3] in (["latency"], ["throughput"]):
            return Command(engine=name, words=tuple(words[place + 3 :]), release=release, variables=variables)
        if word == "-m" and following in _MODULES:
            rest = words[place + 2 :]
            return Command(
                engine=_MODULES[following],
                words=tuple(rest[1:] if rest[:1] == ["serve"] else rest),
                release=release,
                variables=variables,
            )
        if name == "trtllm-serve" and following not in {"disaggregated", "disaggregated_mpi_worker"}:
            rest = words[place + 1 :]
            return Command(
                engine="trtllm",
                words=tuple(rest[1:] if rest[:1] == ["serve"] else rest),
                release=release,
                variables=variables,
            )
        if name in {"api_server.py", "launch_server.py"}:
            return Command(
                engine="vllm" if name.startswith("api") else "sglang",
                words=tuple(words[place + 1 :]),
                release=release,
                variables=variables,
            )
        if not image and not word.startswith("-") and after is None:
            container = _image(word)
            if container[0]:
                engine, release, after = container[0], container[1], place + 1
    if not engine:
        return None
    rest = list(words[after or 0 :])
    if rest and rest[0].rsplit("/", 1)[-1] in _PROGRAMS:
        return None  # in place of the server that the image would start
    if engine != "vllm" and not any(word.startswith("--") for word in rest):
        return None
    return Command(engine=engine, words=tuple(rest), release=release, variables=variables) if rest else None


def _image(name: str) -> tuple[str, str, None]:
    """Return the engine and the release that a container image names; empty where it names none."""
    for pattern, engine in _IMAGES:
        if re.search(pattern, name):
            tag = name.rsplit(":", 1)[1] if ":" in name.rsplit("/", 1)[-1] else ""
            stated = re.search(rf"{engine}[_-]?v?(\d+\.\d+(?:\.\d+)?)", tag)  # rocm6.4.1_vllm_0.9.1_20250715
            if stated is None and not _OTHERS_NUMBERS.search(name):
                stated = _RELEASE.search(tag)
            return engine, stated[1] if stated else "", None
    return "", "", None


def _manifests(text: str, files: dict[str, str]) -> Iterator[tuple[list[Words], int, str]]:
    """Yield, for each container of a Compose or Kubernetes file, the ways to read its words, its number and its role.

    A task of SkyPilot is read as a container; the files that the document writes are added to *files*.
    """
    if not _MANIFEST.search(text):
        return
    documents = documents_of(text)
    files |= files_of_manifest(documents)
    for container, replicas, role in _containers(documents, 0, "", 0):
        stated = container.get("env") or container.get("environment") or container.get("envs")
        variables = {**_of_task(container), **_variables(stated)}
        words: list[str] = [container["run"]] if isinstance(container.get("run"), str) else []
        for key in ("entrypoint", "command", "args"):
            part = container.get(key)
            words += [str(argument) for argument in part] if isinstance(part, list) else _split(str(part or ""))
        image = str(container.get("image") or "")
        script = next((word for word in words if "\n" in word or " --" in word), "")
        ways: list[Words] = []
        if script:  # sh -c "vllm serve …"
            plain, written = without_files(_kube(script, variables))
            files |= written
            inside = _shell("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()) + plain)
            takes = image if script.lstrip().startswith("-") else ""  # a shell stands in place of the image's server
            ways += [(inner, takes, {**variables, **more}) for inner, _, more in inside]
        values = [_kube(word, variables) for word in words]
        ways.append((expanded_words(values, dict(variables)), image, variables))
        yield [*ways, *_runtime(container, values, variables)], replicas, role


def _runtime(container: Mapping[str, Any], words: Sequence[str], variables: Mapping[str, str]) -> Iterator[Words]:
    """Yield the server of a ``model`` of KServe, whose runtime for Hugging Face is vLLM's with names of its own."""
    stated = container.get("modelFormat")
    form = str(stated.get("name", "") if isinstance(stated, dict) else stated or "").lower()
    if form not in {"huggingface", "vllm"}:
        return
    kept = [word for word in words if not re.match(r"--model[_-]name=", word)]
    own = [re.sub(r"^--model[_-]id(?==|$)", "--model", word) for word in kept]
    place = str(container.get("storageUri") or "")
    if place.startswith("hf://") and not any(re.match(r"--model(=|$)", word) for word in own):
        own.insert(0, f"--model={place.removeprefix('hf://')}")
    yield ["vllm", "serve", *own], "", variables


def _of_task(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that SkyPilot sets for a task: how many accelerators and nodes it has."""
    resources = container.get("resources")
    stated = resources.get("accelerators") if isinstance(resources, dict) and "run" in container else None
    named = list(map(str, stated)) if isinstance(stated, list) else [str(stated)] if isinstance(stated, str) else []
    counts = {name.partition(":")[2] or "1" for name in named}
    if isinstance(stated, dict):
        counts = {str(count or name.partition(":")[2] or 1) for name, count in stated.items()}
    variables = {"SKYPILOT_NUM_GPUS_PER_NODE": counts.pop()} if len(counts) == 1 else {}
    return variables | ({"SKYPILOT_NUM_NODES": str(container.get("num_nodes", 1))} if "run" in container else {})


def _kube(word: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda match: variables.get(match[1], match[0]), word)


def _variables(given: Any) -> dict[str, str]:
    if isinstance(given, dict):
        return {str(name): str(value) for name, value in given.items()}
    variables: dict[str, str] = {}
    for entry in given if isinstance(given, list) else ():
        if isinstance(entry, dict) and "name" in entry:
            variables[str(entry["name"])] = str(entry.get("value", ""))
        elif isinstance(entry, str) and "=" in entry:
            name, _, value = entry.partition("=")
            variables[name] = value
    return variables


def _containers(value: Any, replicas: int, role: str, depth: int) -> Iterator[tuple[dict[str, Any], int, str]]:
    """Yield every mapping that has a command or arguments, how many of it run, 0 where nothing says, and its role."""
    if depth > 30:
        return
    if isinstance(value, dict):
        deploy = value.get("deploy")
        stated = [value.get("replicas"), value.get("minReplicas"), value.get("scale")]
        stated.append(deploy.get("replicas") if isinstance(deploy, dict) else None)
        service = value.get("service") if isinstance(value.get("run"), str) else None
        policy = service.get("replica_policy") if isinstance(service, dict) else None
        stated += [service.get("replicas")] if isinstance(service, dict) else []
        stated += [policy.get("min_replicas")] if isinstance(policy, dict) else []
        replicas = next((copies for count in stated if (copies := positive_whole(count, REPLICAS))), replicas)
        about = value.get("metadata")
        named = about.get("name") if isinstance(about, dict) else value.get("name")
        role = _role_in(value.get("subComponentType")) or _role_in(named) or role
        if {"args", "command", "image", "modelFormat"} & set(value) or isinstance(value.get("run"), str):
            yield value, replicas, role
        for name, inner in value.items():
            yield from _containers(inner, replicas, _role_in(name) or role, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _containers(inner, replicas, role, depth + 1)


def _role_in(name: Any) -> str:
    """Return whether a name is of a pool for prompts or of one that decodes; empty for others."""
    roles = set(re.findall(r"prefill|decode", str(name).lower()))
    return roles.pop() if len(roles) == 1 else ""
