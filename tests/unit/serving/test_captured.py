"""Which deployments run their prompts as captured graphs."""

import math

import pytest

from jevons import models, serving
from jevons.hardware import accelerator
from jevons.serving.captured import captured_most, captured_tokens, in_pools
from jevons.serving.closed_loop.points import with_limits
from jevons.serving.step import engine_time, step_work
from jevons.serving.types import Deployment, Layout


def deployed(model="qwen3-30b-a3b", engine="sglang", **changes):
    given = {
        "model": models.load(model), "accelerator": accelerator("h200_sxm"), "layout": Layout(tp=8),
        "precision": "native", "kv_precision": "bf16", "engine": serving.engine(engine),
    }  # fmt: skip
    return Deployment(**given | changes)


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({}, math.inf), ({"model": "deepseek-r1"}, 2048.0), ({"model": "deepseek-v3.2"}, 0.0),
        ({"model": "gemma-3-27b"}, 0.0), ({"draft_tokens": 3}, 0.0),
        ({"layout": Layout(tp=4, pp=2)}, 0.0), ({"layout": Layout(dp=8, ep=8, dp_attention=True)}, 0.0),
        ({"accelerator": accelerator("mi300x")}, 0.0),
    ],
)  # fmt: skip
def test_graphs_of_prompts_are_for_plain_models_of_text(changes, most):
    assert captured_most(deployed(**changes)) == most
    assert captured_tokens(serving.engine("vllm"), most) == serving.engine("vllm").host.captured_tokens


def first_step_s(engine, tokens=600.0, **changes):
    asked = deployed(engine=engine, **changes)
    return float(engine_time(step_work(asked, prefill_tokens=tokens), asked.engine).time_s[0])


def test_a_short_prompt_is_quicker_from_the_release_that_captures_it():
    assert first_step_s("sglang@0.5.10") < 0.6 * first_step_s("sglang@0.5.9")
    assert first_step_s("sglang@0.5.9") == first_step_s("sglang@0.5")
    assert first_step_s("sglang") == first_step_s("sglang@0.5.10.post1")


def test_a_compressed_cache_has_a_limit_of_its_own():
    latent = {"model": "deepseek-r1", "precision": "native"}
    within, beyond = (
        first_step_s("sglang@0.5.9", tokens, **latent) - first_step_s("sglang@0.5.10", tokens, **latent)
        for tokens in (2048.0, 2049.0)
    )
    assert within > 0.0 == beyond


def test_a_server_that_is_told_captures_whatever_it_serves():
    told = with_limits(serving.engine("sglang"), captured_tokens=512.0)
    assert captured_tokens(told, 0.0) == 512.0
    assert captured_tokens(serving.engine("sglang"), 0.0) == 0.0


def test_an_engine_without_graphs_captures_no_prompts():
    eager = serving.engine("vllm").replace(eager=True)
    assert captured_tokens(eager, math.inf) == 0.0
    assert captured_tokens(eager.replace(eager=False), math.inf) == 512.0


def test_workers_of_prompts_alone_capture_none():
    assert in_pools(serving.engine("sglang")).host.captured_tokens == 0.0
    assert in_pools(serving.engine("vllm")) == serving.engine("vllm")
