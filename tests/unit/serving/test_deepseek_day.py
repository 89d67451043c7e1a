"""The engineering model against what DeepSeek and SGLang published of serving DeepSeek-V3 on Hopper.

Nothing is fitted to it. DeepSeek's day of 27-28 February 2025 (H800, EP32 prefill, EP144 decode) gives, per node of 8:
73.7k prompt tokens a second (56.3 % of them read from the cache), 14.8k output tokens a second, 4,989 tokens of cache
per output token on average, and 20 to 22 tokens a second per user; 608 bn prompt and 168 bn output tokens over the day.
Its prompt workers were not full: its own profile of balanced prompts of 4,096 tokens has 62.7k computed tokens a second
per node, where the day has 32.2k. SGLang published both phases by themselves, full, on H100, with two-batch overlap.
Run with ``-s`` to see the errors.
"""

import pytest

from jevons import models, serving
from jevons.hardware import accelerator
from jevons.serving.step import step_time

NODE = 8
PREFILL_TOK_PER_S, DECODE_TOK_PER_S = 73_700.0, 14_800.0
PROMPT_PER_OUTPUT = 608.0 / 168.0
MEAN_CACHE_TOKENS = 4_989.0
CACHED_FRAC = 0.563
TPOT_S = 1 / 21.0
PROFILE_TOK_PER_S = 62_713.0
STEP_TOKENS = 16_384.0


LONE = {"all": {"ep_comm": 1.0}}
"""Scales of an engine whose kernels run as they do alone."""


def pool(device, ranks, engine, redundant=32):
    layout = serving.Layout(dp=ranks, ep=ranks, dp_attention=True, redundant_experts=redundant)
    return serving.Deployment(
        model=models.load("deepseek-v3"), accelerator=accelerator(device), layout=layout, precision="fp8",
        kv_precision="bf16", engine=engine,
    )  # fmt: skip


def predicted(scales=None):
    engine = serving.engine("sglang")
    engine = engine if scales is None else engine.replace(scales=scales)
    osl = MEAN_CACHE_TOKENS / (PROMPT_PER_OUTPUT + 0.5)
    workload = serving.Workload(isl=PROMPT_PER_OUTPUT * osl, osl=osl, cached_frac=CACHED_FRAC)
    prefill, decode = (pool("h800_sxm", ranks, engine) for ranks in (32, 144))
    point = serving.best_static_point(decode, workload, tpot_s=TPOT_S, prefill=prefill)
    return NODE * point.prefill_tok_per_s_per_device, NODE * point.decode_tok_per_s_per_device, point


def report_of(name, value, published):
    report = f"{name}: {value:,.0f} tok/s per node predicted, {published:,.0f} published ({value / published - 1:+.0%})"
    print(report)  # noqa: T201
    return report


@pytest.mark.parametrize(
    ("name", "scales", "most"), [("SGLang", None, 0.15), ("kernels as alone", LONE, 0.4)], ids=["sglang", "lone"]
)
def test_the_day_is_within_what_a_node_can_do(name, scales, most):
    prefill, decode, _ = predicted(scales)
    average = PREFILL_TOK_PER_S * (1.0 - CACHED_FRAC)
    report = report_of(f"{name}, DeepSeek's day, computed prompt tokens", prefill, average)
    assert average < prefill < PROFILE_TOK_PER_S, report
    report = report_of(f"{name}, DeepSeek's day, decode", decode, DECODE_TOK_PER_S)
    assert abs(decode / DECODE_TOK_PER_S - 1.0) < most, report


@pytest.mark.parametrize(
    ("name", "device", "isl", "imbalance", "published"),
    [
        ("SGLang", "h100_sxm", 1024, None, 57_674.0),
        ("SGLang", "h100_sxm", 2048, None, 54_543.0),
        ("SGLang", "h100_sxm", 4096, None, 50_302.0),
        ("SGLang, balanced", "h100_sxm", 4096, 1.0, 59_337.0),
        ("DeepSeek's profile, balanced", "h800_sxm", 4096, 1.0, PROFILE_TOK_PER_S),
    ],
)
def test_full_prompt_workers_of_two_overlapped_batches_are_met(name, device, isl, imbalance, published):
    engine = serving.engine("sglang")
    engine = engine if imbalance is None else engine.replace(expert_imbalance=imbalance)
    prompts = 32.0 * STEP_TOKENS / isl
    step = step_time(pool(device, 32, engine), prefill_tokens=32.0 * STEP_TOKENS, prefill_requests=prompts)
    value = NODE * STEP_TOKENS / step.time_s[0]
    report = report_of(f"{name}, prompts of {isl:,}", value, published)
    assert abs(value / published - 1.0) < 0.3, report


@pytest.mark.parametrize(
    ("name", "device", "ranks", "batch", "context", "published"),
    [
        ("SGLang", "h100_sxm", 72, 256, 2050, 22_282.0),
        ("DeepSeek's profile, balanced", "h800_sxm", 128, 128, 4096, 18_598.0),
    ],
)
def test_full_decode_workers_of_two_overlapped_batches_are_met(name, device, ranks, batch, context, published):
    engine = serving.engine("sglang")
    deployment = pool(device, ranks, engine, redundant=0 if 256 % ranks == 0 else 32)
    step = step_time(deployment, decode_batch=float(batch * ranks), decode_context=float(context))
    value = NODE * batch / step.time_s[0]
    report = report_of(f"{name}, decodes of {batch}", value, published)
    assert abs(value / published - 1.0) < 0.23, report
