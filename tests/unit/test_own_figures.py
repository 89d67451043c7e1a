"""Answers under figures of one's own: those figures move them, and no other answer, whatever was asked before."""

import pytest

import jevons
from jevons.facts import default_facts

SERVED = {"model": "llama-3.1-8b", "gpu": "h100_sxm"}


def sized() -> float:
    latency = jevons.size(**SERVED, rate=10, static=True, tp=2).to_json()["best"]["latency"]
    return float(latency["tpot_s"]["mean"]["mean"])


def held() -> float:
    return float(jevons.memory(**SERVED, tp=1).to_json()["kv_bytes"])


def trained() -> float:
    return float(jevons.train(model="llama-3.1-8b", gpu="h100_sxm", gpus=64, tokens="15B").to_json()["step_time_s"])


def tripled(beginning: str, ending: str) -> dict[str, float]:
    shipped = default_facts()
    return {
        fact.id: 3.0 * shipped.get(fact.id).number
        for fact in shipped if fact.id.startswith(beginning) and fact.id.endswith(ending)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "beginning", "ending"),
    [
        (sized, "launches.", ""), (sized, "kernels.all.", "_scale"), (sized, "kernels.hopper.", "_scale"),
        (sized, "engine.vllm.", "step_overhead_s"),
        (held, "engine.vllm.graph", "_bytes"), (trained, "training.", "layer_overhead_s"),
    ],
)  # fmt: skip
def test_own_figures_move_the_answer_and_leave_no_trace(asked, beginning, ending):
    own = tripled(beginning, ending)
    before = asked()
    with jevons.facts.changed(own):
        under = asked()
    assert under != before
    assert asked() == before
    with jevons.facts.changed(own):
        assert asked() == under
