"""Containers of NVIDIA NIM, whose image names the model and whose variables and profile state its layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from jevons.serving.launch.types import Command

_IMAGE = re.compile(r"nvcr\.io/nim/[\w.-]+/(?P<model>[\w.-]+?)(?::v?(?P<major>\d+)[\w.+-]*|:\w+)?(?:@\S+)?")
_ENGINES = {"vllm": "vllm", "sglang": "sglang", "tensorrt_llm": "trtllm"}
_PROFILE = re.compile(r"\b(?P<engine>vllm|sglang|tensorrt_llm)-(?P<rest>\S+)")
_FORMAT = re.compile(r"\b(bf16|fp16|fp8|nvfp4|mxfp4|int4_awq|awq)\b")
_FLAGS: Mapping[str, Mapping[str, str]] = {
    "vllm": {
        "tp": "tensor-parallel-size", "pp": "pipeline-parallel-size", "length": "max-model-len",
        "memory": "gpu-memory-utilization", "sequences": "max-num-seqs",
    },
    "sglang": {
        "tp": "tp-size", "pp": "pp-size", "length": "context-length", "memory": "mem-fraction-static",
        "sequences": "max-running-requests",
    },
    "trtllm": {
        "tp": "tp_size", "pp": "pp_size", "length": "max_seq_len", "memory": "kv_cache_free_gpu_memory_fraction",
        "sequences": "max_batch_size",
    },
}  # fmt: skip
_VARIABLES = {
    "NIM_TENSOR_PARALLEL_SIZE": "tp", "NIM_PIPELINE_PARALLEL_SIZE": "pp", "NIM_MAX_MODEL_LEN": "length",
    "NIM_KVCACHE_PERCENT": "memory", "NIM_KV_CACHE_PERCENT": "memory", "NIM_MAX_NUM_SEQS": "sequences",
}  # fmt: skip
_WHOLE = frozenset({None, "bf16", "fp16"})
_FIRST_OF_VLLM = 2
"""First major release whose containers hold vLLM alone where they name no other engine."""


def nim_server(words: Sequence[str], image: str, variables: Mapping[str, str]) -> Command | None:
    """Return the server of a container of NIM within a command's words; None where they start none."""
    place = next((at for at, word in enumerate(words) if _IMAGE.fullmatch(word)), -1)
    named = _IMAGE.fullmatch(image or (words[place] if place >= 0 else ""))
    after = list(words if image else words[place + 1 :])
    if named is None or "list-model-profiles" in after:
        return None
    profile = _PROFILE.search(variables.get("NIM_MODEL_PROFILE", ""))
    newer = int(named["major"] or 0) >= _FIRST_OF_VLLM
    engine = _ENGINES[profile["engine"]] if profile else "vllm" if newer else "trtllm"
    said = dict(_of_profile(profile["rest"])) if profile else {}
    said |= {setting: variables[name] for name, setting in _VARIABLES.items() if variables.get(name)}
    given = next((word for word in after if word.startswith("hf://")), "")
    model = given or variables.get("NIM_MODEL_PATH") or variables.get("NIM_MODEL_NAME") or named["model"]
    flags = [f"--{_FLAGS[engine][setting]}={value}" for setting, value in said.items() if setting != "format"]
    unseen = () if profile else ("what the profile that NIM chooses says (name it in NIM_MODEL_PROFILE)",)
    plain = model.removeprefix("hf://") + ("" if said.get("format") in _WHOLE else f"-{said['format'].upper()}")
    first = next((at for at, word in enumerate(after) if word.startswith("-")), len(after))
    kept = after[first:] if engine == "vllm" else []
    words_of = [f"--model-path={plain}" if engine == "sglang" else plain, *flags, *kept]
    return Command(engine=engine, words=tuple(words_of), release="", variables={}, unseen=unseen)


def _of_profile(rest: str) -> Iterator[tuple[str, str]]:
    """Yield what the name of a profile states, such as ``h100-fp8-tp2-pp1-throughput``."""
    for degree in ("tp", "pp"):
        stated = re.search(rf"\b{degree}(\d+)\b", rest)
        if stated:
            yield degree, stated[1]
    form = _FORMAT.search(rest.replace("-", " "))
    if form:
        yield "format", {"int4_awq": "awq"}.get(form[1], form[1])
