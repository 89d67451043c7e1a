"""The engineering model against DeepSeek's disclosed day of 27-28 February 2025 (H800, EP32 prefill, EP144 decode).

The disclosure is an outside measurement: nothing is fitted to it. It gives, per node of 8: 73.7k prompt tokens a second
(56.3 % of them read from the cache), 14.8k output tokens a second, 4,989 tokens of cache per output token on average,
and 20 to 22 tokens a second per user; 608 bn prompt and 168 bn output tokens over the day. Run with ``-s`` to see the
errors.

Two engines are held against it: SGLang as its serving benchmarks make it, and the same with kernels at the speed that
their authors measured them alone, which those of DeepGEMM, FlashMLA and DeepEP may come near to in their own house.
"""

import pytest

from jevons import models, serving
from jevons.hardware import accelerator

NODE = 8
PREFILL_TOK_PER_S, DECODE_TOK_PER_S = 73_700.0, 14_800.0
PROMPT_PER_OUTPUT = 608.0 / 168.0
MEAN_CACHE_TOKENS = 4_989.0
CACHED_FRAC = 0.563
TPOT_S = 1 / 21.0


LONE = {"all": {"ep_comm": 1.0}}
"""Scales of an engine whose kernels run as they do alone."""


def predicted(scales=None):
    device, model, engine = accelerator("h800_sxm"), models.load("deepseek-v3"), serving.engine("sglang")
    engine = engine if scales is None else engine.replace(scales=scales)
    osl = MEAN_CACHE_TOKENS / (PROMPT_PER_OUTPUT + 0.5)
    workload = serving.Workload(isl=PROMPT_PER_OUTPUT * osl, osl=osl, cached_frac=CACHED_FRAC)

    def pool(ranks):
        layout = serving.Layout(dp=ranks, ep=ranks, dp_attention=True, redundant_experts=32)
        return serving.Deployment(
            model=model, accelerator=device, layout=layout, precision="fp8", kv_precision="bf16", engine=engine
        )

    point = serving.best_static_point(pool(144), workload, tpot_s=TPOT_S, prefill=pool(32))
    prompt_tok_per_s = NODE * point.prefill_tok_per_s_per_device / (1.0 - CACHED_FRAC)
    return prompt_tok_per_s, NODE * point.decode_tok_per_s_per_device, point


@pytest.mark.parametrize(
    ("name", "scales", "most"), [("SGLang", None, 0.6), ("kernels as alone", LONE, 0.4)], ids=["sglang", "lone"]
)
def test_disclosed_throughput_per_node_is_met(name, scales, most):
    prefill, decode, point = predicted(scales)
    for part, value, disclosed in (("prefill", prefill, PREFILL_TOK_PER_S), ("decode", decode, DECODE_TOK_PER_S)):
        error = value / disclosed - 1.0
        report = f"{name}, {part}: {value:,.0f} tok/s per node predicted, {disclosed:,.0f} disclosed ({error:+.0%})"
        print(f"{report}; bound by {point.bounds[part]}, {point.batch / 144:.0f} requests per device")  # noqa: T201
        assert abs(error) < most, report
