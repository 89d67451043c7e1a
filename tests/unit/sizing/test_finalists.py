"""A finalist that fails is one line among those left out, never the end of a search."""

import pytest

import jevons
from jevons.errors import InputError
from places import DATA

TRACE = DATA / "traces" / "azure_conversation_sample.csv"


def test_a_pool_too_small_for_a_request_is_left_out_and_the_others_stay():
    limits = {"max_num_seqs": 1024, "max_num_batched_tokens": 8192}
    sized = jevons.size("llama-3.3-70b", gpu="a100", trace=TRACE, rate=20, ttft="3s", tpot="150ms", **limits)
    assert sized.best.accelerators >= 4
    reasons = [missed.detail for missed in sized.missed]
    assert any("requests exceed the KV cache of llama-3.3-70b int8 on 1 a100_sxm (tp1)" in reason for reason in reasons)
    assert "missed" in sized.tables


def test_tokens_of_an_answer_of_one_token_have_no_cost_of_their_own():
    with pytest.raises(InputError, match="osl=1: must be at least 2"):
        jevons.cost("h20", model="llama-3.1-8b", osl=1)
