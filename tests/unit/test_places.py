"""A message about a wrong word begins with the option or argument it came by, and near names are near."""

import pytest

import jevons
from jevons.errors import InputError, did_you_mean


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
