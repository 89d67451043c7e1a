"""Finds, in what people paste around a printed report, the commands that started the server and the load test."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from jevons.errors import InputError
from jevons.serving.launch import names_known_model, read_launch

_BENCH = re.compile(r"(?:\bvllm\s+bench\s+serve|\bbenchmark_serving(?:\.py)?|\bsglang\.bench_serving)\b(.*)")
_SERVER = re.compile(
    r"(?:\b(?:vllm|sglang)\s+serve\b|\btrtllm-serve\b|-m\s+(?:vllm|sglang|tensorrt_llm|dynamo)\.(?!bench)\S+"
    r"|\bdocker\s+run\b.*(?:vllm|sglang|tensorrt-llm))"
)
_FLAG = re.compile(r"--([a-z][\w-]*)(?:[= ]+(?!--)(\"[^\"]*\"|'[^']*'|\S+))?")
_ARGUMENT = re.compile(r"\b([a-z]\w*)=('[^']*'|\"[^\"]*\"|[^\s,()]+)")
_TAKEN = {
    "model": "model", "request_rate": "request_rate", "max_concurrency": "max_concurrency", "backend": "backend",
    "random_input_len": "random_input_len", "random_output_len": "random_output_len", "input_len": "random_input_len",
    "output_len": "random_output_len",
}  # fmt: skip
"""Options of the load tests, and the keys under which their results have them."""


_MOST_READ = 20
"""Last lines that may start a server which are read whole: a log repeats one."""


@dataclass(frozen=True, slots=True)
class Commanded:
    """What commands beside a report say: keys of its load, and the launch line of its server or an empty text."""

    load: dict[str, Any]
    serve: str


def commanded(text: str) -> Commanded:
    """Return what the commands in a text say; of several the last ones, as they stand nearest to what follows."""
    load: dict[str, Any] = {}
    likely: deque[str] = deque(maxlen=_MOST_READ)
    for line in re.sub(r"\\[ \t]*\r?\n", " ", text).splitlines():
        bench = _BENCH.search(line)
        if bench:
            load |= _taken(_FLAG.findall(bench[1]))
        elif "Namespace(" in line:
            load |= _taken(_ARGUMENT.findall(line.partition("Namespace(")[2]))
        elif _SERVER.search(line):
            likely.append(line)
    serve = next(filter(_is_launch, reversed(likely)), "")
    return Commanded(load, serve.strip().lstrip("$>#` ").rstrip("` "))


def _taken(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    named = {_TAKEN.get(name.replace("-", "_"), ""): value.strip("\"'") for name, value in pairs}
    return {name: value for name, value in named.items() if name and value not in {"", "None"}}


def _is_launch(line: str) -> bool:
    """Return whether a line starts a server of a model, and is no sentence about one."""
    try:
        launch = read_launch(line)
    except InputError:
        return False
    return "model" in launch.settings and (len(launch.settings) > 1 or names_known_model(launch))
