"""Traces of makes whose rows need more than three columns: sessions, spans, texts, and any that the reader maps."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jevons import limits
from jevons.errors import Fault, InputError, InputNote, did_you_mean
from jevons.facts import get
from jevons.files.documents import delimiter_of, json_documents
from jevons.files.read import csv_lines, file_fault, limit
from jevons.limits import MAX_ROWS
from jevons.serving.sim.load.large import LARGE_BYTES, large_table
from jevons.serving.sim.load.obvious import cached_fields, obvious_fields
from jevons.serving.sim.types import IntArray
from jevons.text import shortened

FORMATS: Mapping[str, str] = {
    "Azure, CSV": "TIMESTAMP,ContextTokens,GeneratedTokens",
    "Vidur, CSV": "arrived_at,num_prefill_tokens,num_decode_tokens",
    "BurstGPT, CSV": "Timestamp,Model,Request tokens,Response tokens",
    "Mooncake, JSON lines": '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}',
    "Bailian, JSON lines": '{"chat_id": 159, "parent_chat_id": -1, "timestamp": 61.1, "input_length": 521, …}',
    "AIPerf sessions, JSON lines": '{"session_id": "a", "input_length": 1855, "output_length": 1345, "delay": 12219}',
    "ServeGen, JSON": '{"request_id": 0, "timestamp": 1.5, "data": {"input_tokens": 271, "output_tokens": 90}}',
    "LLMServingSim, JSON lines": '{"input_toks": 2358, "output_toks": 531, "arrival_time_ns": 46926808}',
    "ShareGPT, JSON": '[{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}]',
    "OpenTelemetry GenAI spans, JSON": '{"resourceSpans": [{"scopeSpans": [{"spans": […]}]}]}',
    "the same from Jaeger, JSON": '{"data": [{"spans": [{"startTime": 1760000000000000, "tags": […]}]}]}',
    "AIPerf records, JSON lines": '{"metadata": {"request_start_ns": 1759813207532900363, …}, "metrics": {…}}',
    "vllm bench serve --save-detailed, JSON": '{"input_lens": [512], "output_lens": [128], "start_times": [0.0]}',
    "a table or log with obvious names": "timestamp,prompt_tokens,completion_tokens",
    "any other": "--map time=COLUMN --map isl=COLUMN --map osl=COLUMN",
}  # fmt: skip

_BLOCKS = (16, 32, 64, 128, 256, 512, 1024, 2048)
_UNITS_S = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_MAPPED = ("time", "isl", "osl", "session", "delay")
_MOST_FAULTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request: start and delay after its session's last answer [s], lengths, session and prompt hashes."""

    line: int
    time_s: float | None
    isl: float | None
    osl: float | None
    session: str = ""
    delay_s: float | None = None
    hashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Requests in order of time; see `jevons.serving.sim.load.traces.Trace`."""

    make: str
    arrival_s: np.ndarray[Any, np.dtype[np.float64]]
    isl: IntArray
    osl: IntArray
    skipped: int
    session: IntArray | None
    hashes: IntArray | None
    hash_start: IntArray | None
    hash_tokens: int
    timed: bool


def known_text() -> str:
    """Return a line for each make that is read, with an example."""
    return "\n".join(f"  {name}: {example}" for name, example in FORMATS.items())


def block_tokens(isl: Sequence[float], counts: Sequence[int], usual: int) -> int:
    """Return the tokens of a hashed block that most prompts agree with; the usual one where it does as well."""
    pairs = [(length, count) for length, count in zip(isl, counts, strict=True) if count > 0 and length >= 1]
    if not pairs:
        return usual

    def agreeing(size: int) -> int:
        return sum(math.ceil(length / size) == count or length // size == count for length, count in pairs)

    best = max((usual, *_BLOCKS), key=agreeing)
    return best if agreeing(best) > agreeing(usual) else usual


def gathered(path: Path, content: bytes, mapping: Mapping[str, str]) -> Gathered | None:
    """Return the requests of a file of one of these makes, or of any whose fields a mapping or their names tell.

    None of others.

    Raises
    ------
    InputError
        If a row is malformed, or the file lacks what no default stands for.
    """
    columns = large_table(content) if len(content) > LARGE_BYTES and not mapping else None
    if columns is not None:
        _say_fields(path, columns.fields, columns.cached)
        return Gathered(
            make="its names", arrival_s=columns.arrival_s, isl=columns.isl, osl=columns.osl, skipped=columns.skipped,
            session=None, hashes=None, hash_start=None, hash_tokens=0, timed=True,
        )  # fmt: skip
    text = content.decode("utf-8-sig")
    stated = ((line, record) for line, whole in _records(path, text) for record in _parts(whole))
    first = next(stated, None)
    if first is None:
        return None
    make = next(((name, read) for known, name, read in _MAKES if known(first[1])), None)
    obvious = obvious_fields(first[1])
    if make is not None and make[0] == "sharegpt" and {"isl", "osl"} <= set(obvious):
        make = None  # a log of calls, whose counts are better than those that letters tell
    if not mapping and make is None and not {"isl", "osl"} <= set(obvious):
        return None
    records = [first, *stated]
    told_apart = any("delay" in record and "turn_of" in record for _, record in records)
    if mapping:
        own = {re.sub(r"_(ms|us|ns|s)$", "", name) for name in mapping}
        whole = {**mapping, **{name: field for name, field in obvious.items() if name.split("_")[0] not in own}}
        return _collected(path, "mapped", list(_mapped(path, records, whole)), ordered=told_apart)
    if make is not None:
        rows = [row for line, record in records for row in make[1](line, record)]
        told_apart = any(row.delay_s is not None for row in rows)  # such turns hold only what is new
        return _collected(path, make[0], rows, ordered=make[0] == "aiperf" and told_apart)
    rows = [
        replace(row, isl=row.isl or 0.0, osl=row.osl or 0.0) for row in _mapped(path, records, obvious)
    ]  # requests that failed have no counts
    cached = next((named for _, record in records if (named := cached_fields(record))), [])
    _say_fields(path, obvious, cached)
    return _collected(path, "its names", rows, ordered=False)


def _say_fields(path: Path, fields: Mapping[str, str], cached: Sequence[str]) -> None:
    """Tell which field was taken for what, in which unit times are, and that prompts are computed whole."""
    time = next((name for name in fields if name.startswith("time")), "")
    unit = time.partition("_")[2] or "s, or dates"
    when = f"times from `{fields[time]}` [{unit}]" if time else "no times"
    shown = [f"isl from `{fields['isl']}`", f"osl from `{fields['osl']}`", when]
    shown += [f"tokens of `{field}` computed anew" for field in cached[:1]]
    warnings.warn(f"--trace {path.name}: {', '.join(shown)}; --map time=COLUMN and so on says it otherwise", InputNote,
                  stacklevel=2)  # fmt: skip


def _records(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line and record of JSON of any shape, or of a table."""
    most = limit(MAX_ROWS, limits.TRACE_ROWS)
    if text.lstrip()[:1] not in {"{", "["}:
        yield from _table(path, text, most)
        return
    documents = json_documents(text, str(path))
    if documents is None:
        raise _no_json(path, text)
    if len(documents) == 1 and isinstance(documents[0][1], list):
        documents = [(1, row) for row in documents[0][1]]
    yield from ((line, row) for line, row in documents[: most + 1] if isinstance(row, dict))


def _table(path: Path, text: str, most: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line and cells of a table; a semicolon between cells goes with a decimal comma."""
    mark = delimiter_of(next(iter(text.lstrip().splitlines()), ""))
    lines = csv_lines(path, text, delimiter=mark)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    twice = [(header.index(name), place) for place, name in enumerate(header) if name and header.index(name) != place]
    for count, (number, cells) in enumerate((line for line in lines if line[1]), 1):
        if count > most:
            raise file_fault(path, f"has more than {most:,} rows; cut it, or raise {MAX_ROWS}")
        for first, second in twice:
            if cells[first : first + 1] != cells[second : second + 1]:
                message = f"has two columns `{shortened(header[first])}` with different values; rename or cut one"
                raise file_fault(path, message, number)
        plain = [re.sub(r"^(-?\d+),(\d+)$", r"\1.\2", cell) for cell in cells] if mark == ";" else cells
        yield number, dict(itertools.zip_longest(header, plain[: len(header)]))


def _no_json(path: Path, text: str) -> InputError:
    """Return the error of the first line that is no JSON."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                json.loads(line)
            except (ValueError, RecursionError) as error:
                return file_fault(path, f"`{line[:60]}` is no JSON ({error}). Mend or cut the line.", number)
    return file_fault(path, "is no JSON. Mend it.")


def _parts(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the turns of a record that lists them, each with its session; else the record."""
    turns = record.get("turns")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        yield record
        return
    for turn in turns:
        said = turn.get("text", turn.get("content", turn.get("prompt")))
        tokens = {} if said is None else {"input_length": _text_tokens(str(said))}
        answer = turn.get("max_tokens")
        tokens |= {} if answer is None else {"output_length": answer}
        session = str(record.get("session_id") or id(record))
        yield {**tokens, **turn, "session_id": session, "turn_of": session}


def _text_tokens(text: str) -> int:
    return math.ceil(len(text) / get("assumption.characters_per_token").number)


_BLANK = frozenset({"", "null", "none", "nan", "n/a", "na", "-"})
"""What stands in a cell of a request that failed."""
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None or value == "":
        return None
    try:
        figure = float(value)
    except (TypeError, ValueError):
        return None
    return figure if math.isfinite(figure) else None


_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2}) (\d{1,2})(:\d\d.*)")
"""A date as spreadsheets write it, with the year first; one with the year last may have its month first or second."""


def _moment(value: Any) -> float | None:
    """Return a time in seconds: a number, or a date as text, in UTC where it names no zone."""
    number = _number(value)
    if number is not None or not isinstance(value, str):
        return number
    text = re.sub(r"(\.\d{6})\d+", r"\1", value.strip().replace("Z", "+00:00"))
    dated = _SLASHED.match(text)
    if dated:
        year, month, day, hour, rest = dated.groups()
        text = f"{year}-{int(month):02}-{int(day):02} {int(hour):02}{rest}"
    try:
        stated = dt.datetime.fromisoformat(text)
        return (stated if stated.tzinfo is not None else stated.replace(tzinfo=dt.UTC)).timestamp()
    except ValueError:
        return None


def _field(record: Mapping[str, Any], name: str) -> Any:
    """Return a field, or one within by a name with dots."""
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _scaled(value: Any, unit_s: float) -> float | None:
    moment = _moment(value)
    return None if moment is None else moment * unit_s


def _mapped(path: Path, records: Sequence[tuple[int, dict[str, Any]]], mapping: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of records whose fields the reader names; a number stands for itself in every row."""
    fields: dict[str, tuple[str, float]] = {}
    for name, column in mapping.items():
        stated = re.fullmatch(r"(time|delay|isl|osl|session)(?:_(ms|us|ns|s))?", name.lower().replace("-", "_"))
        if stated is None:
            message = (
                f"--map {name}={column}: a trace has no such field.{did_you_mean(name, _MAPPED)} Known: "
                f"{', '.join(_MAPPED)}, times also as time_ms, time_us and time_ns."
            )
            raise InputError(message)
        unit = stated[2] or next(
            (u for u in ("ms", "us", "ns") if re.search(rf"(?:^|[_ (\[]){u}(?:$|[)\] ])", column)), ""
        )
        fields[stated[1]] = column, _UNITS_S[unit]
    first = records[0][1]
    for column, _ in fields.values():
        if _number(column) is None and _field(first, column) is None and column not in first:
            near = did_you_mean(column, list(first))
            message = f"--map: {path.name} has no field `{column}`.{near} It has {', '.join(list(first)[:8])}."
            raise InputError(message)

    def value(record: Mapping[str, Any], name: str) -> Any:
        column = fields[name][0] if name in fields else ""
        constant = _number(column)
        return constant if constant is not None and column not in record else _field(record, column)

    def moment(line: int, record: Mapping[str, Any], name: str) -> float | None:
        stated = value(record, name)
        moment_s = _scaled(stated, fields.get(name, ("", 1.0))[1])
        if moment_s is None and stated is not None and stated != "":
            remedy = "must be a time, such as 12.5 or 2025-03-01T10:00:00Z; mend or cut the row"
            message = f"{fields[name][0]}: `{shortened(str(stated))}`: {remedy}"
            raise file_fault(path, message, line)
        return moment_s

    def count(line: int, record: Mapping[str, Any], name: str) -> float | None:
        stated = value(record, name)
        tokens = _number(stated)
        if tokens is None and stated is not None and str(stated).strip().lower() not in _BLANK:
            apart = str(stated).strip()
            if not _THOUSANDS.fullmatch(apart):
                remedy = f"must be a whole number of tokens, 0 to {limits.REQUEST_TOKENS:,}; mend or cut the row"
                raise file_fault(path, f"{fields[name][0]}: `{shortened(apart)}`: {remedy}", line)
            tokens = float(apart.replace(",", ""))
        return tokens

    for line, record in records:
        session = value(record, "session")
        yield Row(
            line=line, time_s=moment(line, record, "time"),
            isl=count(line, record, "isl"), osl=count(line, record, "osl"),
            session="" if session is None else str(session),
            delay_s=moment(line, record, "delay"), hashes=_hashes(record),
        )  # fmt: skip


def _hashes(record: Mapping[str, Any]) -> tuple[int, ...]:
    keys = record.get("hash_ids")
    return tuple(key for key in keys if isinstance(key, int)) if isinstance(keys, list) else ()


def _aiperf_record(line: int, record: dict[str, Any]) -> Iterator[Row]:
    """Yield a request that AIPerf measured, warm-up and failures left out."""
    about, figures = record["metadata"], record.get("metrics") or {}
    if about.get("benchmark_phase") == "warmup":
        return

    def count(name: str) -> float | None:
        return _number(_field(figures, f"{name}.value")) if record.get("error") is None else 0.0

    yield Row(
        line=line, time_s=_scaled(about.get("request_start_ns"), 1e-9), isl=count("input_sequence_length"),
        osl=count("output_sequence_length"), session=str(about.get("conversation_id") or ""),
    )  # fmt: skip


def _aiperf(line: int, record: dict[str, Any]) -> Iterator[Row]:
    yield Row(
        line=line, time_s=_scaled(record.get("timestamp"), 1e-3), isl=_number(record.get("input_length")),
        osl=_number(record.get("output_length")), session=str(record.get("session_id") or ""),
        delay_s=_scaled(record.get("delay"), 1e-3), hashes=_hashes(record),
    )  # fmt: skip


def _servegen(line: int, record: dict[str, Any]) -> Iterator[Row]:
    data = record.get("data") if isinstance(record.get("data"), dict) else record
    yield Row(
        line=line, time_s=_moment(record.get("timestamp")),
        isl=_number(data.get("input_tokens", data.get("input_length"))),  # type: ignore[union-attr]
        osl=_number(data.get("output_tokens", data.get("output_length"))),  # type: ignore[union-attr]
        hashes=_hashes(record),
    )  # fmt: skip


def _llmservingsim(line: int, record: dict[str, Any]) -> Iterator[Row]:
    yield Row(
        line=line, time_s=_scaled(record.get("arrival_time_ns"), 1e-9), isl=_number(record.get("input_toks")),
        osl=_number(record.get("output_toks")),
    )  # fmt: skip


def _sharegpt(line: int, record: dict[str, Any]) -> Iterator[Row]:
    """Yield the turns of a conversation: each prompt holds what was said before it; tokens are told by characters.

    A turn comes at its own time, the first one else at that of the record, and others after the last answer.
    """
    before, prompt = 0.0, 0.0
    session = f"{record.get('id', '')}#{id(record)}"
    asked_s: float | None = None
    start_s = _time_of(record)
    for turn in record.get("conversations") or record.get("conversation") or record.get("messages") or ():
        if not isinstance(turn, dict):
            continue
        said = turn.get("value", turn.get("content"))
        tokens = _text_tokens(str(said or ""))
        asked_s = _time_of(turn) if asked_s is None else asked_s
        if str(turn.get("from", turn.get("role", ""))).lower() in {"gpt", "assistant", "bard", "chatgpt", "bing"}:
            if prompt and tokens:
                time_s, start_s = (start_s if asked_s is None else asked_s), None
                yield Row(line=line, time_s=time_s, isl=before + prompt, osl=float(tokens), session=session)
            asked_s = None
            before, prompt = before + prompt + tokens, 0.0
        else:
            prompt += tokens


def _time_of(record: Mapping[str, Any]) -> float | None:
    """Return when a record says that it came [s]; None where it does not."""
    plain = {name: value for name, value in record.items() if isinstance(value, str | int | float)}
    for name, field in obvious_fields(plain).items():
        kind, _, unit = name.partition("_")
        if kind == "time":
            return _scaled(record[field], _UNITS_S[unit])
    return None


_UNITS_S = {"": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def _spans(line: int, record: dict[str, Any]) -> Iterator[Row]:
    """Yield the spans of an export that count tokens; also of Jaeger's, and one span on a line of its own."""
    if isinstance(record.get("data"), list):
        for trace in record["data"]:
            for span in trace.get("spans") or () if isinstance(trace, dict) else ():
                yield from _span(line, {"attributes": span.get("tags"), "start_us": span.get("startTime")})
        return
    resources = record.get("resourceSpans") or record.get("resource_spans")
    if not resources:
        yield from _span(line, record)
        return
    for resource in resources:
        for scope in resource.get("scopeSpans") or resource.get("scope_spans") or ():
            for span in scope.get("spans") or ():
                yield from _span(line, span)


def _span(line: int, span: Mapping[str, Any]) -> Iterator[Row]:
    given = span.get("attributes") or {}
    if isinstance(given, list):
        given = {
            str(attribute.get("key")): _any_value(attribute.get("value"))
            for attribute in given
            if isinstance(attribute, dict)
        }
    isl = next((given[name] for name in _INPUTS if name in given), None)
    osl = next((given[name] for name in _OUTPUTS if name in given), None)
    if isl is None or osl is None:
        return
    nanoseconds = next((span[name] for name in ("startTimeUnixNano", "start_time_unix_nano") if name in span), None)
    start = next((span[name] for name in ("start_time", "startTime", "timestamp") if name in span), None)
    time_s = _moment(start) if nanoseconds is None else _scaled(nanoseconds, 1e-9)
    time_s = _scaled(span["start_us"], 1e-6) if "start_us" in span else time_s
    session = given.get("gen_ai.conversation.id") or given.get("session.id") or ""
    yield Row(line=line, time_s=time_s, isl=_number(isl), osl=_number(osl), session=str(session))


_INPUTS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens",
           "llm.token_count.prompt")  # fmt: skip
_OUTPUTS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens",
            "llm.token_count.completion")  # fmt: skip


def _any_value(value: Any) -> Any:
    return next(iter(value.values()), None) if isinstance(value, dict) else value


def _is_span(record: Mapping[str, Any]) -> bool:
    given = record.get("attributes")
    names = (
        {str(attribute.get("key")) for attribute in given if isinstance(attribute, dict)}
        if isinstance(given, list)
        else set(given or ())
    )
    return bool(names & {*_INPUTS, *_OUTPUTS})


def _is_jaeger(record: Mapping[str, Any]) -> bool:
    data = record.get("data")
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and "spans" in data[0]


_TALKS = ("conversations", "conversation", "messages")

Known = Callable[[Mapping[str, Any]], bool]
Reader = Callable[[int, dict[str, Any]], Iterator[Row]]
_MAKES: tuple[tuple[Known, str, Reader], ...] = (
    (lambda r: "resourceSpans" in r or "resource_spans" in r or _is_span(r) or _is_jaeger(r), "opentelemetry", _spans),
    (lambda r: isinstance(r.get("metadata"), dict) and "request_start_ns" in r["metadata"], "aiperf_records",
     _aiperf_record),
    (lambda r: any(isinstance(r.get(name), list) for name in _TALKS), "sharegpt", _sharegpt),
    (lambda r: "input_toks" in r and "output_toks" in r, "llmservingsim", _llmservingsim),
    (lambda r: "session_id" in r and "input_length" in r, "aiperf", _aiperf),
    (lambda r: "request_id" in r and ("input_length" in r or "input_tokens" in r or isinstance(r.get("data"), dict)),
     "servegen", _servegen),
    (lambda r: "input_length" in r and "timestamp" not in r, "aiperf", _aiperf),
)  # fmt: skip


def _collected(path: Path, make: str, rows: Sequence[Row], *, ordered: bool) -> Gathered:
    """Return the rows as requests in order of time, each checked."""
    _check(path, rows)
    usable = [row for row in rows if (row.isl or 0) >= 1 and (row.osl or 0) >= 1]
    if not usable:
        raise file_fault(path, "has no request with both prompt and output tokens. Check the fields.")
    lengths, counts = [row.isl or 0.0 for row in usable], [len(row.hashes) for row in usable]
    size = block_tokens(lengths, counts, 16 if make == "servegen" else 512)
    turns = _turns(usable, whole_prompts=not ordered, size=size)
    timed = any(row.time_s is not None for row in usable)
    order = sorted(range(len(turns)), key=lambda place: turns[place][0])
    start_s = turns[order[0]][0]
    names: dict[str, int] = {}
    session = np.array([names.setdefault(usable[p].session or f"\0{p}", len(names)) for p in order], dtype=np.int64)
    hashes, hash_start = _dense([turns[place][2] for place in order])
    return Gathered(
        make=make, arrival_s=np.array([turns[place][0] - start_s for place in order], dtype=np.float64),
        isl=np.array([turns[place][1] for place in order], dtype=np.int64),
        osl=np.array([int(usable[place].osl or 0) for place in order], dtype=np.int64), skipped=len(rows) - len(usable),
        session=session if any(row.session for row in usable) else None, hashes=hashes, hash_start=hash_start,
        hash_tokens=size if hashes is not None else 0, timed=timed,
    )  # fmt: skip


def _check(path: Path, rows: Sequence[Row]) -> None:
    """Refuse rows without lengths, saying how to give them, or with lengths that are no counts."""
    if rows and all(row.osl is None for row in rows):
        message = "has no output lengths. Give them, as in --map isl=input_length --map osl=200 (a number for all)."
        raise file_fault(path, message)
    faults = []
    for row in rows:
        for name, value in (("isl", row.isl), ("osl", row.osl)):
            if value is None or not 0 <= value <= limits.REQUEST_TOKENS or value != int(value):
                remedy = f"must be a whole number of tokens, 0 to {limits.REQUEST_TOKENS:,}; mend or cut the row"
                faults.append(Fault(message=f"`{value}`: {remedy}", path=name, file=str(path), line=row.line))
        if len(faults) >= _MOST_FAULTS:
            break
    if faults:
        raise InputError(faults[:_MOST_FAULTS])


def _turns(
    rows: Sequence[Row], *, whole_prompts: bool, size: int
) -> list[tuple[float, int, tuple[Any, ...]]]:  # fmt: skip
    """Return start, whole prompt and block keys of each request.

    A turn that says only a delay starts that long after the last answer of its session. Where a session's rows hold
    what is new (*whole_prompts* is false), a prompt holds what was said before, and shares its blocks.
    """
    ends: dict[str, float] = {}
    said: dict[str, int] = {}
    first: dict[str, tuple[int, ...]] = {}
    turns: list[tuple[float, int, tuple[Any, ...]]] = []
    for place, row in enumerate(rows):
        isl, osl = int(row.isl or 0), int(row.osl or 0)
        start = row.time_s
        if start is None and row.session and row.session in ends:
            start = ends[row.session] + (row.delay_s or 0.0)
        start = float(place) if start is None else start
        keys: tuple[Any, ...] = row.hashes
        if row.session and not whole_prompts:
            prompt = said.get(row.session, 0) + isl
            first.setdefault(row.session, row.hashes)
            if any(first.values()):
                shared = first[row.session]
                keys = tuple(
                    shared[block] if block < len(shared) else (row.session, block) for block in range(prompt // size)
                )
            isl, said[row.session] = prompt, prompt + osl
        ends[row.session] = start + osl * get("assumption.answer_token_s").number
        turns.append((start, isl, keys))
    return turns


def _dense(keys: Sequence[tuple[Any, ...]]) -> tuple[IntArray | None, IntArray | None]:
    """Return block keys as whole numbers from 0, and where those of each request begin; None without any."""
    if not any(keys):
        return None, None
    numbers: dict[Any, int] = {}
    flat = [numbers.setdefault(key, len(numbers)) for hashes in keys for key in hashes]
    start = np.append(0, np.cumsum([len(hashes) for hashes in keys])).astype(np.int64)
    return np.array(flat, dtype=np.int64), start
