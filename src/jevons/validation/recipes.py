"""Serve options of closed-loop benchmark rows that name no serve command.

Public benchmark workflows start each engine with a script of their own per model, device and lengths. Rows that were
made so state the engine, model, device, layout, lengths and concurrency, from which the script's rules follow.
Read in github.com/SemiAnalysisAI/InferenceX, benchmarks/*.sh (Apache-2.0), versions of October 2025 to February 2026.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from jevons.validation.cases import Case

_BLACKWELL = {"b200_sxm", "b300_sxm", "gb200", "gb300"}

# The image that the workflow runs only with a drafting head (dsr1_*_b200_trt_mtp.sh); rows do not record drafting.
_DRAFTING_IMAGE = "1.2.0rc6.post3"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Options, and the rows they belong to."""

    applies: Callable[[Case, str], bool]
    options: Callable[[Case], dict[str, object]]


def _short_answer(case: Case) -> bool:
    return case.isl.mean <= 1024 and case.osl.mean <= 1024


def _drafts(case: Case) -> bool:
    """Return whether a row belongs to the scripts with a drafting head: fp8, tensor-parallel, of early 2026.

    Of DeepSeek's runs those named R1 are; the same scripts without drafting are named V3 in the table.
    """
    alone = case.layout.ep == 1 and not case.layout.dp_attention
    return case.version == "0.5.9" and case.precision == "fp8" and alone and "V3" not in case.model


def _sglang_deepseek(case: Case) -> dict[str, object]:
    # dsr1_fp8_b200.sh, dsr1_fp4_b200.sh: --scheduler-recv-interval 10, from 16 users on 30; --kv-cache-dtype fp8_e4m3.
    # (--stream-interval does not hold back the first token there.)
    return {
        "poll_steps": 30 if case.users >= 16 else 10,
        "draft_tokens": 2 if _drafts(case) else 0,
        "kv": "fp8",
        "step_tokens": case.step_tokens or 16384,
        "max_batch": case.max_batch or 256,
    }


def _trtllm_llama(case: Case) -> dict[str, object]:
    # 70b_fp8_b200_trt_slurm.sh: batch_wait_timeout_iters 20, batch_wait_max_tokens_ratio 0.9 for 1k/1k below tp 8.
    # (stream_interval 10 does not hold back the first token.)
    waits = _short_answer(case) and case.layout.tp < 8
    return {"wait_steps": 20 if waits else 0, "wait_frac": 0.9, "step_tokens": case.step_tokens or 16384, "kv": "fp8"}


def _trtllm_deepseek(case: Case) -> dict[str, object]:
    # dsr1_fp8_b200_trt.sh: batch_wait_timeout_iters 40, ratio 0.8 for 1k/1k from 64 to 255 users; KV fp8; at least 8192
    # prompt tokens per step. With drafting: 3 tokens, or 1 where attention is data-parallel, and room for the decodes
    # and one prompt.
    ranks = case.layout.dp if case.layout.dp_attention else 1
    prompt = math.ceil(case.isl.mean * (1.0 + case.isl.spread))
    if case.version == _DRAFTING_IMAGE:
        draft = 1 if case.layout.dp_attention else 3
        batch = max(case.users // ranks, 1)
        tokens = ((draft + 1) * batch + prompt + 127) // 64 * 64
        return {"draft_tokens": draft, "step_tokens": tokens, "max_batch": batch, "kv": "fp8"}
    waits = _short_answer(case) and 64 <= case.users < 256 and case.precision == "fp8"
    tokens = max((case.users + prompt + 127) // 64 * 64, 8192)
    return {"wait_steps": 40 if waits else 0, "wait_frac": 0.8, "kv": "fp8", "step_tokens": tokens}


def _sglang_qwen(case: Case) -> dict[str, object]:
    # The Qwen3.5 scripts of SGLang up to 0.5.9: the same intervals; dropped later.
    if case.version.startswith("0.5.10"):
        return {}
    return {
        "poll_steps": 30 if case.users >= 16 else 10, "step_tokens": case.step_tokens or 32768,
        "draft_tokens": 3 if _drafts(case) else 0,
    }  # fmt: skip


def _sglang_other(case: Case) -> dict[str, object]:
    # glm5_fp8_b200.sh and its like: --kv-cache-dtype fp8_e4m3.
    return {"kv": "fp8"} if case.precision in {"fp8", "fp4"} else {}


RECIPES = (
    Recipe(lambda c, model: c.engine == "sglang" and model.startswith("deepseek"), _sglang_deepseek),
    Recipe(lambda c, model: c.engine == "sglang" and model.startswith("qwen3.5"), _sglang_qwen),
    Recipe(lambda c, _: c.engine == "sglang", _sglang_other),
    Recipe(lambda c, model: c.engine == "trtllm" and model.startswith("llama"), _trtllm_llama),
    Recipe(lambda c, model: c.engine == "trtllm" and model.startswith("deepseek"), _trtllm_deepseek),
)


def offline_requests(isl: float, osl: float) -> int:
    """Return how many requests TensorRT-LLM's performance overview queues for lengths (its table of requests)."""
    total = isl + osl
    return next((count for limit, count in ((512, 30_000), (3000, 3000), (10_000, 1500)) if total < limit), 1000)


def with_overview(case: Case, *, moe: bool) -> Case:
    """Return an offline row of TensorRT-LLM's overview with the options of the page.

    In 1.0 models with experts run with enable_attention_dp (docs/source/performance/perf-overview.md), and later pages
    name the layout so (DEPn).
    """
    case = replace(case, requests=offline_requests(case.isl.mean, case.osl.mean))
    shared = moe and case.version == "1.0" and case.layout.tp > 1 and not case.layout.dp_attention
    if not shared:
        return case
    return replace(case, layout=replace(case.layout, tp=1, dp=case.layout.tp, ep=case.layout.tp, dp_attention=True))


def with_recipe(case: Case, model: str) -> Case:
    """Return the case with the options of the first recipe it falls under."""
    if case.device not in _BLACKWELL or case.scenario != "closed" or case.prefill is not None:
        return case
    for recipe in RECIPES:
        if recipe.applies(case, model):
            return replace(case, **recipe.options(case))  # type: ignore[arg-type]
    return case
