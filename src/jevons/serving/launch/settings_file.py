"""Reads files of settings that name no command: an engine's own YAML, and values of the Helm charts that start one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jevons.files.yaml_text import documents_of
from jevons.limits import REPLICAS
from jevons.serving.launch.flags import FLAGS, NEUTRAL, UNMODELLED
from jevons.serving.launch.python_file import ray_words
from jevons.serving.launch.types import Command, positive_whole

_TELLING = {
    "vllm": {"gpu-memory-utilization", "max-num-seqs", "max-num-batched-tokens", "max-model-len", "enforce-eager"},
    "sglang": {"model-path", "mem-fraction-static", "context-length", "tp-size", "enable-dp-attention"},
    "trtllm": {"kv-cache-config", "cuda-graph-config", "enable-attention-dp", "moe-expert-parallel-size"},
}
"""Keys that one engine has and the others have not."""
_COMMANDS = {"vllmserve": "vllm", "imagedefault": "vllm", "sglang": "sglang"}


def settings_commands(text: str) -> list[Command]:
    """Return the commands that a file of settings stands for; none where the text is no such file.

    Notes
    -----
    Understood are the file of ``--config`` of vLLM and SGLang, that of ``--extra_llm_api_options`` of TensorRT-LLM,
    values of the charts of vLLM's production stack (``modelSpec``) and of llm-d (``modelCommand``), one command for
    each of their pools, and configurations of Ray Serve LLM (``engine_kwargs``).
    """
    document = _mapping(text)
    if document is None:
        return []
    charts = list(_charts(document, 0, {}))
    if charts:
        return [chart if _names_model(chart) else _with_artifact(chart, document) for chart in charts]
    keys = {str(key).replace("_", "-") for key in document}
    engine = max(_TELLING, key=lambda name: (len(keys & _TELLING[name]), len(keys & set(FLAGS[name]))))
    known = keys & ({*FLAGS[engine]} | NEUTRAL | UNMODELLED)
    if not keys & _TELLING[engine] and not {"model", "model-path"} & keys:
        return []
    if 2 * len(known) < len(keys):
        return []
    return [Command(engine=engine, words=tuple(_words(document)), release="", variables={})]


def _mapping(text: str) -> Mapping[str, Any] | None:
    """Return the mapping that a YAML or JSON text holds; None where it is a shell line or a list."""
    if not re.search(r"(?m)^[ \t{]*[\"']?[A-Za-z_][\w.-]*[\"']?[ \t]*:(?:[ \t]|$)", text):
        return None
    documents = documents_of(text)
    document = documents[0] if len(documents) == 1 else None
    return document if isinstance(document, dict) and all(isinstance(key, str) for key in document) else None


def _words(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        if value is None:
            continue
        stated = json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
        yield f"--{name}={stated}"


def _charts(value: Any, depth: int, pool: Mapping[str, Any], role: str = "") -> Iterator[Command]:
    """Yield the server of each entry of a chart's values that starts one; *pool* is what holds the entry's list."""
    if depth > 30:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _charts(inner, depth + 1, pool, role)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("modelURL"), str):
        yield _production_stack(value)
    elif isinstance(value.get("engine_kwargs"), dict):
        served = ray_words(value)
        yield from () if served is None else (served,)
    elif str(value.get("modelCommand", "")).lower() in _COMMANDS and isinstance(value.get("args"), list):
        yield replace(_pool_server(value, pool), role=role)
    else:
        for name, inner in value.items():
            yield from _charts(inner, depth + 1, value, str(name) if name in {"prefill", "decode"} else role)


def _pool_server(container: Mapping[str, Any], pool: Mapping[str, Any]) -> Command:
    """Return the server of a pool of llm-d, whose layout and number of replicas stand beside its containers."""
    engine = _COMMANDS[str(container["modelCommand"]).lower()]
    words = [str(word) for word in container["args"]]
    stated = pool.get("parallelism")
    layout = stated if isinstance(stated, dict) else {}
    for name, flag in (("tensor", "tensor-parallel-size"), ("data", "data-parallel-size")):
        if positive_whole(layout.get(name), REPLICAS) > 1 and not any(re.match(rf"--{flag}\b", word) for word in words):
            words.append(f"--{flag}={layout[name]}")
    copies = positive_whole(pool.get("replicas"), REPLICAS)
    return Command(engine=engine, words=tuple(words), release="", variables={}, replicas=copies)


def _names_model(command: Command) -> bool:
    return bool(command.words) and (
        not command.words[0].startswith("-") or any(re.match(r"--model(?:-path)?\b", word) for word in command.words)
    )


def _with_artifact(command: Command, document: Mapping[str, Any]) -> Command:
    """Return a command with the model that llm-d's ``modelArtifacts`` name."""
    stated = document.get("modelArtifacts")
    artifact = stated if isinstance(stated, dict) else {}
    name = str(artifact.get("name") or str(artifact.get("uri", "")).removeprefix("hf://"))
    return replace(command, words=(f"--model={name}", *command.words)) if name else command


def _production_stack(entry: Mapping[str, Any]) -> Command:
    """Return the server of one ``modelSpec``, whose ``vllmConfig`` spells flags in camel case."""
    stated = entry.get("vllmConfig")
    config = dict(stated) if isinstance(stated, dict) else {}
    extra = config.pop("extraArgs", None) or []
    flags = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", str(name)).lower(): value for name, value in config.items()}
    release = re.search(r"(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?)", str(entry.get("tag", "")))
    words = [str(entry["modelURL"]), *_words(flags), *(str(word) for word in extra)]
    return Command(
        engine="vllm", words=tuple(words), release=release[1] if release else "", variables={},
        replicas=positive_whole(entry.get("replicaCount"), REPLICAS),
    )  # fmt: skip
