"""Serve options of closed-loop benchmark rows that name no serve command.

Public benchmark workflows start each engine with a script of their own per model, device and lengths. Rows that were
made so state the engine, model, device, layout, lengths and concurrency, from which the script's rules follow.
Read in github.com/SemiAnalysisAI/InferenceX, benchmarks/*.sh (Apache-2.0), versions of October 2025 to February 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from jevons.validation.cases import Case

_BLACKWELL = {"b200_sxm", "b300_sxm", "gb200", "gb300"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Options, and the rows they belong to."""

    applies: Callable[[Case, str], bool]
    options: Callable[[Case], dict[str, object]]


def _short_answer(case: Case) -> bool:
    return case.isl.mean <= 1024 and case.osl.mean <= 1024


def _sglang_deepseek(case: Case) -> dict[str, object]:
    # dsr1_fp8_b200.sh, dsr1_fp4_b200.sh: --scheduler-recv-interval 10, from 16 users on 30; --kv-cache-dtype fp8_e4m3;
    # --stream-interval 30 (fp8) or 10 (fp4).
    return {
        "poll_steps": 30 if case.users >= 16 else 10,
        "stream_steps": 30 if case.precision == "fp8" else 10,
        "kv": "fp8",
        "step_tokens": case.step_tokens or 16384,
        "max_batch": case.max_batch or 256,
    }


def _trtllm_llama(case: Case) -> dict[str, object]:
    # 70b_fp8_b200_trt_slurm.sh: batch_wait_timeout_iters 20, batch_wait_max_tokens_ratio 0.9 for 1k/1k below tp 8.
    waits = _short_answer(case) and case.layout.tp < 8
    return {"wait_steps": 20 if waits else 0, "wait_frac": 0.9, "step_tokens": case.step_tokens or 16384, "kv": "fp8"}


def _trtllm_deepseek(case: Case) -> dict[str, object]:
    # dsr1_fp8_b200_trt.sh: batch_wait_timeout_iters 40, ratio 0.8 for 1k/1k from 64 to 255 users; KV fp8.
    waits = _short_answer(case) and 64 <= case.users < 256 and case.precision == "fp8"
    return {"wait_steps": 40 if waits else 0, "wait_frac": 0.8, "kv": "fp8"}


def _sglang_qwen(case: Case) -> dict[str, object]:
    # The Qwen3.5 scripts of SGLang up to 0.5.9: the same intervals; dropped later.
    if case.version.startswith("0.5.10"):
        return {}
    return {"poll_steps": 30 if case.users >= 16 else 10, "stream_steps": 30, "step_tokens": case.step_tokens or 32768}


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


def with_recipe(case: Case, model: str) -> Case:
    """Return the case with the options of the first recipe it falls under."""
    if case.device not in _BLACKWELL or case.scenario != "closed" or case.prefill is not None:
        return case
    for recipe in RECIPES:
        if recipe.applies(case, model):
            return replace(case, **recipe.options(case))  # type: ignore[arg-type]
    return case
