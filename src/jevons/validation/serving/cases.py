"""Reads the configuration of a measured serving row: what ran, on what, under which load."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable
from typing import Any

from jevons.errors import InputError
from jevons.operators.engines import GENERIC, Place, engine_id, engine_in, engine_names, engine_number, engine_text
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.sim.load.repeats import Repeats
from jevons.serving.types import Layout
from jevons.validation.names import device_id, model_named, plain, precision_of
from jevons.validation.serving.case import (
    Case,
    Instances,
    Requested,
    Row,
    benchmark,
    check_case,
    count_of,
    number_of,
    release_meant,
    sizes_of,
    with_release,
)
from jevons.validation.serving.energy import dataset_lengths, steady
from jevons.validation.serving.inferencex import loop_requests, with_json
from jevons.validation.serving.mlperf import mlperf_case
from jevons.validation.serving.recipes import with_recipe
from jevons.validation.serving.serve_command import layout_of, serve_command_of, with_flags

_FEW = 8
_OF_2023 = "eager"
UNTIMED = "the median gap between this run's tokens is 0 ms: its client did not time most of them"
PER_TOKEN = ("tpot_", "itl_", "request_latency_")


def read_case(row: Row) -> Case:
    """Return the configuration of a row of a serving table.

    Raises
    ------
    InputError
        With the reason why the row cannot be predicted: unknown device, model or load, missing layout or lengths, a
        number that nothing can be.
    """
    return check_case(_stated_case(row))


def _stated_case(row: Row) -> Case:
    family = row.get("family", "")
    notes = row.get("notes", "") or ""
    model = _model(row, notes)
    spec, hint = model_named(model)
    case = Case(
        family=family,
        device=device_id(row["gpu"]),
        model=model,
        engine=_engine(row),
        version=row.get("engine_version", "") or "",
        precision=_precision(row.get("precision") or "", hint),
        kv=_stated_cache(row.get("precision") or ""),
        scenario="",
        gpus=int(number_of(row.get("n_gpus")) or 0),
        instances=Instances(layout=Layout()),
        requested=Requested(isl=Lengths(mean=1.0), osl=Lengths(mean=1.0)),
    )
    case = with_release(case, release_meant(case.engine, case.version, row.get("date_or_version") or ""))
    if row.get("isl") == "dataset" and not row.get("tp"):
        return mlperf_case(case, row, spec.name)
    if notes.startswith("{"):
        record = _record(notes)
        case = with_json(case, row, record, moe=spec.is_moe)
        case = with_recipe(case, spec.name, "any_json", origin=str(record.get("origin", "")))
        case = with_recipe(case, spec.name, "closed_loops")
        return with_recipe(case, spec.name, "pools")
    return _with_text(case, row, notes, moe=spec.is_moe)


def _record(notes: str) -> dict[str, Any]:
    """Return the configuration that notes in JSON state."""
    try:
        record = json.loads(notes)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        message = "the notes begin like JSON and are none"
        raise InputError(message)
    return record


def _precision(column: str, hint: str | None) -> str | None:
    """Return the precision of a row; a column such as ``float16 unless FP8 in model name`` defers to the name."""
    stated = precision_of(column)
    return (hint or stated) if "unless" in column else (stated or hint)


def _stated_cache(column: str) -> str | None:
    """Return the precision of the cache that a column such as ``FP4 (FP8 KV)`` states, None where it states none."""
    stated = re.search(r"\((\w+) kv\)", column.lower())
    return precision_of(stated[1]) if stated else None


def _model(row: Row, notes: str) -> str:
    """Return the model's name: that of the serve command where the row's title has it too, else that of the column."""
    served = re.match(r"(?:vllm serve|trtllm-serve)\s+(?:[\w.-]+/)*([\w.-]+)", serve_command_of(notes))
    column, title = row["model"], (row.get("source_title") or "").lower()
    if served is None or served[1].lower() not in title or served[1].lower() in column.lower():
        return column
    return served[1]


def _engine(row: Row) -> str:
    """Return the engine preset; tables of 2023 that name none measured engines without captured graphs."""
    name = row.get("engine", "") or ""
    titled = _titled(row.get("notes", "") or "")
    if titled:
        return titled
    if not name and (row.get("date_or_version") or "").startswith("2023"):
        return _OF_2023
    known = engine_in(name)
    return _standing_in(name) or known if known == GENERIC else known


def _titled(notes: str) -> str:
    """Return the engine that a run's section and label name; empty where they name none, or several.

    A page that compares engines has its column from the serve command, which only the first of them has.
    """
    titles = " ".join(title for title in re.findall(r'\b(?:section|label) "([^"]*)"', notes) if title)
    named = {engine for word in set(re.findall(r"[\w-]+", titles)) if (engine := _called(word))}
    return named.pop() if len(named) == 1 else ""


@functools.lru_cache(maxsize=1024)
def _called(word: str) -> str:
    """Return the engine that a word is a name of; empty for none."""
    try:
        engine = engine_id(word)
    except InputError:
        return _standing_in(word)
    return "" if engine in {GENERIC, _OF_2023} else engine


def _standing_in(name: str) -> str:
    """Return the engine that one without factors of its own is read as: facts ``read_too``; empty for none."""
    label = name.strip().lower()
    stand_ins = (
        engine for engine in engine_names() if label in re.split(r";\s*", engine_text(engine, "read_too").lower())
    )
    return next(stand_ins, "") if label else ""


def untimed_runs(rows: Iterable[Row]) -> set[str]:
    """Return the runs whose client did not time most tokens: the median gap between them is printed as zero.

    A server that hands reasoning out apart from the answer sends chunks that a client may pass over. The time per token
    that it prints is then that of the few it saw, over the number of all.
    """
    return {
        row.get("run_id") or ""
        for row in rows
        if row.get("metric") == "itl_ms_p50" and re.fullmatch(r"0(\.0*)?", row.get("value") or "")
    } - {""}


def _with_text(case: Case, row: Row, notes: str, *, moe: bool) -> Case:
    command = serve_command_of(notes)
    case = with_flags(case, notes).replace(layout=sizes_of(row))
    if not row.get("tp") and not case.gpus:
        message = "the row states no layout"
        raise InputError(message)
    layout = layout_of(case, row, notes, command, moe=moe)
    case = _with_drafts(case, row)
    gpus = case.gpus or layout.devices
    replicas = max(gpus // layout.devices, 1) if _per_deployment(row) else 1
    kv = "fp8" if re.search(r"kv.cache.dtype[= ]fp8", command) else case.kv
    case = case.replace(layout=layout, gpus=gpus, replicas=replicas, kv=kv)
    guessed = re.search(r"simulat|estimate", notes, re.IGNORECASE) and not notes.startswith("measured")
    if case.family == "published_misc" and guessed:
        message = "simulated or estimated, not measured"
        raise InputError(message)
    case = _with_load(case, row, notes)
    if case.scenario in {"burst", "closed"}:
        case = case.replace(token_s=engine_number(case.engine, "stream_token_s", Place(release=case.release)) or 0.0)
    if case.scenario == "burst":
        return with_recipe(case, model_named(case.model)[0].name, "bursts", moe=moe)
    name = model_named(case.model)[0].name
    if case.scenario == "closed":
        return with_recipe(case, name, "loops_in_words", moe=moe, origin=command)
    return with_recipe(case, name, "offline", moe=moe) if case.scenario == "offline" else case


def _with_drafts(case: Case, row: Row) -> Case:
    """Take from a run that prints its acceptance length that it drafted; so many tokens as it takes, where not said."""
    accepted = number_of(row.get("accept_length")) or 0.0
    if accepted <= 1.0:
        return case
    stated, seats = case.scheduler.draft_tokens, case.scheduler.max_batch
    drafts = stated or max(math.ceil(accepted) - 1, round(benchmark("drafts")))
    limit = None if stated else engine_number(case.engine, "drafting_max_batch")
    most = min(accepted, drafts + 1.0)
    return case.replace(draft_tokens=drafts, max_batch=seats or int(limit or 0), accepted_tokens=most)


def _per_deployment(row: Row) -> bool:
    return not row["metric"].endswith(("_per_gpu", "_per_node"))


def _with_load(case: Case, row: Row, notes: str) -> Case:
    """Take lengths, requests and arrivals from columns and notes."""
    load = plain(row.get("concurrency_or_rate") or "")
    isl, osl = _text_lengths(row, notes)
    requests = int(number_of(_said(notes, "requests")) or 0)
    requests = requests or _counted(f"{notes} {load} {row.get('isl')}", load, plain(case.model))
    case = case.replace(isl=isl, osl=osl)
    static = re.match(r"static batch (\d+)", load)
    if static:
        return case.replace(scenario="static", requests=count_of(static[1]), users=count_of(static[1]))
    users = re.search(r"(?:max )?concurrency (\d+)", load)
    rate = re.search(r"([\d.]+) (?:req|sessions)/s", load) or re.match(r'section "Rate ([\d.]+)"', notes)
    if users and not rate:
        count = count_of(users[1])
        if "max concurrency" in load and count > _FEW and count % 10 and count & (count - 1):
            message = f"load `{row.get('concurrency_or_rate')}` is a peak that was seen, not one that was set"
            raise InputError(message)
        closed = case.replace(scenario="closed", users=count, requests=requests or loop_requests(count))
        return steady(closed, notes)
    if rate:
        case = case.replace(
            scenario="open",
            rate_per_s=number_of(rate[1]) or 0.0,
            requests=requests or round(benchmark("open_requests")),
        )
        return _with_stage(case, notes)
    if load.startswith(("inf (offline", "maximum", "saturated")):
        return case.replace(scenario="offline", requests=requests or round(benchmark("offline_requests")))
    if load.startswith("inf"):
        seats = re.search(r"max num seqs (\d+)", load)
        limit = count_of(seats[1]) if seats else case.scheduler.max_batch
        return case.replace(scenario="burst", requests=requests or round(benchmark("burst_requests")), max_batch=limit)
    if row["metric"] == "first_token_latency_ms":
        return case.replace(scenario="static", requests=1, users=1)
    stated = row.get("concurrency_or_rate")
    message = f"load `{stated}` is none that can be replayed"
    raise InputError(message if stated else "no load is stated: add --concurrency or --rate, or a column of that name")


def _with_stage(case: Case, notes: str) -> Case:
    """Take from notes what makes an open loop other than requests by chance, each with a prompt of its own."""
    told = re.search(r"(\d{1,6})\s*x\s*(\d{1,6}) distinct prompts", notes)
    system = re.search(r"(\d{1,7}) shared system", notes)
    stage = re.search(r"\bstage (\d{1,4}) of \d", notes)
    counted = re.search(r"output as the client counts it ([\d.]+)", notes)
    repeats = None
    if told and count_of(told[1]) and count_of(told[2]):
        tokens = count_of(system[1]) if system else 0
        repeats = Repeats(system_tokens=tokens, groups=count_of(told[1]), prompts=count_of(told[2]))
    return case.replace(even=bool(re.search(r"\barrivals constant\b", notes)), repeats=repeats,
        warm=bool(repeats and stage and count_of(stage[1])),
        counted_osl=(number_of(counted[1]) or 0.0) if counted else 0.0,
    )  # fmt: skip


def _counted(text: str, load: str, model: str) -> int:
    """Return how many requests words say there were; 0 where they do not.

    A page may have sent fewer at one number of users, or to one of its models, as in ``50 prompts at c=1 else 400
    (Super 49B ~50)``.
    """
    pattern = r"\b(\d+) (?:requests|prompts)\b(?: at c=(\d+) else (\d+)(?: \(([\w ]+) ~(\d+)\))?)?"
    counted = re.search(pattern, text)
    if counted is None:
        return 0
    users = re.search(r"concurrency (\d+)", load)
    if not counted[2] or (users and users[1] == counted[2]):
        return count_of(counted[1])
    of_model = counted[4] and all(word in model for word in plain(counted[4]).split())
    return count_of(counted[5] if of_model else counted[3])


def _said(notes: str, name: str) -> str | None:
    match = re.search(rf"\b{name}=([\d.]+(?:e[+-]?\d+)?)", notes)
    return match[1] if match else None


def _equal_answers(notes: str) -> bool:
    """Return whether all answers of a run have the same length: their mean is whole to the digit.

    Lengths of conversations have a whole mean once in as many runs as there are requests.
    """
    requests, total = (number_of(_said(notes, name)) or 0.0 for name in ("requests", "total_out"))
    return requests >= _FEW and total > 0.0 and total % requests == 0.0


def _text_lengths(row: Row, notes: str) -> tuple[Lengths, Lengths]:
    """Return lengths: stated means before nominal ones; a mean well below the nominal one tells a uniform draw."""
    dataset = re.match(r"dataset (\S+)", row.get("isl") or "")
    if dataset:
        return dataset_lengths(dataset[1], number_of(row.get("osl")) or number_of(_said(notes, "mean_out")) or 1.0)
    lengths = []
    requests = number_of(_said(notes, "requests"))
    conversations = "sharegpt" in f"{row.get('isl')} {notes}".lower()
    tailed = conversations or ("dataset see page" in notes and not _equal_answers(notes))
    for name, mean_name, total_name in (("isl", "mean_in", "total_in"), ("osl", "mean_out", "total_out")):
        nominal = number_of(row.get(name))
        mean = number_of(_said(notes, mean_name))
        total = number_of(_said(notes, total_name))
        if mean is None and total is not None and requests:
            mean = total / requests
        if mean is None and nominal is not None and "lengths vary" in notes:
            mean = nominal / 2.0
        if mean is None and nominal is None:
            if name == "osl" and "prefill" in (row.get("osl") or ""):
                nominal = 1.0
            elif tailed and "pinned" in (row.get("osl") or ""):
                lengths.append(Lengths(mean=benchmark(f"pinned_{name}"), sigma=benchmark(f"pinned_{name}_sigma")))
                continue
            elif "sharegpt" in (row.get(name) or "").lower():
                mean = benchmark(f"sharegpt_{name}")
            else:
                message = f"no {name}: `{row.get(name)}`, and the notes give no mean"
                absent = f"no {name} is stated: add --{name}, or a column of that name"
                raise InputError(message if row.get(name) else absent)
        if tailed and mean is not None:
            sigma = benchmark("sharegpt_prompt_sigma" if name == "isl" else "sharegpt_answer_sigma")
            lengths.append(Lengths(mean=max(mean, 1.0), sigma=sigma, most=benchmark("sharegpt_most_tokens")))
        elif mean is not None and nominal is not None and mean < 0.9 * nominal:
            lengths.append(Lengths(mean=max(mean, 1.0), spread=1.0 - 1e-3))
        else:
            lengths.append(Lengths(mean=max(mean or nominal or 1.0, 1.0)))
    return lengths[0], lengths[1]
