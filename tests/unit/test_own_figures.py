"""Answers under figures of one's own: those figures move them, and no other answer, whatever was asked before."""

import ast

import pytest

import jevons
from jevons.facts import default_facts
from places import ROOT

READERS = {"default_facts", "engine_fact", "engine_text", "engine_number", "shipped_text"}
"""What reads the facts in force."""
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


def test_what_reads_facts_is_kept_for_each_set_of_figures_apart():
    """`functools.cache` would give an answer under one's own figures to whoever asks next."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(
                ast.unparse(by).startswith(("functools.cache", "functools.lru_cache")) for by in function.decorator_list
            ):
                names = {part.id for part in ast.walk(function) if isinstance(part, ast.Name)}
                assert not names & READERS, f"{path.name}: {function.name} is kept by jevons.facts.per_facts"
