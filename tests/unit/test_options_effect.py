"""Options never do nothing: each changes the answer, or is refused or doubted in words."""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import jevons
from draws import some
from jevons.errors import JevonsError
from jevons.options.declare import Declared, parameters
from places import TINY

BASES: dict[str, dict[str, Any]] = {
    "simulate": {"model": "llama-3.1-8b", "gpu": "h100_sxm", "rate": 8, "requests": 200},
    "memory": {"model": "llama-3.1-8b", "gpu": "h100_sxm"},
    "train": {"model": "llama-3.1-8b", "gpu": "h100_sxm", "gpus": 64, "tokens": "15B"},
    "cost": {"gpu": "h100_sxm", "model": "llama-3.1-8b"},
    "size": {"model": "llama-3.1-8b", "gpu": "h100_sxm", "rate": 8, "ttft": 1.0, "static": True},
    "buy_rent_api": {"model": "llama-3.1-8b", "gpu": "rtx_4090", "tokens_per_day": "300M"},
    "plan": {"scenario": TINY},
    "value": {"scenario": TINY},
    "compare": {"a": TINY, "set": ["market.elasticity_scale=1.3"], "draws": 8},
    "study.montecarlo": {"scenario": TINY, "draws": 3},
    "study.sweep": {"scenario": TINY, "axes": ["market.elasticity_scale=0.8,1.2"]},
    "study.foresight": {"scenario": TINY},
}
VALUES: dict[str, tuple[Any, ...]] = {
    "engine_version": ("0.6.3",), "gpu_hour": ("1.1 USD",), "currency": ("CNY", "EUR"), "stages": ("16,16",),
    "site": ("site.us_texas",), "serve": ("vllm serve meta-llama/Llama-3.1-8B-Instruct -tp 2",),
    "set": (["market.elasticity_scale=1.3"],), "first": ("2024-09-30",), "last": ("2024-12-31",), "multiple": (20,),
    "earnings": (1e9,), "draws": (4, 9), "seed": (11,), "case": ("efficiency",),
    "precision": ("fp8", "bf16"), "optimizer": ("adamw_bf16",), "offload": ("optimizer",), "run": ("deepseek-v3",),
    "arrivals": ("gamma",), "rate_stages": ("4:30s,9:30s",), "sweep_rates": ("2,4",), "autoscale": ("1:3",),
    "rate_limit": ("2:4",), "address": ("ray://127.0.0.1:1",), "engine": ("sglang",), "routing": ("least_loaded",),
    "replicas": (2,), "kv_tokens": (2000,), "max_model_len": (4000, 600), "site_mw": (0.01,),
    "as_of": ("2020-01-01", "2026-01-01"),
    "ttft": (0.015,), "tpot": (0.008,), "e2e": (0.5,), "dp": (2,), "gpus": (2,), "tp": (2,),
    "max_replica_gpus": (1, 2), "purchase_price": ("rtx_4090=4000 USD",), "max_num_seqs": (2,),
    "max_num_batched_tokens": (256,),
}  # fmt: skip
FILES = {
    "hardware",
    "calibration",
    "trace",
    "load",
    "lengths_from",
    "measured",
    "map_",
    "executor",
    "address",
    "emit",
    "prices",
    "b",
    "store",
}
"""Options that name a file or a service; tests of their own show what they do."""
LIMITS = {"max_replica_gpus", "ep", "etp", "processes"}
"""Options that bound a search, a degree that only is 1 for this model, and how many processes work."""
BESIDE: dict[tuple[str, str], dict[str, Any]] = {("cost", "eager"): {"max_num_seqs": 4}}
"""What else is given: graphs save host time that the largest batches hide."""
CLOCKS = ("compile_s", "simulated_req_per_s", "computed_s")


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in CLOCKS:
                yield from _flat(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{path}[{place}]")
    else:
        yield path, value


def _answer(function: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return the flat answer, or None where it is refused or doubted."""
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        try:
            record = operator.attrgetter(function)(jevons)(**arguments).to_json()
        except JevonsError:
            return None
    return None if doubts else dict(_flat(record))


def _values(one: Declared) -> tuple[Any, ...]:
    if one.name in VALUES:
        return VALUES[one.name]
    option = one.option
    if option.choices is not None:
        return tuple(choice for choice in option.choices() if choice != one.default)[:3]
    if "bool" in str(one.type):
        return (not one.default,)
    usual = one.default if isinstance(one.default, int | float) else None
    tried = (2 * usual, 0.5 * usual) if usual else (2, 0.5, 50)
    bounded = [
        v for v in tried if (option.low is None or v >= option.low) and (option.high is None or v <= option.high)
    ]
    return tuple(int(v) if v == int(v) else v for v in bounded)


def _cases() -> Iterator[tuple[str, Declared]]:
    for function, base in BASES.items():
        for one in parameters(operator.attrgetter(function)(jevons)):
            if one.name not in base and one.name not in FILES | LIMITS:
                yield function, one


@functools.cache
def usual(function: str) -> dict[str, Any] | None:
    return _answer(function, BASES[function])


@pytest.mark.parametrize(
    ("function", "one"), [pytest.param(*case, id=f"{case[0]}-{case[1].name}") for case in some(_cases())]
)
def test_an_option_changes_the_answer_or_is_refused(function: str, one: Declared) -> None:
    values = _values(one)
    assert values, f"no value is known for {one.name}: add one to VALUES"
    base = BASES[function] | BESIDE.get((function, one.name), {})
    plain = usual(function) if base == BASES[function] else _answer(function, base)
    answers = [_answer(function, {**base, one.name: value}) for value in values]
    assert any(answer is None or answer != plain for answer in answers), f"{one.name} {values} does nothing"


IDLE = [
    ("size", {"think": 3}, "think=3.0: has no effect without concurrency"),
    ("size", {"cv": 3}, "cv=3: has no effect without a load"),
    ("size", {"rate": 3, "cv": 2, "static": True}, "cv=2: has no effect with static"),
    ("size", {"rate": 3, "requests": 500, "static": True}, "requests=500: has no effect with static"),
    ("size", {"concurrency": 4, "cv": 2}, "cv=2: has no effect with concurrency"),
    ("simulate", {"rate": 3, "think": 3}, "think=3.0: has no effect without concurrency"),
    ("simulate", {"rate": 3, "cv": 3, "arrivals": "constant"}, "cv=3: has no effect beside arrivals constant"),
    ("simulate", {"rate": 3, "host_gb": 10}, "host_gb=10: has no effect without prompts that repeat"),
    ("simulate", {"concurrency": 3, "arrivals": "constant"}, "arrivals=constant: has no effect beside concurrency"),
    ("simulate", {"rate": 3, "arrivals": "at_once"}, "rate=3: has no effect beside arrivals at_once"),
    ("memory", {"dp_attention": True}, "dp_attention: has no effect without dp above 1"),
    ("cost", {"dp_attention": True}, "has dp_attention = True: .*more than one, of a model with experts"),
]


@pytest.mark.parametrize(("function", "given", "message"), IDLE)
def test_an_option_that_another_makes_idle_is_refused(function: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(JevonsError, match=message):
        getattr(jevons, function)(model="llama-3.1-8b", gpu="h100_sxm", **given)


@pytest.mark.parametrize("option", ["isl", "osl", "isl_cv", "osl_cv", "cv"])
@pytest.mark.parametrize("function", ["size", "simulate"])
def test_a_trace_says_lengths_and_arrivals_itself(function: str, option: str, tmp_path: Any) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("timestamp,input_length,output_length\n0,100,10\n1,100,10\n")
    with pytest.raises(JevonsError, match=f"{option}=7: has no effect"):
        getattr(jevons, function)("llama-3.1-8b", trace=trace, **{option: 7})
