"""Reads serve commands that rows state."""

from __future__ import annotations

import re
from dataclasses import replace

from jevons.errors import InputError
from jevons.operators.engines import engine_number
from jevons.serving.types import Layout
from jevons.validation.names import model_named
from jevons.validation.serving.case import Case, Row, count_of, number_of


def serve_command_of(notes: str) -> str:
    """Return the serve command that a row's notes state, or an empty string."""
    found = re.search(r"(?:last serve command in page|serve): (.*?)(?:; requests=|; total_in|$)", notes)
    return found[1] if found else ""


def _flag(command: str, *names: str) -> str | None:
    for name in names:
        found = re.findall(rf"(?:^|[\s\[]){re.escape(name)}[=\s]+([^\s\]]+)", command)
        if found:
            return str(found[-1])
    return None


def with_flags(case: Case, command: str) -> Case:
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
    drafting = engine_number(case.engine, "drafting_max_batch") if draft else None
    return replace(
        case,
        precision=hint or case.precision,
        step_tokens=int(number_of(budget) or 0),
        max_batch=int(number_of(running) or drafting or 0),
        memory_frac=float(number_of(share) or 0.0),
        draft_tokens=count_of(draft[1]) if draft else 0,
        poll_steps=int(number_of(_flag(command, "--scheduler-recv-interval")) or 0),
    )


def layout_of(case: Case, row: Row, notes: str, command: str, *, moe: bool) -> Layout:
    """Return an instance's layout from the columns, the layout label, and the serve command."""
    layout = case.layout
    tp = int(number_of(_flag(command, "--tp", "-tp", "--tp-size", "--tp_size", "--tensor-parallel-size")) or layout.tp)
    if row.get("tp"):
        tp = layout.tp
    pp = max(layout.pp, int(number_of(_flag(command, "-pp", "--pp-size", "--pp_size")) or 1))
    ep = int(number_of(_flag(command, "--ep", "--ep-size", "--ep_size")) or layout.ep)
    dp = int(number_of(_flag(command, "--dp", "--dp-size", "-dp", "--data-parallel-size")) or layout.dp)
    if "--enable-expert-parallel" in command:
        ep = tp * dp
    within = bool(engine_number(case.engine, "counts_dp_within_tp"))
    if "--enable-dp-attention" in command or (within and dp > 1 and moe and "--dp" in command):
        ranks = min(max(1, dp), tp)
        return Layout(tp=tp // ranks, pp=pp, ep=min(ep, tp) if moe else 1, dp=ranks, dp_attention=ranks > 1)
    if "enable_attention_dp" in notes and moe and tp > 1:
        return Layout(tp=1, pp=pp, ep=tp, dp=tp, dp_attention=True)
    label = re.search(r'layout "DEP(\d+)', notes)
    if label:
        size = max(count_of(label[1]), 1)
        return Layout(tp=1, pp=pp, ep=size if moe else 1, dp=size, dp_attention=size > 1)
    if dp > 1 and tp * dp * pp > max(case.gpus, 1):
        dp = max(case.gpus // (tp * pp), 1)
    return Layout(tp=tp, pp=pp, ep=min(max(ep, 1), tp * dp) if moe else 1, dp=dp, dp_attention=dp > 1 and moe)
