"""Reads serve commands that rows state."""

from __future__ import annotations

import re

from jevons.errors import InputError
from jevons.operators.engines import engine_number, engine_text
from jevons.serving.launch import LaunchLine, settings_of
from jevons.serving.types import Layout
from jevons.validation.names import model_named
from jevons.validation.serving.case import Case, Row, count_of

# Limits of a step as vLLM's and as TensorRT-LLM's pages name them.
_LIMITS = {"tokens": "max_num_(?:batched_)?tokens", "batch": "max_(?:num_seqs|batch)"}


# Who states no command, or one that speaks of graphs, is taken to have captured the batches that the run needs.
ALL_CAPTURED = 1e9


def serve_command_of(notes: str) -> str:
    """Return the serve command that a row's notes state, or an empty string."""
    match = re.search(r"(?:last serve command in page|serve): (.*?)(?:; requests=|; total_in|$)", notes)
    return match[1] if match else ""


def launch_of(case: Case, command: str) -> LaunchLine:
    """Return the settings of a command as a page prints it, which may be cut; see `jevons.serving.launch`."""
    engine = next((name for name in ("sglang", "trtllm", "vllm") if name in command.replace("-", "")), case.engine)
    return settings_of(command, engine)


def with_flags(case: Case, notes: str) -> Case:
    """Take limits, precision and speculation from the serve command of a row's notes, or limits from their words."""
    command = serve_command_of(notes)
    line = launch_of(case, command)
    served = re.search(r"(?:serve|--model-path|--model|--model_path)[= ]+([\w./-]+)", command)
    hint = None
    if served:
        try:
            hint = model_named(served[1])[1]
        except InputError:
            hint = None
    drafted = _drafted(line, command)
    drafting = engine_number(case.engine, "drafting_max_batch") if drafted is not None else None
    running = line.value("max_num_seqs") or line.value("max_num_seqs_all")
    overlap = engine_text(case.engine, "exchange_overlap_flag")
    unhidden = bool(command and overlap) and overlap not in command
    limits = {name: _stated(notes, name) for name in _LIMITS}
    return case.replace(
        untold=not command and not any(limits.values()),
        ep_overlap_frac=0.0 if unhidden else None,
        precision=hint or case.precision,
        step_tokens=int(line.value("step_tokens") or line.value("step_tokens_all") or limits["tokens"]),
        max_batch=int(running or drafting or limits["batch"]),
        memory_frac=float(line.value("memory_frac") or 0.0),
        draft_tokens=drafted or _said_drafts(notes),
        poll_steps=int(line.value("poll_steps") or 0),
        stream_tokens=int(line.value("stream_tokens") or 1),
        lags=bool(line.value("ahead", case.scheduler.lags)),
        captured_batch=0.0 if command and not re.search(r"cuda.?graph", command) else ALL_CAPTURED,
    )


def _stated(notes: str, limit: str) -> int:
    """Return a limit that notes state in words, such as ``max_num_seqs 128``; 0 where they do not."""
    match = re.search(rf"\b{_LIMITS[limit]} (\d+)", notes)
    return count_of(match[1]) if match else 0


def _said_drafts(notes: str) -> int:
    """Return how many tokens notes say in words are drafted, such as ``MTP 3 draft layers``; 0 where they do not."""
    match = re.search(r"\bMTP (\d{1,2}) draft layers", notes)
    return count_of(match[1]) if match else 0


def _drafted(line: LaunchLine, command: str) -> int | None:
    """Return how many tokens are drafted, also where the JSON of the setting is cut; None where nothing says."""
    stated = line.value("speculative", {}).get("num_speculative_tokens", line.value("draft_tokens"))
    if stated is None:
        cut = re.search(r'num_speculative_tokens"?[:= ]+(\d+)', command)
        stated = cut[1] if cut else None
    return None if stated is None else count_of(str(stated))


def layout_of(case: Case, row: Row, notes: str, command: str, *, moe: bool) -> Layout:
    """Return an instance's layout from the columns, the layout label, and the serve command."""
    layout, line = case.instances.layout, launch_of(case, command)
    tp = layout.tp if row.get("tp") else int(line.value("tp") or layout.tp)
    pp = max(layout.pp, int(line.value("pp") or 1))
    ep, dp = int(line.value("ep") or layout.ep), int(line.value("dp") or layout.dp)
    if line.engine == "vllm" and line.value("all_experts", False):
        ep = tp * dp
    within = bool(engine_number(case.engine, "counts_dp_within_tp"))
    if line.value("dp_attention", False) or (within and dp > 1 and moe and "dp" in line.settings):
        ranks = min(max(1, dp), tp)
        return Layout(tp=tp // ranks, pp=pp, ep=min(ep, tp) if moe else 1, dp=ranks, dp_attention=ranks > 1)
    if re.search(r"enable_attention_dp|\battention DP\b", notes) and moe and tp > 1:
        return Layout(tp=1, pp=pp, ep=tp, dp=tp, dp_attention=True)
    label = re.search(r'layout "DEP(\d+)', notes)
    if label:
        size = max(count_of(label[1]), 1)
        return Layout(tp=1, pp=pp, ep=size if moe else 1, dp=size, dp_attention=size > 1)
    if dp > 1 and tp * dp * pp > max(case.gpus, 1):
        dp = max(case.gpus // (tp * pp), 1)
    return Layout(tp=tp, pp=pp, ep=min(max(ep, 1), tp * dp) if moe else 1, dp=dp, dp_attention=dp > 1 and moe)
