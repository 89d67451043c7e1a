"""Reads start-up lines of vLLM's and SGLang's logs, as people paste them, into rows of the table of start-ups."""

from __future__ import annotations

import re
from pathlib import Path

from jevons.errors import InputError
from jevons.files import read_text

SUFFIXES = (".log", ".txt")

_LINES = {
    "weights_gib": r"(?:Model loading took|model weights take|Loading model weights took) +(-?[\d.]+) ?Gi?B|"
        r"Load weight end\..*?mem usage=([\d.]+) GB",
    "activation_gib":
        r"PyTorch activation peak memory (?:takes )?(-?[\d.]+) ?GiB|([\d.]+) GiB for peak activation",
    "non_torch_gib": r"non_torch_memory (?:takes )?(-?[\d.]+) ?GiB|([\d.]+) GiB for non-torch memory",
    "kv_cache_gib":
        r"(?:Available KV cache memory:|available_kv_cache_memory|reserved for KV Cache is) *(-?[\d.]+) ?GiB",
    "kv_cache_tokens":
        r"GPU KV cache size: ([\d,]+) tokens|KV Cache is allocated\..*?#tokens: (\d+)|max_total_num_tokens=(\d+)",
    "max_concurrency": r"Maximum concurrency for [\d,]+ tokens per request: ([\d.]+)x",
    "cuda_graph_actual_gib":
        r"Graph capturing finished in .*?took (-?[\d.]+) GiB|([\d.]+) GiB for CUDAGraph memory|"
        r"Capture cuda graph end\..*?mem usage=([\d.]+) GB",
    "total_gib": r"total_gpu_memory \(?([\d.]+) ?GiB",
}  # fmt: skip
"""What the engine says in figures, in the words of its releases since 0.6."""
_SETTINGS = {
    "engine_version": r"(?:LLM engine \(v|vLLM API server version |version )(\d+\.\d+[\w.+]*)",
    "model": r"(?:model='|'model': '|model_tag': '|vllm serve +|--model[ =]|model_path=')([^\s',]+)",
    "max_model_len":
        r"(?:max_seq_len=|'max_model_len': |--max-model-len[ =]|Maximum concurrency for |context_len=)([\d,]+)",
    "tp": r"(?:tensor_parallel_size=|'tensor_parallel_size': |--tensor-parallel-size[ =]|-tp[ =]|\btp_size=)(\d+)",
    "pp": r"(?:pipeline_parallel_size=|'pipeline_parallel_size': |--pipeline-parallel-size[ =]|-pp[ =]|pp_size=)(\d+)",
    "kv_cache_dtype": r"(?:kv_cache_dtype=|'kv_cache_dtype': '|--kv-cache-dtype[ =])(\w+)",
    "gpu_memory_utilization":
        r"(?:gpu_memory_utilization(?:=|': | \(| +)|--gpu-memory-utilization[ =]|Desired GPU memory utilization is \(|"
        r"mem_fraction_static=)"
        r"(\d?\.\d+)",
    "max_num_seqs": r"(?:max_num_seqs(?:=|': )|--max-num-seqs[ =])(\d+)",
    "max_num_batched_tokens":
        r"(?:max_num_batched_tokens(?:=|': )|--max-num-batched-tokens[ =])(\d+)",
    "gpu": r"(?:^|\n)\s*gpu[:=] *([^\n]+)|(NVIDIA [\w ]*\d[\w ]*\w|AMD Instinct \w+)",
}  # fmt: skip
"""What was set, from the engine's own lines or the command; a line such as ``gpu: H100 80GB`` names the device."""
_OUT_OF_MEMORY = re.compile(
    r"No available memory for the cache blocks|KV cache is needed, which is larger than|"
    r"larger than the (?:maximum number of tokens|available KV cache memory)|out of memory|"
    r"exceeds available Mamba cache blocks",
    re.IGNORECASE,
)
COLUMNS = ("engine", *_SETTINGS, *_LINES, "outcome", "reason_kind", "reason")


_SGLANG = re.compile(r"server_args=ServerArgs\(|KV Cache is allocated\.|max_total_num_tokens=")
_BLOCKS = r"# (?:GPU|cuda|CUDA) blocks: (\d+)"
_BLOCK_TOKENS = 16
"""Of a block of the cache where the log names no other size."""


def is_log(path: Path, text: str) -> bool:
    """Return whether a file is read as a log: by its ending, or by a line that is known."""
    known = any(re.search(pattern, text) for pattern in (*_LINES.values(), _BLOCKS))
    return path.suffix.lower() in SUFFIXES or known


def startup_of_log(path: Path) -> dict[str, str]:
    """Return the start-up that a log tells, as a row of the table of start-ups.

    Raises
    ------
    InputError
        If none of the lines is known; the message shows two that are.
    """
    text = re.sub(r"\x1b\[[\d;]*m", "", read_text(path))
    row = {name: _last(pattern, text).replace(",", "") for name, pattern in _LINES.items()}
    blocks = _last(_BLOCKS, text)
    if blocks and not row["kv_cache_tokens"]:  # releases before 0.8 count blocks
        size = _last(r"(?:block_size(?:=|': )|--block-size[ =])(\d+)", text, first=True)
        row["kv_cache_tokens"] = str(int(blocks) * (int(size) if size else _BLOCK_TOKENS))
    if not any(row.values()) and not _OUT_OF_MEMORY.search(text):
        message = (
            f"{path}: holds no start-up line that is known, such as vLLM's `Model loading took 14.99 GiB` and "
            f"`GPU KV cache size: 158,656 tokens`, or SGLang's `max_total_num_tokens=402419`, and no report of a load "
            "test, such as `Mean TTFT (ms): 54.58`, or a table with a row for each load"
        )
        raise InputError(message)
    row |= {name: _last(pattern, text, first=True).strip() for name, pattern in _SETTINGS.items()}
    row["max_model_len"] = row["max_model_len"].replace(",", "")
    failed = _OUT_OF_MEMORY.search(text)
    started = bool(row["kv_cache_tokens"]) and not failed
    engine = "sglang" if _SGLANG.search(text) else "vllm"
    return {
        "engine": engine, **row, "outcome": "failed" if failed else ("ok" if started else ""),
        "reason_kind": "memory" if failed else "", "reason": failed[0] if failed else "",
    }  # fmt: skip


def _last(pattern: str, text: str, *, first: bool = False) -> str:
    """Return what the last (or first) match of a pattern caught, empty without one."""
    matches = list(re.finditer(pattern, text))
    if not matches:
        return ""
    match = matches[0] if first else matches[-1]
    return next((group for group in match.groups() if group), "")
