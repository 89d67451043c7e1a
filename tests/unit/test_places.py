"""A message about a wrong word begins with the option or argument it came by, and near names are near."""

import numpy as np
import pytest

import jevons
from jevons.errors import InfeasibleError, InputError, did_you_mean


@pytest.mark.parametrize(
    ("call", "start"),
    [
        (lambda: jevons.size("x", gpu="h20"), "model=x: unknown model"),
        (lambda: jevons.size("qwen3-0.6b", gpu="hh"), "gpu=hh: unknown accelerator"),
        (lambda: jevons.size("qwen3-0.6b", gpu="h20", engine="v"), "engine=v: unknown engine"),
        (lambda: jevons.memory("qwen3-0.6b", gpu="h20", precision="x"), "precision=x: unknown precision"),
        (lambda: jevons.memory("qwen3-0.6b", gpu="h20", kv_precision="x"), "kv_precision=x: unknown cache precision"),
        (lambda: jevons.simulate("qwen3-0.6b", gpu="h20", rate=1, routing="x"), "routing=x: unknown"),
        (
            lambda: jevons.simulate("qwen3-0.6b", gpu="h20", rate=1, autoscale="1:100000000"),
            "autoscale=1:100000000: the maximum must be",
        ),
    ],
)
def test_a_wrong_word_is_named_with_its_argument(call, start):
    with pytest.raises(InputError) as wrong:
        call()
    assert str(wrong.value).startswith(start)


def test_one_letter_is_near_to_nothing():
    assert did_you_mean("x", ["prefix", "mxfp4"]) == ""
    assert did_you_mean("llama", ["llama-3.1-8b-instruct-large"]) == " Did you mean `llama-3.1-8b-instruct-large`?"


@pytest.mark.parametrize(
    ("call", "start"),
    [
        (
            lambda: jevons.simulate("qwen3-0.6b", gpu="h20", rate=1, max_num_batched_tokens=10_000_000),
            "max_num_batched_tokens=10000000: must be at most 1,048,576 tokens",
        ),
        (
            lambda: jevons.train("qwen3-0.6b", gpu="h20", gpus=8, tokens="1B", stages="1,2,3"),
            "stages=1,2,3: 6 layers; qwen3-0.6b has 28",
        ),
        (
            lambda: jevons.simulate("qwen3-0.6b", gpu="h20", rate=1, requests=200_000_000),
            "200,000,000 requests at 1 per second last",
        ),
    ],
)
def test_a_figure_that_a_stage_refuses_is_named_as_the_caller_gave_it(call, start):
    with pytest.raises(InputError) as wrong:
        call()
    assert str(wrong.value).startswith(start)


def test_a_prompt_beyond_the_context_is_told_as_such():
    with pytest.raises(InfeasibleError, match="a sequence at most 40,960"):
        jevons.simulate("qwen3-0.6b", gpu="h20", rate=1, requests=10, isl=100_000_000)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000, "x" * 300 + "/config.json"])
def test_a_name_that_no_file_can_have_is_an_unknown_model(name):
    with pytest.raises(InputError):
        jevons.model(name)


def test_a_closed_loop_of_more_users_than_requests_has_no_negative_edge():
    found = jevons.simulate("qwen3-0.6b", gpu="h20", concurrency=1000, requests=100)
    edges = found.to_json()["edges"]
    assert edges["warm_up_s"] >= 0
    assert edges["drain_s"] >= 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jevons.size(None, gpu="h20"), "model: is missing"),
        (lambda: jevons.size("qwen3-0.6b", gpu=[]), "gpu: names no accelerator"),
        (lambda: jevons.size("qwen3-0.6b", gpu=7), "must be text or a list of texts"),
        (lambda: jevons.memory("qwen3-0.6b", gpu="h20", tp="2"), "must be a whole number"),
        (lambda: jevons.memory("qwen3-0.6b", gpu="h20", tp=2.5), "must be a whole number"),
        (lambda: jevons.memory("qwen3-0.6b", gpu="h20", tp=True), "must be a whole number"),
        (lambda: jevons.operators.gemm(64, 128, [1], gpu="h20"), "must be a whole number"),
        (lambda: jevons.operators.gemm(64, 128, 256, gpu=np.int64(3)), "must be text"),
        (lambda: jevons.simulate("qwen3-0.6b", gpu="h20", rate=1, seed=10**400), "must be at most"),
    ],
)
def test_an_argument_of_another_type_is_told_and_never_a_type_error(call, said):
    with pytest.raises(InputError) as wrong:
        call()
    assert said in str(wrong.value).replace("=", " ")


def test_numbers_of_numpy_are_taken():
    found = jevons.operators.gemm(np.int64(64), 128.0, 256, gpu="h20")
    assert found.time_s == jevons.operators.gemm(64, 128, 256, gpu="h20").time_s
