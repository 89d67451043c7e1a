"""Reads the configuration of a measured serving row: what ran, on what, under which load."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jevons.errors import InputError
from jevons.serving.points import Lengths
from jevons.serving.types import Layout
from jevons.validation.names import device_id, engine_key, model_named, plain, precision_of

Row = Mapping[str, str]

# Draws of the benchmark clients. InferenceX asks for lengths between 0.8 and 1 of the nominal one; `random` of SGLang
# between nothing and the maximum; conversation sets have long tails.
_INFERENCEX_RATIO = 0.8
# Clients that ask for equal lengths: as counted by the server they differ by half a percent or so, enough for users
# who start together to fall out of step within a few answers. (Chosen after the residuals of one table were seen.)
_NOMINAL_SPREAD = 0.005
_INFERENCEX_LENGTHS = {1024.0, 8192.0}
_TAIL_SIGMA = 1.3
_OFFLINE_REQUESTS = 3000
_LOOP_WAVES = 10
_SGLANG_DRAFTING = 48  # requests at once with a drafting head where nothing is set (`speculative_hook.py`)
_FEW = 8


@dataclass(frozen=True, slots=True)
class Dataset:
    """A benchmark task's lengths, and its limits on the 99th percentile by scenario [s]."""

    isl: Lengths
    osl: Lengths
    requests: int
    limits: Mapping[str, tuple[float, float]]


# Mean lengths as the task descriptions of MLPerf Inference (v4.1 to v6.0) print or imply them; limits are TTFT, TPOT.
MLPERF = {
    "llama-2-70b": Dataset(
        Lengths(294.0, sigma=0.8), Lengths(294.0, sigma=0.7), 24576, {"Server": (2.0, 0.2), "Interactive": (0.45, 0.04)}
    ),
    "llama-3.1-405b": Dataset(
        Lengths(9428.0, sigma=0.6), Lengths(684.0, sigma=0.7), 8313,
        {"Server": (6.0, 0.175), "Interactive": (4.5, 0.08)},
    ),
    "llama-3.1-8b": Dataset(
        Lengths(778.0, sigma=0.5), Lengths(128.0), 13368, {"Server": (2.0, 0.1), "Interactive": (0.5, 0.03)}
    ),
    "mixtral-8x7b": Dataset(Lengths(275.0, sigma=0.8), Lengths(145.0, sigma=0.8), 15000, {"Server": (2.0, 0.2)}),
    "deepseek-r1": Dataset(
        Lengths(800.0, sigma=0.8), Lengths(3880.0, sigma=0.8), 4388,
        {"Server": (2.0, 0.08), "Interactive": (1.5, 0.015)},
    ),
    "gpt-oss-120b": Dataset(
        Lengths(3500.0, sigma=0.7), Lengths(1310.0, sigma=0.8), 6396,
        {"Server": (3.0, 0.08), "Interactive": (2.0, 0.02)},
    ),
    "gpt-j-6b": Dataset(Lengths(919.0, sigma=0.5), Lengths(69.0, sigma=0.3), 13368, {"Server": (20.0, 1.0)}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """The configuration behind one or several measured rows; rows of one run have equal cases.

    Parameters
    ----------
    family : str
        Of the table.
    device, model : str
        Accelerator id, and the model's name as printed.
    engine, version : str
        Engine preset, and the version as printed.
    precision : str or None
        Of the weights; None for what the model ships in.
    kv : str or None
        Of the cache; None for the rule of `predict`.
    layout, prefill : Layout
        Of an instance; of a prefill instance where prompts are processed apart.
    replicas : int
        Independent instances that share the load.
    prefill_workers, decode_workers, prefill_batch : int
        Of a disaggregated deployment; 0 where prompts and decodes share devices.
    gpus : int
        Accelerators that the metric covers.
    scenario : str
        ``closed``, ``open``, ``burst``, ``offline``, ``static``, or an MLPerf one: ``mlperf-offline``,
        ``mlperf-server``, ``mlperf-interactive``.
    isl, osl : Lengths
        Of the requests.
    requests, users : int
        In all, and at once (batch where static).
    rate_per_s : float
        Of an open loop.
    step_tokens, max_batch : int
        Limits given on the command line; 0 where none.
    memory_frac : float
        Share of memory given on the command line; 0 where none.
    draft_tokens : int
        Speculated tokens per step; 0 without speculation.
    poll_steps, wait_steps : int
        The scheduler looks for requests every so many steps; prompts wait so long for company.
    wait_frac : float
        Until they fill this share of a step.
    stream_steps : int
        Tokens that the server sends at a time.
    represents : int
        Requests of the run that a shorter one stands for; 0 for none.
    decoded_layout : bool
        Whether the table's layout was a product of sizes and had to be read as such.
    search : bool
        Whether the layout is not recorded, so that the best is taken.
    lags : bool
        Whether this version of the engine composes a step as the one before begins.
    captured_tokens : float or None
        Prompt steps of up to so many tokens run as captured graphs; None for what the engine does.
    """

    family: str
    device: str
    model: str
    engine: str
    version: str
    precision: str | None
    kv: str | None
    layout: Layout
    scenario: str
    isl: Lengths
    osl: Lengths
    gpus: int
    requests: int = 0
    users: int = 0
    rate_per_s: float = 0.0
    replicas: int = 1
    prefill: Layout | None = None
    prefill_workers: int = 0
    decode_workers: int = 0
    prefill_batch: int = 0
    step_tokens: int = 0
    max_batch: int = 0
    memory_frac: float = 0.0
    draft_tokens: int = 0
    poll_steps: int = 0
    wait_steps: int = 0
    wait_frac: float = 0.0
    stream_steps: int = 1
    represents: int = 0
    decoded_layout: bool = False
    search: bool = False
    lags: bool = True
    captured_tokens: float | None = None


def read_case(row: Row) -> Case:
    """Return the configuration of a row of a serving table.

    Raises
    ------
    InputError
        With the reason why the row cannot be predicted: unknown device, model or load, missing layout or lengths.
    """
    family = row.get("family", "")
    spec, hint = model_named(row["model"])
    notes = row.get("notes", "") or ""
    case = Case(
        family=family,
        device=device_id(row["gpu"]),
        model=row["model"],
        engine=_engine(row),
        version=row.get("engine_version", "") or "",
        precision=_precision(row.get("precision") or "", hint),
        kv=None,
        layout=Layout(),
        scenario="",
        isl=Lengths(1.0),
        osl=Lengths(1.0),
        gpus=int(_number(row.get("n_gpus")) or 0),
    )
    case = replace(case, lags=_lags(case))
    if row.get("isl") == "dataset":
        return _mlperf(case, row, spec.name)
    if notes.startswith("{"):
        from jevons.validation.recipes import with_recipe

        return with_recipe(_with_json(case, row, json.loads(notes), moe=spec.is_moe), spec.name)
    return _with_text(case, row, notes, moe=spec.is_moe)


def _precision(column: str, hint: str | None) -> str | None:
    """Return the precision of a row; a column such as ``float16 unless FP8 in model name`` defers to the name."""
    stated = precision_of(column)
    return (hint or stated) if "unless" in column else (stated or hint)


def _engine(row: Row) -> str:
    """Return the engine preset; tables of 2023 that name none measured engines without captured graphs."""
    name = row.get("engine", "") or ""
    if not name and (row.get("date_or_version") or "").startswith("2023"):
        return "eager"
    return engine_key(name)


def _release(version: str) -> tuple[int, ...] | None:
    """Return a version such as ``v0.10.2`` as numbers, or None."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def _lags(case: Case) -> bool:
    """Return whether an engine's version overlaps scheduling: SGLang and TensorRT-LLM do, vLLM from 0.14."""
    if case.engine == "vllm":
        release = _release(case.version)
        return case.version.startswith(("nightly", "main")) or (release is not None and release >= (0, 14))
    return case.engine in {"sglang", "trtllm"}


def _number(text: str | None) -> float | None:
    """Return a count such as ``1024``, ``2K`` or ``64k``, or None."""
    found = re.fullmatch(r"\s*([\d.]+)\s*([kK]?)\s*", text or "")
    return float(found[1]) * (1024.0 if found[2] else 1.0) if found else None


def _sizes(row: Row) -> Layout:
    """Return the layout of a row's columns; attention ranks share experts where both dp and ep are above one."""
    tp, pp, ep, dp = (int(_number(row.get(name)) or 1) for name in ("tp", "pp", "ep", "dp"))
    tp, pp, ep, dp = max(tp, 1), max(pp, 1), max(ep, 1), max(dp, 1)
    return Layout(tp=tp, pp=pp, ep=ep, dp=dp, dp_attention=dp > 1)


def _mlperf(case: Case, row: Row, model: str) -> Case:
    """MLPerf prints neither layout nor lengths: the task fixes these, and the layout is searched."""
    if model not in MLPERF:
        message = f"`{row['model']}` is no MLPerf task whose lengths are known"
        raise InputError(message)
    scenario = row.get("concurrency_or_rate", "")
    task = MLPERF[model]
    if scenario not in {"Offline", *task.limits}:
        message = f"scenario `{scenario}` of {model} has no known limits"
        raise InputError(message)
    if case.gpus < 1:
        message = "the row does not say how many devices it covers"
        raise InputError(message)
    precision = case.precision
    if precision is None:  # the tasks' accuracy targets allow it, and submitters use it
        precision = "fp4" if case.device in {"b200_sxm", "gb200", "b300_sxm", "gb300"} else "fp8"
    return replace(
        case, precision=precision, scenario=f"mlperf-{scenario.lower()}", isl=task.isl, osl=task.osl,
        requests=task.requests, search=True,
    )  # fmt: skip


def _with_json(case: Case, row: Row, notes: Mapping[str, Any], *, moe: bool) -> Case:
    """InferenceX rows: a closed loop, its layout in columns (aggregated) or in notes (disaggregated)."""
    users = _users(row, notes)
    usual = {_number(row.get("isl")), _number(row.get("osl"))} <= _INFERENCEX_LENGTHS
    drawn = usual or "InferenceX" in str(notes.get("origin", ""))
    isl, osl = _lengths(row, _INFERENCEX_RATIO if drawn else None)
    kinds = {str(notes.get(name, "")) for name in ("gemm", "moe")} - {""}
    precision = case.precision
    if precision is None and kinds:
        precision = precision_of(kinds.pop())
    case = replace(
        case, precision=precision, scenario="closed", isl=isl, osl=osl, users=users,
        requests=max(_LOOP_WAVES * users, 1),
    )  # fmt: skip
    if case.engine == "trtllm" and "InferenceX" not in str(notes.get("origin", "")):
        case = replace(case, lags=False)  # no wait for the step in progress shows in the vendor's own runs
    if notes.get("mode") == "disagg":
        return _apart(case, notes, moe=moe)
    return _together(case, row, notes, moe=moe)


def _users(row: Row, notes: Mapping[str, Any]) -> int:
    text = row.get("concurrency_or_rate") or ""
    found = re.match(r"concurrency (\d+)", text)
    users = int(found[1]) if found else int(_number(str(notes.get("batch_size", ""))) or 0)
    if users < 1:
        message = f"no concurrency: `{text}`"
        raise InputError(message)
    return users


def _lengths(row: Row, ratio: float | None) -> tuple[Lengths, Lengths]:
    """Return lengths between *ratio* and 1 of the nominal ones, or nominal ones."""
    made = []
    mean = 1.0 if ratio is None else (1.0 + ratio) / 2.0
    spread = _NOMINAL_SPREAD if ratio is None else (1.0 - ratio) / 2.0 / mean
    for name in ("isl", "osl"):
        nominal = _number(row.get(name))
        if nominal is None:
            message = f"no {name}: `{row.get(name)}`"
            raise InputError(message)
        made.append(Lengths(nominal * mean, spread=spread))
    return made[0], made[1]


def _together(case: Case, row: Row, notes: Mapping[str, Any], *, moe: bool) -> Case:
    layout, decoded = _sizes(row), False
    if int(_number(row.get("tp")) or 0) < 1:
        message = "the row states no layout"
        raise InputError(message)
    experts_tp = int(_number(str(notes.get("moe_tp", ""))) or 0)
    tp, ep, dp = layout.tp, layout.ep, layout.dp
    node = 8
    if ep > 1 and dp > 1 and tp > 1 and ep == tp * dp and dp == tp:
        # Written as the product of two ways of counting the same devices. vLLM splits attention over them where experts
        # are parallel, unless told otherwise; the others run attention on each.
        tp, ep, dp, decoded = (tp, tp, 1, True) if case.engine == "vllm" else (1, dp, dp, True)
    elif ep > 1 and dp > ep and dp % ep == 0 and tp == 1:
        dp, decoded = ep, True
    elif notes.get("layout_suspect") or tp > node:
        # tp was multiplied with ep: the devices are those of ep.
        tp, dp, decoded = max(ep, 1), 1, True
    if not moe:
        ep = 1
    per_rank = int(_number(str(notes.get("batch_size", ""))) or case.users)
    ranks = case.users // per_rank if per_rank and case.users % per_rank == 0 else 1
    users = case.users
    if ranks > 1 and dp == 1 and ep == 1 and not moe:
        users = per_rank  # independent replicas behind one router, each with its own share of the users
    elif ranks > 1 and dp == 1 and ranks == tp and not decoded:
        tp, dp, decoded = 1, tp, True  # each device is an attention rank with its own batch
    group = tp * dp
    if moe and ep == 1 and experts_tp and group % experts_tp == 0 and experts_tp < group:
        ep = group // experts_tp
    layout = Layout(tp=tp, pp=layout.pp, ep=min(ep, group), dp=dp, dp_attention=dp > 1)
    requests = max(_LOOP_WAVES * users, 1)
    return replace(case, layout=layout, gpus=layout.devices, users=users, requests=requests, decoded_layout=decoded)


def _apart(case: Case, notes: Mapping[str, Any], *, moe: bool) -> Case:
    workers = [int(_number(str(notes.get(f"{side}_num_workers", ""))) or 0) for side in ("prefill", "decode")]
    if min(workers) < 1:
        message = "missing layout: a disaggregated row without its numbers of workers"
        raise InputError(message)
    sides = []
    for side in ("prefill", "decode"):

        def size(name: str, side: str = side) -> int:
            return max(int(_number(str(notes.get(f"{side}_{name}", ""))) or 1), 1)

        dp, tp = size("attention_dp_size"), size("tp_size")
        ep = size("moe_ep_size") if moe else 1
        sides.append(Layout(tp=tp, pp=size("pp_size"), ep=min(ep, tp * dp), dp=dp, dp_attention=dp > 1))
    gpus = workers[0] * sides[0].devices + workers[1] * sides[1].devices
    return replace(
        case, layout=sides[1], prefill=sides[0], prefill_workers=workers[0], decode_workers=workers[1], gpus=gpus,
        prefill_batch=0,
    )  # fmt: skip


def _with_text(case: Case, row: Row, notes: str, *, moe: bool) -> Case:
    command = _command(notes)
    case = replace(_with_flags(case, command), layout=_sizes(row))
    release = _release(case.version)
    if case.engine == "trtllm" and release is not None and release < (0, 20):
        # Engines built by TensorRT, before its PyTorch backend.
        case = replace(case, captured_tokens=math.inf, lags=False)
    if not row.get("tp") and not case.gpus:
        message = "the row states no layout"
        raise InputError(message)
    layout = _layout(case, row, notes, command, moe=moe)
    gpus = case.gpus or layout.devices
    replicas = max(gpus // layout.devices, 1) if _per_deployment(row) else 1
    kv = "fp8" if re.search(r"kv.cache.dtype[= ]fp8", command) else case.kv
    case = replace(case, layout=layout, gpus=gpus, replicas=replicas, kv=kv)
    if case.family == "published_misc" and re.search(r"simulat|estimate", notes, re.IGNORECASE):
        message = "simulated or estimated, not measured"
        raise InputError(message)
    case = _with_load(case, row, notes)
    if case.scenario == "offline" and case.engine == "trtllm":
        from jevons.validation.recipes import with_overview

        return with_overview(case, moe=moe)
    return case


def _per_deployment(row: Row) -> bool:
    return not row["metric"].endswith("_per_gpu")


def _command(notes: str) -> str:
    found = re.search(r"(?:last serve command in page|serve): (.*?)(?:; requests=|; total_in|$)", notes)
    return found[1] if found else ""


def _flag(command: str, *names: str) -> str | None:
    for name in names:
        found = re.findall(rf"(?:^|[\s\[]){re.escape(name)}[=\s]+([^\s\]]+)", command)
        if found:
            return str(found[-1])
    return None


def _with_flags(case: Case, command: str) -> Case:
    """Take limits, precision and speculation from a serve command."""
    budget = _flag(command, "--max-num-batched-tokens", "--max_num_tokens", "--chunked-prefill-size")
    running = _flag(command, "--max-num-seqs", "--max-running-requests", "--max_batch_size")
    share = _flag(command, "--gpu-memory-utilization", "--mem-fraction-static")
    served = re.search(r"(?:serve|--model-path|--model|--model_path)[= ]+([\w./-]+)", command)
    hint = None
    if served:
        try:
            hint = model_named(served[1])[1]
        except InputError:
            hint = None
    draft = re.search(r'num_speculative_tokens"?[:= ]+(\d+)', command) or re.search(
        r"--speculative-num-steps[= ](\d+)", command
    )
    drafts = case.engine == "sglang" and draft is not None
    return replace(
        case,
        precision=hint or case.precision,
        step_tokens=int(_number(budget) or 0),
        max_batch=int(_number(running) or (_SGLANG_DRAFTING if drafts else 0)),
        memory_frac=float(_number(share) or 0.0),
        draft_tokens=int(draft[1]) if draft else 0,
        poll_steps=int(_number(_flag(command, "--scheduler-recv-interval")) or 0),
    )


def _layout(case: Case, row: Row, notes: str, command: str, *, moe: bool) -> Layout:
    """Return an instance's layout from the columns, the layout label, and the serve command."""
    layout = case.layout
    tp = int(_number(_flag(command, "--tp", "-tp", "--tp-size", "--tp_size", "--tensor-parallel-size")) or layout.tp)
    if row.get("tp"):
        tp = layout.tp
    pp = max(layout.pp, int(_number(_flag(command, "-pp", "--pp-size", "--pp_size")) or 1))
    ep = int(_number(_flag(command, "--ep", "--ep-size", "--ep_size")) or layout.ep)
    dp = int(_number(_flag(command, "--dp", "--dp-size", "-dp", "--data-parallel-size")) or layout.dp)
    if "--enable-expert-parallel" in command:
        ep = tp * dp
    if "--enable-dp-attention" in command or (case.engine == "sglang" and dp > 1 and moe and "--dp" in command):
        # SGLang counts all devices as tp, and dp attention ranks among them.
        ranks = min(max(1, dp), tp)
        return Layout(tp=tp // ranks, pp=pp, ep=min(ep, tp) if moe else 1, dp=ranks, dp_attention=ranks > 1)
    if "enable_attention_dp" in notes and moe and tp > 1:
        return Layout(tp=1, pp=pp, ep=tp, dp=tp, dp_attention=True)
    label = re.search(r'layout "DEP(\d+)', notes)
    if label:
        size = int(label[1])
        return Layout(tp=1, pp=pp, ep=size if moe else 1, dp=size, dp_attention=size > 1)
    if dp > 1 and tp * dp * pp > max(case.gpus, 1):
        dp = max(case.gpus // (tp * pp), 1)
    return Layout(tp=tp, pp=pp, ep=min(max(ep, 1), tp * dp) if moe else 1, dp=dp, dp_attention=dp > 1 and moe)


def _with_load(case: Case, row: Row, notes: str) -> Case:
    """Take lengths, requests and arrivals from columns and notes."""
    load = plain(row.get("concurrency_or_rate") or "")
    isl, osl = _text_lengths(row, notes)
    requests = int(_number(_said(notes, "requests")) or 0)
    bare = re.search(r"\b(\d+) (?:requests|prompts)\b", f"{notes} {load}")
    requests = requests or (int(bare[1]) if bare else 0)
    case = replace(case, isl=isl, osl=osl)
    static = re.match(r"static batch (\d+)", load)
    if static:
        return replace(case, scenario="static", requests=int(static[1]), users=int(static[1]))
    users = re.search(r"(?:max )?concurrency (\d+)", load)
    rate = re.search(r"([\d.]+) req/s", load) or re.match(r'section "Rate ([\d.]+)"', notes)
    if users and not rate:
        count = int(users[1])
        if "max concurrency" in load and count > _FEW and count % 10 and count & (count - 1):
            message = f"load `{row.get('concurrency_or_rate')}` is a peak that was seen, not one that was set"
            raise InputError(message)
        return replace(case, scenario="closed", users=count, requests=requests or _LOOP_WAVES * count)
    if rate:
        return replace(case, scenario="open", rate_per_s=float(rate[1]), requests=requests or 500)
    if load.startswith("inf (offline"):
        return replace(case, scenario="offline", requests=requests or _OFFLINE_REQUESTS)
    if load.startswith("inf"):
        seats = re.search(r"max num seqs (\d+)", load)
        limit = int(seats[1]) if seats else case.max_batch
        return replace(case, scenario="burst", requests=requests or 1000, max_batch=limit)
    if row["metric"] == "first_token_latency_ms":
        return replace(case, scenario="static", requests=1, users=1)
    message = f"load `{row.get('concurrency_or_rate')}` is none that can be replayed"
    raise InputError(message)


def _said(notes: str, name: str) -> str | None:
    found = re.search(rf"\b{name}=([\d.]+)", notes)
    return found[1] if found else None


def _text_lengths(row: Row, notes: str) -> tuple[Lengths, Lengths]:
    """Return lengths: stated means before nominal ones; a mean well below the nominal one tells a uniform draw."""
    made = []
    requests = _number(_said(notes, "requests"))
    tailed = "sharegpt" in (row.get("isl") or "").lower() or "dataset see page" in notes or "ShareGPT" in notes
    for name, mean_name, total_name in (("isl", "mean_in", "total_in"), ("osl", "mean_out", "total_out")):
        nominal = _number(row.get(name))
        mean = _number(_said(notes, mean_name))
        total = _number(_said(notes, total_name))
        if mean is None and total is not None and requests:
            mean = total / requests
        if mean is None and nominal is not None and "lengths vary" in notes:
            mean = nominal / 2.0
        if mean is None and nominal is None:
            if name == "osl" and "prefill" in (row.get("osl") or ""):
                nominal = 1.0
            else:
                message = f"no {name}: `{row.get(name)}`, and the notes give no mean"
                raise InputError(message)
        if tailed and mean is not None:
            made.append(Lengths(max(mean, 1.0), sigma=_TAIL_SIGMA))
        elif mean is not None and nominal is not None and mean < 0.9 * nominal:
            made.append(Lengths(max(mean, 1.0), spread=1.0 - 1e-3))
        else:
            made.append(Lengths(max(mean or nominal or 1.0, 1.0)))
    return made[0], made[1]
