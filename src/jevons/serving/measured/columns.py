"""Tables of load-test results, a column for each figure: known by obvious names, or mapped by the reader."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jevons.errors import InputError, did_you_mean
from jevons.files.read import csv_lines, file_fault
from jevons.serving.measured.types import LATENCIES, MeasuredRun, cleaned, finite, load_of, whole

_LATENCY_WORDS = (
    ("ttft_s", r"ttft|time to first token|first token latency"),
    ("tpot_s", r"tpot|time per output token"), ("itl_s", r"itl|inter token latency|inter token"),
    ("e2e_s", r"e2el?|end to end( latency)?|request latency|total latency|average latency"),
)  # fmt: skip
_STATISTICS = (("p99", r"p99|99th"), ("p95", r"p95|95th"), ("p90", r"p90|90th"), ("p50", r"p50|median|50th"),
               ("mean", r"mean|avg|average"))  # fmt: skip
_UNITS = {"ms": 1e-3, "milliseconds": 1e-3, "msec": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "seconds": 1.0, "us": 1e-6}
_PLAIN = (
    ("model", r"model( id| name)?"), ("gpu", r"gpu|gpu (type|name)|device|accelerator|hardware"),
    ("gpus", r"gpus|n gpus|num gpus|gpu count|number of gpus"), ("engine", r"engine|backend|framework"),
    ("version", r"(engine |vllm |sglang )?version"), ("tp", r"tp( size)?|tensor parallel( size)?"),
    ("pp", r"pp( size)?|pipeline parallel( size)?"), ("dp", r"dp( size)?|data parallel( size)?"),
    ("ep", r"ep( size)?|expert parallel( size)?"),
    ("isl", r"isl|(mean |avg |average )?(input|prompt) (len|length|tokens)( mean| per request)?|input sequence length"),
    ("osl", r"osl|(mean |avg |average )?(output|generated|generation) (len|length|tokens)( mean| per request)?"),
    ("osl", r"output sequence length"),
    ("concurrency", r"(max |num |number of )?conc(urrency|ur)?|(max )?concurrent (users|requests)|users"),
    ("rate", r"(request )?rate( req s| rps)?|qps|rps|target rate|arrival rate"),
    ("requests", r"(num |number of |n |successful |succeed )?(requests|prompts|req)|completed|n"),
    ("duration_s", r"(benchmark )?duration( s| seconds)?|time taken for tests s"),
    ("output_tok_per_s", r"(output|generation) (token )?throughput.*|output tok(en)?s?( per)? s(econd)?.*|output tps"),
    ("output_tok_per_s", r"tok(en)?s?( per)? s(econd)?"),
    ("total_tok_per_s", r"total (token )?throughput.*|total tok(en)?s?( per)? s(econd)?"),
    ("req_per_s", r"(request throughput|req tput).*|throughput req s|requests per second|achieved rate|req(uests)? s"),
)  # fmt: skip
_CHINESE = {
    "每个输出token的时间": "time per output token", "每token时延": "tpot", "每token延迟": "tpot", "首token": "ttft ",
    "首字": "ttft ", "token间延迟": "itl", "token间时延": "itl", "端到端": "end to end ", "并发用户数": "concurrency",
    "并发数量": "concurrency", "并发数": "concurrency", "并发": "concurrency", "请求速率": "request rate",
    "请求数量": "requests", "请求数": "requests", "输入长度": "input length", "输出长度": "output length",
    "输入token数": "input tokens", "输出token数": "output tokens", "平均": "mean ", "中位数": " median",
    "吞吐量": " throughput", "吞吐率": " throughput", "吞吐": " throughput", "总": "total ", "输出": "output ",
    "模型": "model", "框架": "engine", "引擎": "engine", "显卡": "gpu", "芯片": "gpu", "毫秒": " ms", "秒": " s",
    "延迟": "", "时延": "",
}  # fmt: skip
"""Words of Chinese titles, longer ones first."""
_CHINESE_WORDS = re.compile("|".join(sorted(map(re.escape, _CHINESE), key=len, reverse=True)))
NAMES = (*(name for name, _ in _PLAIN), *(name.removesuffix("_s") for name in LATENCIES))


def column_meaning(title: str) -> tuple[str, float | None]:
    """Return the figure that a column's title names, empty for none, and its unit in seconds where it has one.

    Examples
    --------
    >>> column_meaning("P99 TTFT (ms)"), column_meaning("Output token throughput (tok/s)")
    (('ttft_s.p99', 0.001), ('output_tok_per_s', None))
    """
    text = re.sub(r"[^a-z0-9]+", " ", _in_english(title)).strip()
    for latency, words in _LATENCY_WORDS:
        if not re.search(rf"(?:^| )(?:{words})(?: |$)", text):
            continue
        statistic = next(
            (name for name, spelled in _STATISTICS if re.search(rf"(?:^| )(?:{spelled})(?: |$)", text)), "mean"
        )
        unit = next((scale for word, scale in _UNITS.items() if re.search(rf"(?:^| ){word}(?: |$)", text)), None)
        return f"{latency}.{statistic}", unit
    return next((name for name, words in _PLAIN if re.fullmatch(words, text)), ""), None


def _in_english(title: str) -> str:
    """Return a title in lower case, the words of a Chinese one in English."""
    plain = re.sub(r"(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])", "", title.lower())
    return _CHINESE_WORDS.sub(lambda match: f" {_CHINESE[match[0]]} ", plain)


def mapped_name(name: str, title: str) -> tuple[str, float | None]:
    """Return the figure and unit of a mapping such as ``ttft=TTFT (ms)`` or ``ttft_p99_ms=late``.

    Raises
    ------
    InputError
        If there is no figure of that name.
    """
    plain = name.strip().lower().replace("-", "_")
    meaning, unit = column_meaning(plain.replace("_", " "))
    if not meaning and plain in NAMES:
        meaning = plain
    if not meaning:
        message = (
            f"--map {name}={title}: no figure is called so.{did_you_mean(plain, NAMES)} Known: {', '.join(NAMES)}."
        )
        raise InputError(message)
    return meaning, unit if unit is not None else column_meaning(title)[1] or _unit_of(title)


def _unit_of(title: str) -> float | None:
    words = re.sub(r"[^a-z]+", " ", _in_english(title)).split()
    return next((scale for word, scale in _UNITS.items() if word in words), None)


def read_columns(path: Path, text: str, mapping: Mapping[str, str]) -> list[MeasuredRun]:
    """Return the runs of a table, a row each; none where its header names no figure.

    Raises
    ------
    InputError
        If a mapping names no figure or no column, or a latency has no unit.
    """
    rows = [cells for _, cells in csv_lines(path, text)]
    if len(rows) < 2:
        return []
    titles = [title.strip() for title in rows[0]]
    meanings = _meanings(path, titles, mapping)
    measured = {name for name, _ in meanings.values() if "." in name or name.endswith("_per_s")}
    if not measured:
        return []
    missing = [titles[place] for place, (name, unit) in meanings.items() if "." in name and unit is None]
    if missing:
        name = next(name for name, unit in meanings.values() if "." in name and unit is None).split("_s.")[0]
        message = f"column `{missing[0]}` has no unit; say it, as in --map '{name}_ms={missing[0]}'"
        raise file_fault(path, message, 1)
    runs = [_run(row, meanings) for row in rows[1:] if any(cell.strip() for cell in row)]
    return [run for run in runs if run.figures]


def _meanings(path: Path, titles: Sequence[str], mapping: Mapping[str, str]) -> dict[int, tuple[str, float | None]]:
    meanings: dict[int, tuple[str, float | None]] = {}
    stated: dict[str, int] = {}
    for name, title in mapping.items():
        if title not in titles:
            message = f"--map {name}={title}: {path.name} has no such column.{did_you_mean(title, titles)}"
            raise InputError(message)
        meanings[titles.index(title)] = mapped_name(name, title)
        stated[meanings[titles.index(title)][0]] = 1
    for place, title in enumerate(titles):
        meaning, unit = column_meaning(title)
        if place not in meanings and meaning and meaning not in stated:
            meanings[place] = meaning, unit
            stated[meaning] = 1
    return meanings


def _run(row: Sequence[str], meanings: Mapping[int, tuple[str, float | None]]) -> MeasuredRun:
    cells = {name: (row[place].strip() if place < len(row) else "", unit) for place, (name, unit) in meanings.items()}

    def text(name: str) -> str:
        return cells.get(name, ("", None))[0]

    figures: dict[str, float | None] = {}
    for name, (cell, unit) in cells.items():
        value = finite(cell.replace(",", ""))
        if "." in name:
            figures[name] = None if value is None else value * (unit or 1.0)
        elif name in {"duration_s", "output_tok_per_s", "total_tok_per_s", "req_per_s"}:
            figures[name] = value
    rate, users = load_of(text("rate") or None, text("concurrency"))
    degrees = {name: whole(text(name)) for name in ("tp", "pp", "ep", "dp")}
    return MeasuredRun(
        make="a table", model=text("model"), gpu=text("gpu"), gpus=whole(text("gpus")), engine=text("engine"),
        version=text("version"), degrees={name: size for name, size in degrees.items() if size is not None},
        isl=finite(text("isl")), osl=finite(text("osl")), requests=whole(text("requests")), rate_req_per_s=rate,
        users=users, figures=cleaned(figures),
    )  # fmt: skip
