"""Reads the two tables that GuideLLM 0.2 and 0.3 print: what each benchmark sent, and what it measured."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jevons.serving.measured.types import MeasuredRun, cleaned, finite, load_of, whole

_STATS_TITLES = (
    "benchmark", "per second", "concurrency", "mean", "mean", *("mean", "median", "p99") * 4,
)  # fmt: skip
_INFO_TITLES = ("benchmark", "start time", "end time", "duration (s)", *("comp", "inc", "err") * 5)
_STATISTICS = ("mean", "p50", "p99")
_LATENCIES = (("e2e_s", 5, 1.0), ("ttft_s", 8, 1e-3), ("tpot_s", 11, 1e-3))
"""Latencies by the column of their mean and the unit; its inter-token latency is TPOT here."""
_OPEN = re.compile(r"(?:constant|poisson|async)@([\d.]+)")
_CLOSED = re.compile(r"concurrent@(\d+)")


def is_guidellm(text: str) -> bool:
    """Return whether a text holds the table of figures."""
    return any(True for _ in _rows(text, _STATS_TITLES))


def guidellm_runs(text: str) -> list[MeasuredRun]:
    """Return the benchmarks of the tables, with lengths and requests where the first table is there too."""
    sent = {cells[0]: cells for cells in _rows(text, _INFO_TITLES)}
    runs = []
    for cells in _rows(text, _STATS_TITLES):
        rate, users = _load(cells[0])
        about = sent.get(cells[0], [""] * len(_INFO_TITLES))
        figures = {
            f"{name}.{statistic}": _scaled(cells[first + place], unit_s)
            for name, first, unit_s in _LATENCIES
            for place, statistic in enumerate(_STATISTICS)
        }
        more = {
            "req_per_s": finite(cells[1]), "output_tok_per_s": finite(cells[3]), "total_tok_per_s": finite(cells[4]),
            "duration_s": finite(about[3]),
        }  # fmt: skip
        runs.append(
            MeasuredRun(
                make="GuideLLM", isl=finite(about[7]), osl=finite(about[10]), requests=whole(about[4]),
                rate_req_per_s=rate, users=users, figures=cleaned(figures | more),
            )
        )  # fmt: skip
    return runs


def _load(name: str) -> tuple[float | None, int | None]:
    """Return the load that the name of a benchmark states, such as ``constant@26.21``."""
    opened, closed = _OPEN.fullmatch(name), _CLOSED.fullmatch(name)
    if name == "throughput":
        return load_of("inf", None)
    return load_of(opened[1] if opened else None, closed[1] if closed else 1 if name == "synchronous" else None)


def _scaled(cell: str, unit_s: float) -> float | None:
    value = finite(cell)
    return None if value is None else value * unit_s


def _rows(text: str, titles: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield the cells of the rows below a head with those titles."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if tuple(cell.lower() for cell in cells) == titles:
            inside = True
        elif inside and len(cells) == len(titles) and not set(line) <= {"-", "|", "=", " "}:
            yield cells
        elif inside and line.strip() and len(cells) != len(titles):
            inside = False
