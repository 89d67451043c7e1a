"""Cases from InferenceX rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jevons.errors import InputError
from jevons.operators.engines import Place, engine_number, engine_text, release_of
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.sim.load.repeats import Repeats
from jevons.serving.types import Layout
from jevons.validation.names import precision_of
from jevons.validation.serving.case import Case, Row, benchmark, count_of, number_of, sizes_of, with_release
from jevons.validation.serving.serve_command import ALL_CAPTURED

_INFERENCEX_LENGTHS = {1024.0, 8192.0}


# Release under Dynamo whose rows print one expert rank whatever the layout: no kernel cuts experts of 2,048 in 32.
_UNPRINTED_EP = "0.5.5"


def loop_requests(users: int) -> int:
    """Return how many requests a run of a closed loop has where its row prints no number."""
    return max(round(benchmark("inferencex_waves") * users), 1)


def with_json(case: Case, row: Row, notes: Mapping[str, Any], *, moe: bool) -> Case:
    """InferenceX rows: a closed loop, its layout in columns (aggregated) or in notes (disaggregated).

    Its client draws lengths between a share and all of the nominal one. AIPerf counts tokens of the text again: its
    answers differ by some tokens, whatever their length. It sends warm-up requests before it measures, and draws from a
    set of prompts that vLLM's prefix cache then knows; SGLang and TensorRT-LLM ran without one.
    """
    users = _users(row, notes)
    usual = {number_of(row.get("isl")), number_of(row.get("osl"))} <= _INFERENCEX_LENGTHS
    drawn = usual or "InferenceX" in str(notes.get("origin", ""))
    isl, osl = _lengths(row, benchmark("inferencex_ratio") if drawn else 1.0)
    kinds = {str(notes.get(name, "")) for name in ("gemm", "moe")} - {""}
    precision = case.precision
    if precision is None and kinds:
        precision = precision_of(kinds.pop())
    case = case.replace(precision=precision, scenario="closed", isl=isl, osl=osl, users=users,
        requests=loop_requests(users), captured_batch=ALL_CAPTURED,
    )  # fmt: skip
    oldest = release_of(engine_text(case.engine, "oldest_in_inferencex"))
    if oldest and case.release and case.release < oldest:
        case = with_release(case, None)  # the version is that of the image, not of the engine
    if not drawn:
        isl, osl = (
            replace(lengths, spread=min(benchmark("recounted_tokens") / lengths.mean, 0.1)) for lengths in (isl, osl)
        )
        repeats = Repeats(prompts=round(benchmark("client_prompts"))) if case.engine == "vllm" else None
        token_s = engine_number(case.engine, "stream_token_s", Place(release=case.release)) or 0.0
        case = case.replace(isl=isl, osl=osl, repeats=repeats, warmed_up=True, token_s=token_s)
    if "mtp" in str(notes.get("spec_decoding", "")).lower():
        case = case.replace(draft_tokens=round(benchmark("inferencex_drafts")))
    if notes.get("mode") == "disagg":
        return _apart(case, notes, moe=moe)
    return _together(case, row, notes, moe=moe)


def _users(row: Row, notes: Mapping[str, Any]) -> int:
    text = row.get("concurrency_or_rate") or ""
    match = re.match(r"concurrency (\d+)", text)
    users = count_of(match[1] if match else str(notes.get("batch_size", "")))
    if users < 1:
        message = f"no concurrency: `{text}`"
        raise InputError(message)
    return users


def _lengths(row: Row, ratio: float) -> tuple[Lengths, Lengths]:
    """Return lengths between *ratio* and 1 of the nominal ones."""
    lengths = []
    mean = (1.0 + ratio) / 2.0
    spread = (1.0 - ratio) / 2.0 / mean
    for name in ("isl", "osl"):
        nominal = number_of(row.get(name))
        if nominal is None:
            message = f"no {name}: `{row.get(name)}`"
            raise InputError(message)
        lengths.append(Lengths(mean=nominal * mean, spread=spread))
    return lengths[0], lengths[1]


def _by_scripts(notes: Mapping[str, Any]) -> bool:
    """Return whether InferenceX's scripts made a run: all of them have one expert rank, or as many as devices."""
    return "InferenceX" in str(notes.get("origin", ""))


def _together(case: Case, row: Row, notes: Mapping[str, Any], *, moe: bool) -> Case:
    layout, decoded = sizes_of(row), False
    if int(number_of(row.get("tp")) or 0) < 1:
        message = "the row states no layout"
        raise InputError(message)
    experts_tp = int(number_of(str(notes.get("moe_tp", ""))) or 0)
    tp, ep, dp = layout.tp, layout.ep, layout.dp
    node = 8
    if tp > node and ep == 1 and dp == 1:
        message = (
            f"missing layout: tp {tp} without expert or attention ranks is the device count of a run whose prompts "
            "were processed apart; its pools and workers are not stated"
        )
        raise InputError(message)
    if ep > 1 and dp > 1 and tp > 1 and ep == tp * dp and dp == tp:
        # Written as the product of two ways of counting the same devices; some engines split attention over them.
        split = bool(engine_number(case.engine, "splits_attention"))
        tp, ep, dp, decoded = (tp, tp, 1, True) if split else (1, dp, dp, True)
    elif ep > 1 and dp > ep and dp % ep == 0 and tp == 1:
        dp, decoded = ep, True
    elif notes.get("layout_suspect") or tp > node or (tp == ep**2 > 1 and _by_scripts(notes)):
        # tp was multiplied with ep: the devices are those of ep.
        tp, dp, decoded = max(ep, 1), 1, True
    if not moe:
        ep = 1
    per_rank = int(number_of(str(notes.get("batch_size", ""))) or case.requested.users)
    ranks = case.requested.users // per_rank if per_rank and case.requested.users % per_rank == 0 else 1
    users = case.requested.users
    if ranks > 1 and dp == 1 and ep == 1 and not moe:
        users = per_rank  # independent replicas behind one router, each with its own share of the users
    elif ranks > 1 and dp == 1 and ranks == tp and not decoded:
        tp, dp, decoded = 1, tp, True  # each device is an attention rank with its own batch
    group = tp * dp
    if moe and ep == 1 and experts_tp and group % experts_tp == 0 and experts_tp < group:
        ep = group // experts_tp
    layout = Layout(tp=tp, pp=layout.pp, ep=min(ep, group), dp=dp, dp_attention=dp > 1)
    requests = loop_requests(users)
    return case.replace(layout=layout, gpus=layout.devices, users=users, requests=requests, decoded_layout=decoded)


def _apart(case: Case, notes: Mapping[str, Any], *, moe: bool) -> Case:
    workers = [int(number_of(str(notes.get(f"{side}_num_workers", ""))) or 0) for side in ("prefill", "decode")]
    if min(workers) < 1:
        message = "missing layout: a disaggregated row without its numbers of workers"
        raise InputError(message)
    sides = []
    for side in ("prefill", "decode"):

        def size(name: str, side: str = side) -> int:
            return max(int(number_of(str(notes.get(f"{side}_{name}", ""))) or 1), 1)

        dp, tp = size("attention_dp_size"), size("tp_size")
        ep = size("moe_ep_size") if moe else 1
        if ep == 1 and dp > 1 and moe and case.version.startswith(_UNPRINTED_EP):
            ep = dp * tp
        sides.append(Layout(tp=tp, pp=size("pp_size"), ep=min(ep, tp * dp), dp=dp, dp_attention=dp > 1))
    gpus = workers[0] * sides[0].devices + workers[1] * sides[1].devices
    return case.replace(
        layout=sides[1],
        prefill=sides[0],
        prefill_workers=workers[0],
        decode_workers=workers[1],
        gpus=gpus,
        prefill_batch=0,
    )
