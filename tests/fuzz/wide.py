"""More ways in: config.json key by key, device files, serve lines, arguments of functions, and whole plans."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from targets import ROOT, Target, encoded, mutated, written

# Models -------------------------------------------------------------------------------------------------------------

_CONFIGS = ROOT / "src" / "jevons" / "models" / "configs"
_VALUES: tuple[Any, ...] = (
    0, -1, 1, 2, 3, 7, 1.5, 1e300, -1e300, 1e-300, math.nan, math.inf, 10**9, 10**30, True, False, None, "", "x", "7",
    [], [0], [1, 2], ["x"], [None], {}, {"a": 1}, {"x": {}}, [[]], "\x1b[31m", "中文", "\ud800", "a" * 3000,
)  # fmt: skip


@functools.cache
def _families() -> list[dict[str, Any]]:
    """Return one shipped config of each architecture."""
    seen: dict[str, dict[str, Any]] = {}
    for path in sorted(_CONFIGS.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        kind = str(raw.get("model_type")) + str((raw.get("quantization_config") or {}).get("quant_method"))
        seen.setdefault(kind, raw)
    return list(seen.values())


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside an object, at most three levels down."""
    if len(path) == 3:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from _places(inner, (*path, key))


@functools.cache
def _cells() -> list[tuple[int, tuple[Any, ...]]]:
    """Return every key of every family."""
    return [(n, path) for n, raw in enumerate(_families()) for path in _places(raw)]


def make_config(rng: random.Random) -> bytes:
    """Return a config with one value changed, in turn over families, keys and junk; seldom with two."""
    cells = _cells()
    number = getattr(rng, "number", rng.randrange(10**9))
    which, path = cells[number // len(_VALUES) % len(cells)]
    raw = json.loads(json.dumps(_families()[which]))
    _put(raw, path, _VALUES[number % len(_VALUES)])
    if rng.random() < 0.2:
        _put(raw, rng.choice([p for n, p in cells if n == which]), rng.choice(_VALUES))
    if rng.random() < 0.05:
        return encoded(mutated(json.dumps(raw, indent=1), rng))
    return encoded(json.dumps(raw))


def _put(raw: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        try:
            raw = raw[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(raw, dict) or (isinstance(raw, list) and isinstance(path[-1], int) and path[-1] < len(raw)):
        raw[path[-1]] = copy.deepcopy(value)  # a second change may put something into the first


def judge_config(case: bytes, folder: Path) -> None:
    from jevons.models.read import read_config

    spec = read_config(written(folder, "config.json", case))
    assert 0 < spec.n_layers < 1e6
    for figure in (spec.parameters_total, spec.parameters_active, spec.weight_bytes()):
        assert math.isfinite(figure), figure
        assert figure > 0, figure
    assert spec.parameters_active <= spec.parameters_total * 1.0001


# Devices ------------------------------------------------------------------------------------------------------------

_DEVICE = """name: my card
vendor: us
like: h100_sxm
peaks: {bf16: 500 TFLOP/s, fp8: 1 PFLOP/s}
memory: 96 GB
bandwidth: 4 TB/s
cache: 50 MB
clock: 1.7 GHz
tdp: 500 W
server_power: 900 W
network: 50 GB/s
cores: 132
node_devices: 8
link: {kind: nvlink, bandwidth: 450 GB/s, domain: 8}
price: 100000 CNY
"""


def make_device(rng: random.Random) -> bytes:
    return encoded(mutated(_DEVICE, rng))


def judge_device(case: bytes, folder: Path) -> None:
    from jevons.hardware import accelerator

    device = accelerator(str(written(folder, "card.yaml", case)))
    for figure in (device.hbm_bytes, device.hbm_bytes_per_s, device.server_w, *device.peak_flop_per_s.values()):
        assert math.isfinite(figure)
        assert figure > 0


# Serve lines --------------------------------------------------------------------------------------------------------

_SERVE = (
    """vllm serve meta-llama/Llama-3.1-8B --tensor-parallel-size 2 --max-num-seqs 256 --max-num-batched-tokens 8192
    --gpu-memory-utilization 0.9 --enable-expert-parallel""",
    """python -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --tp 8 --dp 8 --enable-dp-attention
    --mem-fraction-static 0.85 --chunked-prefill-size 8192 --max-running-requests 512 --speculative-num-steps 3""",
    """trtllm-serve Qwen/Qwen3-30B-A3B --tp_size 4 --ep_size 4 --pp_size 1 --max_batch_size 512
    --max_num_tokens 8192""",
)


def make_serve(rng: random.Random) -> str:
    return " ".join(mutated(rng.choice(_SERVE).replace(" --", "\n--"), rng).split())


def judge_serve(case: str, folder: Path) -> None:
    import csv
    import io

    from jevons.validation import validate

    head, row = _serving_row()
    notes = f"{row['notes']}serve: {case}; requests={row['after']}"
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [head, [notes if name == "notes" else row[name] for name in head]]
    )
    for entry in validate([written(folder, "rows.csv", encoded(stream.getvalue()))]).entries:
        assert entry.predicted is not None or entry.reason
        assert entry.predicted is None or (math.isfinite(entry.predicted) and entry.predicted >= 0)


@functools.cache
def _serving_row() -> tuple[list[str], dict[str, str]]:
    import csv

    path = ROOT / "tests" / "data" / "serving" / "engine_bench.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["isl"] == "128" and "serve: " in row["notes"])
    before, _, after = row["notes"].partition("serve: ")
    row["model"] = "meta-llama/Llama-3.1-8B"
    return list(row), {**row, "notes": before, "after": after.partition("; requests=")[2]}


# Arguments of functions ---------------------------------------------------------------------------------------------

_ARGUMENTS: tuple[Any, ...] = (
    0, -1, 1, 7, 10**6, 10**12, 10**40, 1.5, 1e-300, 1e300, math.nan, math.inf, -math.inf, True, None, "", "x", "5",
    "1e9", "300ms", "1.5 s", "2 USD", "-2 USD", "1:8:4", "9" * 300, [], ["h20"], {}, b"x", np.float64(2), np.int64(3),
    "中文",
    Path("nowhere"), Path("/dev/null"), "/", "a\x00b", object,
)  # fmt: skip


@functools.cache
def _functions() -> dict[str, tuple[Callable[..., Any], dict[str, Any], tuple[str, ...]]]:
    """Return public functions with arguments that work, and the names of all that they take."""
    import jevons
    from jevons.options import parameters

    operators = jevons.operators
    good: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "cost": (jevons.cost, {"gpu": "h20", "model": "qwen3-0.6b", "isl": 200, "osl": 50}),
        "memory": (jevons.memory, {"model": "qwen3-0.6b", "gpu": "h20"}),
        "simulate": (jevons.simulate, {"model": "qwen3-0.6b", "gpu": "h20", "rate": 2, "requests": 50, "isl": 50}),
        "size": (jevons.size, {"model": "qwen3-0.6b", "gpu": "h20", "rate": 2, "static": True}),
        "train": (jevons.train, {"model": "qwen3-0.6b", "gpu": "h20", "gpus": 8, "tokens": "1B"}),
        "buy_rent_api": (jevons.buy_rent_api, {"model": "deepseek-r1", "gpu": "h20"}),
        "gemm": (operators.gemm, {"m": 64, "n": 128, "k": 256, "gpu": "h20"}),
        "attention": (operators.attention, {"batch": 4, "heads": 32, "kv_heads": 8, "head_dim": 128, "gpu": "h20"}),
        "all_reduce": (operators.all_reduce, {"size": "1 MB", "gpus": 8, "gpu": "h20"}),
    }
    return {name: (f, start, tuple(one.name for one in parameters(f))) for name, (f, start) in good.items()}


def make_call(rng: random.Random) -> tuple[str, dict[str, Any]]:
    name = rng.choice(tuple(_functions()))
    _, start, names = _functions()[name]
    changed = {rng.choice(names): rng.choice(_ARGUMENTS) for _ in range(rng.choice((1, 1, 2)))}
    return name, {**start, **changed}


def judge_call(case: tuple[str, dict[str, Any]], folder: Path) -> None:
    name, arguments = case
    try:
        result = _functions()[name][0](**arguments)
    except TypeError as error:  # a call that Python itself refuses
        if "argument" not in str(error):
            raise
        return
    assert result.answer
    assert result.tables
    repr(result)


# Plans --------------------------------------------------------------------------------------------------------------

_TINY = ROOT / "tests" / "unit" / "study" / "tiny.yaml"
_FACTORS = (0.0, 1e-9, 1e-3, 0.1, 0.5, 2.0, 10.0, 1e3, 1e9, -1.0)


@functools.cache
def _amounts() -> tuple[Any, dict[str, float]]:
    from jevons.study import load

    scenario = load(_TINY)
    return scenario, {path: amount.value for path, amount in scenario.amounts().items()}


def make_plan(rng: random.Random) -> dict[str, float]:
    _, amounts = _amounts()
    changed = rng.sample(sorted(amounts), rng.choice((1, 1, 2, 3)))
    return {path: (amounts[path] or 1.0) * rng.choice(_FACTORS) for path in changed}


def judge_plan(case: dict[str, float], folder: Path) -> None:
    import jevons

    scenario, _ = _amounts()
    jevons.plan(scenario.with_values(case), draws=0)


# Messages -----------------------------------------------------------------------------------------------------------


def make_message(rng: random.Random) -> tuple[str, str, int, list[float]]:
    from jevons.hardware import accelerator_ids

    sizes = sorted(2.0 ** rng.uniform(0.0, 40.0) for _ in range(30))
    gpus = rng.choice((1, 2, 3, 4, 8, 9, 16, 72, 100, 1000, 20_000))
    operation = rng.choice(("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "point_to_point"))
    return rng.choice(tuple(accelerator_ids())), operation, gpus, sizes


def judge_message(case: tuple[str, str, int, list[float]], folder: Path) -> None:
    from jevons.hardware import cluster
    from jevons.operators import kernels

    del folder
    gpu, operation, gpus, sizes = case
    group = (gpus,) if operation != "point_to_point" else ()
    times = np.asarray(getattr(kernels, operation)(cluster(gpu, gpus), np.array(sizes), *group).time_s)
    assert np.isfinite(times).all()
    assert (times > 0).all() or gpus == 1
    assert (np.diff(times) >= -1e-12 * times[1:]).all(), "a larger message arrives sooner"


# Loads in parts -----------------------------------------------------------------------------------------------------


def make_parted(rng: random.Random) -> tuple[Any, int, int, int]:
    from jevons.serving.sim import Load

    load = Load(
        requests=rng.choice((1, 2, 3, 50, 400)), isl=rng.choice((1, 40, 300)), osl=rng.choice((1, 20)),
        arrivals=rng.choice(("constant", "poisson", "gamma")), cv=rng.choice((0.1, 4.0)),
        rate_req_per_s=rng.choice((0.5, 20.0, 1e6)), isl_cv=rng.choice((0.0, 1.0)), osl_cv=rng.choice((0.0, 3.0)),
    )  # fmt: skip
    return load, rng.randrange(1, 4), rng.choice((1, 7, 100, 1000)), rng.choice((0, 0, 3))


def judge_parted(case: tuple[Any, int, int, int], folder: Path) -> None:
    from jevons.serving import sim

    del folder
    load, replicas, part, queue = case
    table = sim.constant_table(8, 64, decode_s=0.01, prompt_token_s=0.0002)
    limits = sim.SimLimits(max_batch=8, step_tokens=64, block_tokens=16, kv_blocks=100, queue=queue)
    kept = sim.simulate(sim.generate(load, 1), table, limits, replicas=replicas, entry_s=0.001)
    parted = sim.simulate_streamed(load, table, limits, replicas=replicas, entry_s=0.001, seed=1, part=part).simulated
    assert kept.work == parted.work
    assert (kept.counts.served, kept.counts.refused) == (parted.counts.served, parted.counts.refused)
    assert (kept.trail.gaps == parted.trail.gaps).all()
    assert math.isclose(kept.whole.throughput.req_per_s, parted.whole.throughput.req_per_s, rel_tol=1e-9)


TARGETS = (
    Target("config.json", make_config, judge_config, 600),
    Target("device files", make_device, judge_device, 200),
    Target("serve lines", make_serve, judge_serve, 30),
    Target("arguments", make_call, judge_call, 60),
    Target("messages", make_message, judge_message, 150),
    Target("loads in parts", make_parted, judge_parted, 60),
    Target("plans", make_plan, judge_plan, 4),
)


def warm_up(folder: Path) -> None:
    """Import and compile what the targets use."""
    for raw in itertools.islice(_families(), 1):
        judge_config(encoded(json.dumps(raw)), folder)
    judge_device(encoded(_DEVICE), folder)
    judge_serve(_SERVE[0], folder)
    for name, (_, start, _) in _functions().items():
        judge_call((name, dict(start)), folder)
    for more in (
        {"replicas": 2, "routing": "least_tokens"},
        {"routing": "least_loaded"},
        {"concurrency": 2, "rate": None},
    ):
        judge_call(("simulate", {**_functions()["simulate"][1], **more}), folder)
    judge_message(make_message(random.Random(1)), folder)  # noqa: S311
    judge_parted(make_parted(random.Random(1)), folder)  # noqa: S311
    judge_plan({}, folder)
