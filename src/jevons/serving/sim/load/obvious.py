"""Fields of a request that a record's own names tell: when it came, its tokens, and its session."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_OF = r"(num_|n_|total_|mean_)?"
_COUNT = r"(tokens?|toks?|len|length|size|token_count|sequence_length)"
_COUNTED = r"(tokens?|令牌|词元)?_?(数量?|长度|个数)?"
_NAMES = {
    "time": r"(arrival|arrived|start(ed)?|created|sent|received|request|request_start|request_arrival|begin)?_?"
            r"(time(stamp)?|ts|at|datetime|date)|arrival|created|request_start|(到达|请求|开始|创建)?_?时间戳?",
    "isl": rf"isl|{_OF}(in|input|prompt|prefill|context|request|query)_{_COUNT}|tokens_in|input|prompt|n(um)?_in|"
           rf"(输入|提示词?)_?{_COUNTED}",
    "osl": rf"osl|{_OF}(out|output|completion|decode|generated|generation|gen|response|answer|new)_{_COUNT}|tokens_out|"
           rf"output|completion|n(um)?_out|(输出|生成|回答)_?{_COUNTED}",
    "session": r"(session|conversation|chat)(_id)?",
    "delay": r"delay|think_time",
}  # fmt: skip
_CACHED = re.compile(r"(^|_)(cached?|cache_(read|hit)|hit)(_\w*)?_?(tokens?|len|length)$")
_UNITS = ("ms", "us", "ns", "s")
_EPOCHS = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"))
"""A number beyond this is a time since 1970 in that unit."""


def obvious_fields(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the field of each thing that a trace tells, by the names of a record; a time's name has its unit.

    Examples
    --------
    >>> obvious_fields({"created": 1_700_000_000_123, "usage": {"prompt_tokens": 5, "completion_tokens": 7}})
    {'time_ms': 'created', 'isl': 'usage.prompt_tokens', 'osl': 'usage.completion_tokens'}
    """
    fields: dict[str, str] = {}
    for path, value in _leaves(record):
        plain = _plain(path.rpartition(".")[2])
        bare, _, unit = plain.rpartition("_")
        bare, unit = (bare, unit) if unit in _UNITS and bare else (plain, "")
        name = next((name for name, words in _NAMES.items() if re.fullmatch(words, bare)), "")
        if not name or (unit and name not in {"time", "delay"}) or (name in {"isl", "osl"} and not _is_number(value)):
            continue
        if name == "time" and not unit:
            unit = "ms" if plain == "timestamp" and _as_mooncake(record) else _epoch_unit(value)
        key = f"{name}_{unit}" if unit and unit != "s" else name
        if not any(given.split("_")[0] == name for given in fields):
            fields[key] = path
    return fields


def _as_mooncake(record: Mapping[str, Any]) -> bool:
    """Return whether fields are named as in Mooncake's traces, whose times are milliseconds."""
    return "input_length" in record and "chat_id" not in record and not isinstance(record.get("timestamp"), str)


def _leaves(record: Mapping[str, Any], above: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield path and value of each field, those of the record itself first."""
    for name, value in record.items():
        if not isinstance(value, Mapping | list):
            yield f"{above}{name}", value
    for name, value in record.items():
        if isinstance(value, Mapping) and depth < 3:
            yield from _leaves(value, f"{above}{name}.", depth + 1)


def _plain(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9\u4e00-\u9fff]+", "_", spaced.lower()).strip("_")


def cached_fields(record: Mapping[str, Any]) -> list[str]:
    """Return the fields of a record that count tokens which its server had cached, by their names.

    Examples
    --------
    >>> cached_fields({"usage": {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}})
    ['usage.prompt_tokens_details.cached_tokens']
    """
    named = ((path, value) for path, value in _leaves(record) if _CACHED.search(_plain(path.rpartition(".")[2])))
    return [path for path, value in named if value not in (None, 0, "0", "") and _is_number(value)]


def _is_number(value: Any) -> bool:
    """Return whether a field may hold a count of tokens, or nothing: a prompt itself is no count of its own."""
    return value is None or not isinstance(value, str) or re.fullmatch(r"\s*[-+\d.,eE]*\s*", value) is not None


def _epoch_unit(value: Any) -> str:
    try:
        figure = abs(float(value))
    except (TypeError, ValueError):
        return ""
    return next((unit for least, unit in _EPOCHS if figure > least), "")


__all__ = ["cached_fields", "obvious_fields"]
