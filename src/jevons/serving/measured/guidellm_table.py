"""Reads the tables that GuideLLM prints: what each benchmark sent, and what it measured."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

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
_RULED_FIGURES = {
    "Requests Per Sec Mean": ("req_per_s", 1.0), "Output Tokens Per Sec Mean": ("output_tok_per_s", 1.0),
    "Total Tokens Per Sec Mean": ("total_tok_per_s", 1.0), "Timings Dur Sec": ("duration_s", 1.0),
    **{
        f"{title} {printed}": (f"{name}.{statistic}", unit_s)
        for title, name, unit_s in (("Request Latency Sec", "e2e_s", 1.0), ("TTFT ms", "ttft_s", 1e-3),
                                    ("ITL ms", "tpot_s", 1e-3))
        for printed, statistic in (("Mean", "mean"), ("Mdn", "p50"), ("p95", "p95"), ("p99", "p99"))
    },
}  # fmt: skip
"""Columns from 0.4 on, whose titles stand in three lines."""
_HEAD_LINES = 3


def is_guidellm(text: str) -> bool:
    """Return whether a text holds a table of figures."""
    return any(True for _ in _rows(text, _STATS_TITLES)) or any("TTFT ms Mdn" in row for row in _ruled(text))


def guidellm_runs(text: str) -> list[MeasuredRun]:
    """Return the benchmarks of the tables, with lengths and requests where the tables that say them are there too."""
    return _titled_runs(text) or [_ruled_run(row) for row in _ruled(text)]


def _titled_runs(text: str) -> list[MeasuredRun]:
    """Return the benchmarks as 0.2 and 0.3 print them."""
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


def _ruled(text: str) -> list[dict[str, str]]:
    """Return the cells of each benchmark by title, as releases from 0.4 on print them.

    A head of three lines gives group, name and statistic; a cell of no width continues the one before it. Benchmarks
    that share a strategy differ by their place alone, which is the same in each table.
    """
    benchmarks: dict[int, dict[str, str]] = defaultdict(dict)
    head: list[list[str]] = []
    place = 0
    for line in text.splitlines():
        cells = line.strip().split("|")[1:-1]
        if [cell.strip() for cell in cells[:1]] == ["Benchmark"]:
            head, place = [_continued(cells)], 0
        elif head and len(head) < _HEAD_LINES and len(cells) == len(head[0]):
            head.append(_continued(cells))
        elif head and len(cells) == len(head[0]) and not set(line) <= {"-", "|", "=", " "}:
            titles = (" ".join(filter(None, column)) for column in zip(*head, strict=True))
            benchmarks[place] |= dict(zip(titles, (cell.strip() for cell in cells), strict=True))
            place += 1
        elif len(cells) != len(head[0] if head else cells):
            head = []
    return list(benchmarks.values())


def _continued(cells: list[str]) -> list[str]:
    titles: list[str] = []
    for cell in cells:
        titles.append(titles[-1] if not cell and titles else cell.strip())
    return titles


def _ruled_run(row: Mapping[str, str]) -> MeasuredRun:
    """Return a benchmark whose lengths are medians, and whose rate is the one that it reached: no other is printed."""
    figures = {name: _scaled(row.get(title, ""), unit) for title, (name, unit) in _RULED_FIGURES.items()}
    at_once = next((row[t] for t in ("Requests Concurrency Mdn", "Requests Concurrency Mean") if t in row), None)
    strategy = row.get("Benchmark Strategy", "")
    closed = {"synchronous": "1", "concurrent": at_once, "throughput": at_once}
    rate, users = load_of("inf", closed[strategy]) if strategy in closed else load_of(figures["req_per_s"], None)
    isl = finite(row.get("Input Tok Per Req Mdn"))
    sent = finite(row.get("Input Tokens Comp Tot"))
    return MeasuredRun(
        make="GuideLLM", isl=isl, osl=finite(row.get("Output Tok Per Req Mdn")),
        requests=round(sent / isl) or None if sent and isl else None, rate_req_per_s=rate, users=users,
        figures=cleaned(figures),
    )  # fmt: skip
