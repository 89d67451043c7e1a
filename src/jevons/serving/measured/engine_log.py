"""Reads the lines on throughput that vLLM and SGLang log while they serve, as one run of a steady load."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from jevons.serving.measured.commanded import commanded
from jevons.serving.measured.types import ENGINE_LOG, MeasuredRun, cleaned

_VLLM = re.compile(
    r"(?:Engine (?P<engine>\d+): )?Avg prompt throughput: (?P<prompt>\d{1,12}(?:\.\d+)?) tokens/s, "
    r"Avg generation throughput: (?P<decode>\d{1,12}(?:\.\d+)?) tokens/s, Running: (?P<running>\d{1,9}) reqs?, "
    r"(?:Swapped: \d+ reqs?, )?(?:Waiting|Pending): (?P<waiting>\d{1,9}) reqs?"
)
_SGLANG = re.compile(
    r"(?:\bDP(?P<engine>\d+)\b[^\n]*?)?Decode batch[^\n]*?#running-req: (?P<running>\d{1,9})[^\n]*?"
    r"gen throughput \(token/s\): (?P<decode>\d{1,12}(?:\.\d+)?)[^\n]*?#queue-req: (?P<waiting>\d{1,9})"
)
_ARGUMENTS = re.compile(r"non-default args: (\{[^\n]*\})")
_ALIKE, _ENDS = 0.25, 3
"""How far requests at once may be from their median in a steady line; lines of which the first and last are cut off."""


class _Line(NamedTuple):
    engine: str
    prompt: float
    decode: float
    running: int
    waiting: int


def is_engine_log(text: str) -> bool:
    """Return whether a text holds such lines."""
    return bool(_VLLM.search(text) or _SGLANG.search(text))


def engine_log_run(text: str) -> MeasuredRun | None:
    """Return the load and the throughput of the lines that are of a steady load; None where nothing was served.

    Notes
    -----
    Steady are lines whose requests, running and waiting, are within a quarter of their median; the first and the last
    line of a log are of a part of their interval and left out. Ranks that log apart are added up. A log states no
    lengths.
    """
    pattern, name = (_VLLM, "vllm") if _VLLM.search(text) else (_SGLANG, "sglang")
    ranks: dict[str, list[_Line]] = {}
    for line in _lines(text, pattern):
        ranks.setdefault(line.engine, []).append(line)
    steady = [lines for every in ranks.values() if (lines := _steady(every))]
    if not steady:
        return None
    decoded = sum(fmean(line.decode for line in lines) for lines in steady)
    prompts = sum(fmean(line.prompt for line in lines) for lines in steady)
    users = sum(round(median(line.running + line.waiting for line in lines)) for lines in steady)
    return MeasuredRun(
        make=ENGINE_LOG, engine=name, users=users, serve=_serve(text),
        figures=cleaned({
            "output_tok_per_s": decoded, "total_tok_per_s": decoded + prompts if pattern is _VLLM else None,
        }),
    )  # fmt: skip


def _lines(text: str, pattern: re.Pattern[str]) -> Iterator[_Line]:
    for match in pattern.finditer(text):
        said = match.groupdict()
        yield _Line(
            said["engine"] or "", float(said.get("prompt") or 0.0), float(said["decode"]), int(said["running"]),
            int(said["waiting"]),
        )  # fmt: skip


def _steady(every: Sequence[_Line]) -> list[_Line]:
    busy = [line for line in every if line.running and line.decode]
    if len(busy) > _ENDS:
        busy = busy[1:-1]
    if not busy:
        return []
    middle = median(line.running + line.waiting for line in busy)
    return [line for line in busy if abs(line.running + line.waiting - middle) <= _ALIKE * middle]


def _serve(text: str) -> str:
    """Return the line that started the server: as it stands in the text, or as vLLM logs its arguments."""
    stated = _ARGUMENTS.search(text)
    try:
        arguments: Any = ast.literal_eval(stated[1]) if stated else {}
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        arguments = {}
    model = arguments.pop("model_tag", None) or arguments.get("model") if isinstance(arguments, dict) else None
    if not isinstance(model, str):
        return commanded(text).serve
    words = ["vllm", "serve", model]
    for name, value in arguments.items():
        if name != "model" and isinstance(value, str | int | float):
            words.append(f"--{str(name).replace('_', '-')}={value}")
    return shlex.join(words)
