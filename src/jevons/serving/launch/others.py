"""Launch lines of servers without measured factors, said with vLLM's flags for the generic engine.

Read are Text Generation Inference, LMDeploy and llama.cpp, whose flags state the model, its layout, its precision and
its limits plainly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jevons import models
from jevons.errors import InputError
from jevons.serving.gguf import gguf_name
from jevons.serving.launch.types import Command, on_host

_CACHES = {"q8_0": "int8", "q4_0": "fp4", "q4_1": "fp4", "f16": "bf16", "bf16": "bf16", "f32": "fp32"}
_POLICIES = {"4": "fp4", "8": "int8"}
_TGI_QUANTIZED = {"bitsandbytes": "int8_wo", "bitsandbytes-nf4": "nf4", "bitsandbytes-fp4": "fp4", "eetq": "int8_wo"}
_ON_HOST = frozenset({"n-cpu-moe", "ncmoe", "cpu-moe", "cmoe", "override-tensor", "ot"})
"""Flags of llama.cpp that keep weights in host memory."""
_LAYERS, _FEWEST_LAYERS = frozenset({"ngl", "n-gpu-layers", "gpu-layers"}), 16
"""Flags of llama.cpp that say how many layers accelerators take; fewer than any usual model has."""
_FLAG = re.compile(r"--?[A-Za-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A server's program and its flags.

    Parameters
    ----------
    title : str
        As its makers write it.
    flags : mapping of str to str
        Flag by vLLM's name for the same, without dashes in front.
    values : mapping of str to callable
        Flags whose values are said otherwise: what gives the words for a value.
    switches : set of str
        Flags without a value that change no prediction.
    felt : set of str
        Flags that change something that no prediction sees; all others are taken to change nothing.
    """

    title: str
    flags: Mapping[str, str]
    values: Mapping[str, Callable[[str], Iterator[str]]]
    switches: frozenset[str]
    felt: frozenset[str]


def _quantized(value: str) -> Iterator[str]:
    yield f"--quantization={_TGI_QUANTIZED.get(value, value)}"


def _graphs(value: str) -> Iterator[str]:
    if value == "0":
        yield "--enforce-eager"


def _policy(value: str) -> Iterator[str]:
    if value in _POLICIES:
        yield f"--kv-cache-dtype={_POLICIES[value]}"


def _format(value: str) -> Iterator[str]:
    if value in {"awq", "gptq", "fp8", "mxfp4"}:
        yield f"--quantization={value}"


def _file(value: str) -> Iterator[str]:
    name, precision = gguf_name(value)
    yield f"--model={name}"
    if precision:
        yield f"--quantization={precision}"


def _repository(value: str) -> Iterator[str]:
    name, _, quantised = value.partition(":")
    yield f"--model={re.sub(r'-GGUF$', '', name.rsplit('/', 1)[-1])}"
    if quantised:
        yield f"--quantization={re.sub(r'^ud-', '', quantised.lower())}"


def _context(value: str) -> Iterator[str]:
    if _count(value):  # 0 is the model's own
        yield f"--kv-tokens={value}"


def _split(value: str) -> Iterator[str]:
    stages = [share for share in value.split(",") if share.strip() not in {"", "0"}]  # of layers, one after another
    if len(stages) > 1:
        yield f"--pipeline-parallel-size={len(stages)}"


def _eager(_: str) -> Iterator[str]:
    yield "--enforce-eager"


def _cached(value: str) -> Iterator[str]:
    yield f"--kv-cache-dtype={_CACHES.get(value, value)}"


_TGI = Program(
    title="text-generation-inference",
    flags={
        "model-id": "model", "num-shard": "tensor-parallel-size", "max-total-tokens": "max-model-len",
        "max-batch-prefill-tokens": "max-num-batched-tokens", "max-batch-size": "max-num-seqs",
        "max-batch-total-tokens": "kv-tokens", "dtype": "dtype", "kv-cache-dtype": "kv-cache-dtype",
        "cuda-memory-fraction": "gpu-memory-utilization",
    },
    switches=frozenset({"json-output", "trust-remote-code", "disable-custom-kernels", "sharded", "enable-cuda-graphs"}),
    felt=frozenset({"speculate", "rope-scaling", "rope-factor", "lora-adapters"}),
    values={"quantize": _quantized, "cuda-graphs": _graphs},
)  # fmt: skip
_LMDEPLOY = Program(
    title="LMDeploy",
    flags={
        "tp": "tensor-parallel-size", "dp": "data-parallel-size", "session-len": "max-model-len",
        "max-batch-size": "max-num-seqs", "max-prefill-token-num": "max-num-batched-tokens", "dtype": "dtype",
    },
    switches=frozenset({"trust-remote-code", "enable-prefix-caching", "eager-mode", "enable-metrics"}),
    felt=frozenset({"ep", "cache-max-entry-count", "speculative-algorithm", "role", "rope-scaling-factor"}),
    values={"quant-policy": _policy, "model-format": _format, "eager-mode": _eager},
)  # fmt: skip
_LLAMA = Program(
    title="llama.cpp",
    flags={"np": "max-num-seqs", "parallel": "max-num-seqs", "ub": "max-num-batched-tokens",
           "ubatch-size": "max-num-batched-tokens"},
    switches=frozenset({
        "jinja", "no-mmap", "mlock", "cont-batching", "cb", "no-webui", "metrics", "verbose", "v", "kv-unified", "kvu",
        "no-context-shift", "context-shift", "swa-full", "embeddings", "slots", "no-warmup", "cpu-moe", "cmoe",
        "no-op-offload",
    }),
    felt=frozenset({
        "split-mode", "sm", "md", "model-draft", "hfd", "hf-repo-draft", "no-kv-offload", "nkvo", "rpc", "rope-scaling",
    }),
    values={
        "m": _file, "model": _file, "hf": _repository, "hf-repo": _repository, "ctk": _cached, "cache-type-k": _cached,
        "ts": _split, "tensor-split": _split, "c": _context, "ctx-size": _context,
    },
)  # fmt: skip
_PROGRAMS: Mapping[str, Program] = {"text-generation-launcher": _TGI, "llama-server": _LLAMA}


def other_server(words: Sequence[str], image: str, variables: Mapping[str, str]) -> Command | None:
    """Return the server of such a program within a command's words; None where they start none."""
    for place, word in enumerate(words):
        name = re.split(r"[/\\]", word)[-1].removesuffix(".exe")
        following = tuple(words[place + 1 : place + 3])
        if name == "lmdeploy" and following == ("serve", "api_server"):
            return _command(_LMDEPLOY, words[place + 3 :], variables)
        if name in _PROGRAMS:
            return _command(_PROGRAMS[name], words[place + 1 :], variables)
        if program := _of_image(word):
            return _command(program, words[place + 1 :], variables)
    program = _of_image(image)
    return None if program is None else _command(program, words, variables)


def _of_image(name: str) -> Program | None:
    """Return the program that a container image starts; None of other words."""
    if re.search(r"(?:^|[/-])text-generation-inference[\w.-]*(?:[:@]\S*)?$", name):
        return _TGI
    return _LLAMA if re.search(r"(?:^|/)llama\.cpp:server\S*$", name) else None


def _command(program: Program, words: Sequence[str], variables: Mapping[str, str]) -> Command | None:
    said, unseen = _said(program, words, variables)
    if not any(word.startswith("--model=") for word in said):
        return None
    if program is _LLAMA:
        said, unseen = _with_slots(said, unseen)
    return Command(
        engine="generic", words=tuple(said), release="", variables={}, program=program.title, unseen=tuple(unseen)
    )


def _said(program: Program, words: Sequence[str], variables: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the words of a line in vLLM's flags, and its own that no prediction sees."""
    if program is _TGI:  # MODEL_ID for --model-id
        stated = [*program.flags, *program.values]
        given = [(name, variables.get(name.upper().replace("-", "_"), "")) for name in stated]
        words = [*(f"--{name}={value}" for name, value in given if value), *words]
    said: list[str] = []
    unseen: list[str] = []
    held: tuple[str, int] | None = None
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not _FLAG.match(word):
            if program is _LMDEPLOY and re.search(r"[A-Za-z]", word):
                said.append(f"--model={word}")
            continue
        flag, mark, value = word.partition("=")
        name = flag.lstrip("-").replace("_", "-")
        following = words[place] if place < len(words) else ""
        if not mark and name not in program.switches and following and not _FLAG.match(following):
            value, place = following.strip(), place + 1
        if name in program.flags and value:
            said.append(f"--{program.flags[name]}={value}")
        elif name in program.values:
            said += program.values[name](value)
        elif name in _ON_HOST:
            raise _on_host(flag, value)
        elif name in _LAYERS and (value == "0" or _count(value)):
            held = flag, _count(value)
        elif name in program.felt:
            unseen.append(flag)
    if held is not None and _some_layers(held[1], said):
        raise _on_host(*map(str, held))
    return said, unseen


def _on_host(flag: str, value: str) -> InputError:
    return InputError(on_host(f"{flag} {value}".strip()))


def _some_layers(count: int, said: Sequence[str]) -> bool:
    """Return whether so many layers are fewer than the model of a line has; of one not on file, than any has."""
    name = next((word.partition("=")[2] for word in said if word.startswith("--model=")), "")
    try:
        return count < models.load(name).n_layers
    except InputError:
        return count < _FEWEST_LAYERS


def _with_slots(said: list[str], unseen: list[str]) -> tuple[list[str], list[str]]:
    """Return the words of llama.cpp with the context of each of its slots, which share what all of them have.

    It takes of a device what it needs. How many slots there are by default differs by release; one may then hold all.
    """
    said = [*said, "--gpu-memory-utilization=1"]
    stated = dict(word.lstrip("-").partition("=")[::2] for word in said)
    slots, tokens = _count(stated.get("max-num-seqs", "")), _count(stated.get("kv-tokens", ""))
    if not slots:
        whole = [f"--max-model-len={tokens}"] if tokens else []
        return [*said, *whole], [*unseen, "its slots (releases differ; give --max-num-seqs)"]
    return [*said, f"--max-model-len={max(tokens // slots, 1)}"] if tokens else said, unseen


def _count(text: str) -> int:
    """Return a whole number of up to nine digits; 0 of what is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
