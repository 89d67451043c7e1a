"""Serve options of closed-loop benchmark rows that name no serve command.

Public benchmark workflows start each engine with a script of their own per model, device and lengths. Rows that were
made so state the engine, model, device, layout, lengths and concurrency, from which the script's rules follow.
Read in github.com/SemiAnalysisAI/InferenceX, benchmarks/*.sh (Apache-2.0), versions of October 2025 to February 2026.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from jevons.validation.serving.case import Case

_BLACKWELL = {"b200_sxm", "b300_sxm", "gb200", "gb300"}

# Until 0.5.6, kernels that continue a prompt were compiled when the first prompt longer than a chunk came, while its
# wave of requests waited (means of TTFT are 7 s above medians in runs of ten waves: inferencex_mantile.csv).
_COMPILING_UNTIL = (0, 5, 6)
_COMPILE_S = 70.0

# The image that the workflow runs only with a drafting head (dsr1_*_b200_trt_mtp.sh); rows do not record drafting.
_DRAFTING_IMAGE = "1.2.0rc6.post3"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Options, and the rows they belong to."""

    applies: Callable[[Case, str], bool]
    options: Callable[[Case], dict[str, object]]


def _short_answer(case: Case) -> bool:
    return case.isl.mean <= 1024 and case.osl.mean <= 1024


def _prompt(case: Case) -> int:
    """Return the longest prompt."""
    return math.ceil(case.isl.mean * (1.0 + case.isl.spread))


def _drafts(case: Case) -> bool:
    """Return whether a row belongs to the scripts with a drafting head: fp8, tensor-parallel, of early 2026.

    Of DeepSeek's runs those named R1 are; the same scripts without drafting are named V3 in the table.
    """
    alone = case.layout.ep == 1 and not case.layout.dp_attention
    return case.version == "0.5.9" and case.precision == "fp8" and alone and "V3" not in case.model


def _compiles_late(case: Case) -> bool:
    """Return whether a row is of a release of SGLang that compiles when a prompt is continued; undated rows are old."""
    stated = re.match(r"v?(\d+)\.(\d+)\.(\d+)", case.version)
    return stated is None or tuple(int(part) for part in stated.groups()) <= _COMPILING_UNTIL


def _sglang_deepseek(case: Case) -> dict[str, object]:
    # dsr1_fp8_b200.sh, dsr1_fp4_b200.sh: --scheduler-recv-interval 10, from 16 users on 30; --kv-cache-dtype fp8_e4m3;
    # --chunked-prefill-size 32768 and 16384; with drafting 16384 and --max-running-requests 512. (The first token is
    # not held back by --stream-interval.)
    step_tokens = case.step_tokens or (32768 if case.precision == "fp8" and not _drafts(case) else 16384)
    stalls = _compiles_late(case) and case.users * case.isl.mean > step_tokens
    return {
        "poll_steps": 30 if case.users >= 16 else 10,
        "draft_tokens": 2 if _drafts(case) else 0,
        "kv": "fp8",
        "first_stall_s": _COMPILE_S if stalls else 0.0,
        "step_tokens": step_tokens,
        "max_batch": case.max_batch or (512 if _drafts(case) else 256),
    }


def _trtllm_llama(case: Case) -> dict[str, object]:
    # 70b_fp8_b200_trt_slurm.sh: batch_wait_timeout_iters 20, batch_wait_max_tokens_ratio 0.9 for 1k/1k below tp 8.
    # (stream_interval 10 does not hold back the first token.)
    waits = _short_answer(case) and case.layout.tp < 8
    return {"wait_steps": 20 if waits else 0, "wait_frac": 0.9, "step_tokens": case.step_tokens or 16384, "kv": "fp8"}


def _trtllm_deepseek(case: Case) -> dict[str, object]:
    # dsr1_fp{4,8}_b200_trt{,_mtp}.sh: KV fp8; at least 8192 prompt tokens per step. With attention per device, prompts
    # wait up to 60 steps for each device to have one (attention_dp_config). Without, and in fp8: for 1k/1k from 64 to
    # 255 users, up to 40 steps for 80 % of a step (batch_wait_*), and captured graphs of all sizes for many users.
    # With drafting: 3 tokens, or 1 where attention is data-parallel, and room for the decodes and one prompt.
    ranks = case.layout.dp if case.layout.dp_attention else 1
    prompt = _prompt(case)
    made: dict[str, object] = {"kv": "fp8", "step_tokens": max((case.users + prompt + 127) // 64 * 64, 8192)}
    if case.version == _DRAFTING_IMAGE:
        draft = 1 if case.layout.dp_attention else 3
        batch = max(case.users // ranks, 1)
        tokens = ((draft + 1) * batch + prompt + 127) // 64 * 64
        made |= {"draft_tokens": draft, "step_tokens": tokens, "max_batch": batch}
    elif case.precision == "fp8" and ranks == 1:
        short, many = _short_answer(case), 128 if case.osl.mean > 1024 else 64
        if many <= case.users < (math.inf if case.isl.mean > 1024 else 256):
            made |= {"captured_tokens": math.inf}
        if short and 64 <= case.users < 256:
            made |= {"wait_steps": 40, "wait_frac": 0.8}
    if ranks > 1:
        made |= {"wait_steps": 60, "wait_frac": case.isl.mean / int(str(made["step_tokens"]))}
    return made


def _trtllm_deepseek_hopper(case: Case) -> dict[str, object]:
    # dsr1_fp8_h200_trt_mtp_slurm.sh: experts parallel; 3 drafted tokens, or 1 where attention is data-parallel. The
    # same without drafting (dsr1_fp8_h200_trt_slurm.sh) ran tensor-parallel experts.
    drafts = case.layout.ep > 1
    return {"draft_tokens": (1 if case.layout.dp_attention else 3) if drafts else 0, "kv": "fp8"}


def _sglang_qwen(case: Case) -> dict[str, object]:
    # qwen3.5_{bf16,fp8,fp4}_b{2,3}00{,_mtp}.sh: the same intervals and --chunked-prefill-size 32768; in fp8 from 0.5.10
    # an interval of 10 and 16384. --kv-cache-dtype fp8_e4m3 but for bf16.
    late = case.version.startswith("0.5.10") and case.precision == "fp8"
    made: dict[str, object] = {"kv": "fp8"} if case.precision in {"fp8", "fp4"} else {}
    return made | {
        "poll_steps": 10 if late or case.users < 16 else 30,
        "step_tokens": case.step_tokens or (16384 if late else 32768),
        "draft_tokens": 3 if _drafts(case) else 0,
    }


def _sglang_other(case: Case) -> dict[str, object]:
    # glm5_fp8_b200.sh and its like: --kv-cache-dtype fp8_e4m3, --chunked-prefill-size 32768.
    made: dict[str, object] = {"step_tokens": case.step_tokens or 32768}
    return made | ({"kv": "fp8"} if case.precision in {"fp8", "fp4"} else {})


def _vllm_llama(case: Case) -> dict[str, object]:
    # 70b_fp8_b200_docker.sh, 70b_fp8_h100_slurm.sh: kv-cache-dtype fp8, async-scheduling, 8192 tokens a step; on
    # Blackwell no graph is captured for prompts (cudagraph_mode FULL_DECODE_ONLY).
    captured = 0.0 if case.device in _BLACKWELL else case.captured_tokens
    return {"kv": "fp8", "lags": True, "step_tokens": 8192, "captured_tokens": captured}


def _vllm_gptoss(case: Case) -> dict[str, object]:
    # gptoss_fp4_h100.sh: async-scheduling, 8192 tokens a step, max-cudagraph-capture-size 2048, max-num-seqs as users.
    return {"lags": True, "step_tokens": 8192, "captured_tokens": 2048.0, "max_batch": case.users}


def _vllm_minimax(case: Case) -> dict[str, object]:
    # minimaxm2.5_fp8_b200.sh until 0.18: experts always parallel. minimaxm2.5_fp{4,8}_b300.sh, copied from those for
    # the B200: a cache of 8 bits, twice the prompt per step, graphs up to 2048 tokens.
    if case.version.startswith(("0.17", "0.18")):
        return {"layout": replace(case.layout, ep=case.layout.tp), "memory_frac": 0.95}
    nominal = 1024 if case.isl.mean <= 1024 else 8192
    return {"kv": "fp8", "step_tokens": 2 * nominal, "captured_tokens": 2048.0}


def _new(case: Case) -> bool:
    """Return whether the device is one whose scripts were read."""
    return case.device in _BLACKWELL


RECIPES = (
    Recipe(lambda c, model: c.engine == "vllm" and model.startswith("llama"), _vllm_llama),
    Recipe(lambda c, model: c.engine == "vllm" and model.startswith("gpt-oss"), _vllm_gptoss),
    Recipe(lambda c, model: c.engine == "vllm" and model.startswith("minimax") and _new(c), _vllm_minimax),
    Recipe(lambda c, model: c.engine == "sglang" and model.startswith("deepseek") and _new(c), _sglang_deepseek),
    Recipe(lambda c, model: c.engine == "sglang" and model.startswith("qwen3.5") and _new(c), _sglang_qwen),
    Recipe(lambda c, _: c.engine == "sglang" and _new(c), _sglang_other),
    Recipe(lambda c, model: c.engine == "trtllm" and model.startswith("llama") and _new(c), _trtllm_llama),
    Recipe(lambda c, model: c.engine == "trtllm" and model.startswith("deepseek") and _new(c), _trtllm_deepseek),
    Recipe(
        lambda c, model: c.engine == "trtllm" and model.startswith("deepseek") and c.device == "h200_sxm",
        _trtllm_deepseek_hopper,
    ),
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
    if case.scenario != "closed" or case.prefill is not None:
        return case
    for recipe in RECIPES:
        if recipe.applies(case, model):
            return replace(case, **recipe.options(case))  # type: ignore[arg-type]
    return case
