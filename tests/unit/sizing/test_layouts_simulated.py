"""`jevons.simulate` takes every layout that `jevons.size` recommends."""

from __future__ import annotations

import pytest

import jevons
from jevons.errors import InputError


@pytest.mark.parametrize(
    ("model", "layout", "accelerators"),
    [
        ("llama-3.1-8b", {"tp": 2}, 2), ("llama-3.1-8b", {"pp": 2}, 2), ("llama-3.1-8b", {"dp": 2}, 2),
        ("llama-3.1-8b", {"dp": 2, "pp": 2}, 4), ("qwen3-30b-a3b", {"tp": 2, "ep": 2}, 2),
        ("qwen3-30b-a3b", {"dp": 2, "ep": 2, "dp_attention": True}, 2),
        ("qwen3-30b-a3b", {"dp": 2, "tp": 2, "ep": 4, "dp_attention": True}, 4),
    ],
)  # fmt: skip
def test_a_layout_serves_all_requests(model: str, layout: dict[str, int], accelerators: int) -> None:
    record = jevons.simulate(model, rate=2, requests=200, **layout).to_json()  # type: ignore[arg-type]
    assert record["served"] == 200
    assert record["accelerators"] == accelerators
    assert record["stable"]


def test_stages_hold_more_and_answer_a_lone_request_no_faster() -> None:
    one = jevons.simulate("llama-3.1-8b", rate=0.2, requests=50).to_json()
    two = jevons.simulate("llama-3.1-8b", rate=0.2, requests=50, pp=2).to_json()
    assert 0.9 < two["tpot_s"]["mean"] / one["tpot_s"]["mean"] < 1.3
    assert 2 * two["limits"]["kv_blocks"] > 1.8 * one["limits"]["kv_blocks"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"dp_attention": True}, {"dp": 2, "dp_attention": True}, {"ep": 2}, {"pp": 64}, {"tp": 3},
        {"dp": 2, "gpus": 3}, {"max_model_len": 10**7}, {"pp": 2, "prefill_replicas": 1},
    ],
)  # fmt: skip
def test_a_layout_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        jevons.simulate("llama-3.1-8b", rate=1, requests=100, **wrong)  # type: ignore[arg-type]
