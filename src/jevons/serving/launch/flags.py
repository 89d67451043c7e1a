"""Flags of the engines' servers: which setting each makes, and which are known and make none that a prediction sees.

From the documented options of vLLM 0.6 to 0.20, SGLang 0.4 to 0.5 and TensorRT-LLM 0.17 to 1.2; spellings with
underscores and dashes are the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources

Flags = Mapping[str, tuple[str, str]]
"""Setting and kind of value by flag: ``count``, ``frac``, ``text``, ``json``, ``counts``, ``file``, ``on`` or
``off``."""

_VLLM: Flags = {
    "model": ("model", "text"), "model-tag": ("model", "text"),
    "tensor-parallel-size": ("tp", "count"), "tp": ("tp", "count"),
    "pipeline-parallel-size": ("pp", "count"), "pp": ("pp", "count"),
    "data-parallel-size": ("dp", "count"), "dp": ("dp", "count"),
    "enable-expert-parallel": ("all_experts", "on"), "no-enable-expert-parallel": ("all_experts", "off"),
    "ep": ("all_experts", "on"),
    "dtype": ("dtype", "text"), "quantization": ("quantization", "text"), "q": ("quantization", "text"),
    "kv-cache-dtype": ("kv_dtype", "text"), "max-model-len": ("max_model_len", "count"),
    "gpu-memory-utilization": ("memory_frac", "frac"), "max-num-seqs": ("max_num_seqs", "count"),
    "max-num-batched-tokens": ("step_tokens", "count"), "enforce-eager": ("eager", "on"),
    "no-enforce-eager": ("eager", "off"), "enable-prefix-caching": ("prefix_cache", "on"),
    "no-enable-prefix-caching": ("prefix_cache", "off"), "enable-chunked-prefill": ("chunked_prefill", "on"),
    "no-enable-chunked-prefill": ("chunked_prefill", "off"), "speculative-config": ("speculative", "json"),
    "rope-scaling": ("stretched", "json"), "hf-overrides": ("overrides", "json"),
    "sc": ("speculative", "json"), "num-speculative-tokens": ("draft_tokens", "count"),
    "speculative-model": ("draft_model", "text"), "compilation-config": ("compilation", "json"),
    "cc": ("compilation", "json"), "o": ("optimization", "count"), "optimization-level": ("optimization", "count"),
    "kv-offloading-size": ("host_gib", "frac"), "config": ("config", "file"),
    "kv-cache-memory-bytes": ("kv_bytes", "count"),
    "num-gpu-blocks-override": ("kv_blocks", "count"), "block-size": ("block_tokens", "count"),
    "enable-dbo": ("two_batches", "on"), "no-enable-dbo": ("two_batches", "off"),
    "stream-interval": ("stream_tokens", "count"),
    "async-scheduling": ("ahead", "on"), "no-async-scheduling": ("ahead", "off"),
    "moe-backend": ("expert_kernels", "text"),
    "enable-lora": ("adapted", "on"), "max-loras": ("adapters", "count"), "max-lora-rank": ("adapter_rank", "count"),
    "decode-context-parallel-size": ("cache_ranks", "count"), "dcp": ("cache_ranks", "count"),
    "language-model-only": ("text_only", "on"), "limit-mm-per-prompt": ("media", "counts"),
}  # fmt: skip
_SGLANG: Flags = {
    "model-path": ("model", "text"), "model": ("model", "text"),
    "tp": ("tp", "count"), "tp-size": ("tp", "count"), "tensor-parallel-size": ("tp", "count"),
    "pp": ("pp", "count"), "pp-size": ("pp", "count"), "pipeline-parallel-size": ("pp", "count"),
    "dp": ("dp", "count"), "dp-size": ("dp", "count"), "data-parallel-size": ("dp", "count"),
    "ep": ("ep", "count"), "ep-size": ("ep", "count"), "expert-parallel-size": ("ep", "count"),
    "attn-dp-size": ("attn_dp", "count"), "attention-data-parallel-size": ("attn_dp", "count"),
    "enable-ep-moe": ("all_experts", "on"), "enable-deepep-moe": ("all_experts", "on"),
    "moe-a2a-backend": ("all_to_all", "text"), "enable-dp-attention": ("dp_attention", "on"),
    "dtype": ("dtype", "text"), "quantization": ("quantization", "text"), "kv-cache-dtype": ("kv_dtype", "text"),
    "context-length": ("max_model_len", "count"), "mem-fraction-static": ("memory_frac", "frac"),
    "max-running-requests": ("max_num_seqs_all", "count"), "chunked-prefill-size": ("step_tokens_all", "count"),
    "max-total-tokens": ("kv_tokens", "count"), "page-size": ("block_tokens", "count"),
    "disable-cuda-graph": ("eager", "on"), "disable-radix-cache": ("prefix_cache", "off"),
    "max-prefill-tokens": ("prompt_tokens", "count"),
    "speculative-algorithm": ("draft_method", "text"), "speculative-algo": ("draft_method", "text"),
    "speculative-num-steps": ("draft_tokens", "count"), "speculative-num-draft-tokens": ("draft_tree", "count"),
    "speculative-eagle-topk": ("draft_branches", "count"),
    "speculative-draft-model-path": ("draft_model", "text"), "speculative-draft-model": ("draft_model", "text"),
    "scheduler-recv-interval": ("poll_steps", "count"), "stream-interval": ("stream_tokens", "count"),
    "hicache-size": ("host_gib", "frac"),
    "enable-two-batch-overlap": ("two_batches", "on"), "moe-runner-backend": ("expert_kernels", "text"),
    "config": ("config", "file"), "json-model-override-args": ("overrides", "json"),
    "enable-lora": ("adapted", "on"), "max-loras-per-batch": ("adapters", "count"),
    "max-lora-rank": ("adapter_rank", "count"),
    "dcp-size": ("cache_ranks", "count"), "decode-context-parallel-size": ("cache_ranks", "count"),
    "dcp": ("cache_ranks", "count"),
}  # fmt: skip
_TRTLLM: Flags = {
    "model": ("model", "text"), "tp-size": ("tp", "count"), "pp-size": ("pp", "count"), "ep-size": ("ep", "count"),
    "tensor-parallel-size": ("tp", "count"), "pipeline-parallel-size": ("pp", "count"),
    "moe-expert-parallel-size": ("ep", "count"), "enable-attention-dp": ("dp_attention", "on"),
    "max-batch-size": ("max_num_seqs", "count"), "max-num-tokens": ("step_tokens", "count"),
    "max-seq-len": ("max_model_len", "count"), "kv-cache-free-gpu-memory-fraction": ("memory_frac", "frac"),
    "free-gpu-memory-fraction": ("memory_frac", "frac"), "kv-cache-dtype": ("kv_dtype", "text"),
    "extra-llm-api-options": ("config", "file"), "config": ("config", "file"),
    "enable-chunked-prefill": ("chunked_prefill", "on"), "enable-block-reuse": ("prefix_cache", "on"),
    "speculative-config": ("speculative", "json"), "kv-cache-config": ("kv_cache", "json"),
    "cuda-graph-config": ("graphs", "json"), "backend": ("backend", "text"), "dtype": ("dtype", "text"),
    "max-tokens": ("kv_tokens", "count"),
}  # fmt: skip
_GENERIC: Flags = {**_VLLM, "kv-tokens": ("kv_tokens", "count")}
FLAGS: Mapping[str, Flags] = {"vllm": _VLLM, "sglang": _SGLANG, "trtllm": _TRTLLM, "generic": _GENERIC}

_KNOWN: Mapping[str, Sequence[str]] = json.loads(
    (resources.files("jevons.serving") / "data" / "launch_flags.json").read_text(encoding="utf-8")
)
NEUTRAL = frozenset(_KNOWN["neutral"])
"""Flags that change neither memory nor times as far as a prediction sees."""
UNMODELLED = frozenset(_KNOWN["unmodelled"])
"""Flags that do change something that no prediction sees; one warning names those of a line."""
SWITCHES = frozenset(_KNOWN["switches"])
"""Known flags without a setting that take no value."""

SHORT: Mapping[str, Mapping[str, str]] = {
    "vllm": {
        "tp": "tp", "pp": "pp", "dp": "dp", "q": "q", "O": "o", "ep": "ep", "sc": "sc", "cc": "cc",
        "n": "nnodes", "r": "node-rank", "dcp": "dcp", "pcp": "pcp", "asc": "api-server-count",
        "dpn": "data-parallel-rank", "dpr": "data-parallel-start-rank", "dpl": "data-parallel-size-local",
        "dpa": "data-parallel-address", "dpp": "data-parallel-rpc-port", "dpb": "data-parallel-backend",
        "dph": "data-parallel-hybrid-lb", "dpe": "data-parallel-external-lb",
    },
    "sglang": {"tp": "tp", "pp": "pp", "dp": "dp", "ep": "ep"},
    "trtllm": {},
    "generic": {},
}  # fmt: skip
"""Flags with one dash."""
