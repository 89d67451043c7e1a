"""Errors as the page takes them: the command line's message, the field it names, remedies that a button applies."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from jevons.errors import FactError, InfeasibleError, InputError, SolverError
from jevons.options import as_argument

_FIELD = re.compile(r"^(?:--)?([a-z][a-z0-9_-]*)(?:[ =:]|$)")
_FLOORS = {
    "time per output token": "tpot",
    "time to first token": "ttft",
    "end-to-end latency": "e2e",
}
_SUBJECTS = {r"unknown accelerator `": "gpu", r"fact `[^`]+` has no value on ": "as_of", r"unknown fact `": "id"}
"""Messages that begin with what is wrong rather than with the field that says it."""
_ROOM = 1.02
"""A floor is offered with this much room above it, since messages round."""
_MOST = 5


def problem(error: BaseException) -> dict[str, Any]:
    """Return an error as plain values: code, message, field, limits and remedies."""
    if isinstance(error, InfeasibleError):
        text = as_argument(str(error))
        return _record(3, text, field="", limits=list(error.limits), remedies=_easings(text))
    if isinstance(error, InputError | FactError):
        text = as_argument(str(error))
        field = _field(text)
        return _record(2, text, field=field, remedies=_corrections(text, field))
    if isinstance(error, SolverError):
        return _record(1, str(error))
    return _record(1, f"the program failed on this input ({type(error).__name__}); please report it")


def plain_problem(code: int, message: str, **more: Any) -> dict[str, Any]:
    """Return a problem of the service itself."""
    return _record(code, message, **more)


def _record(
    code: int, message: str, *, field: str = "", limits: list[str] | None = None,
    remedies: list[dict[str, Any]] | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        "code": code,
        "message": message,
        "field": field,
        "limits": limits or [],
        "remedies": remedies or [],
        **more,
    }


def _field(text: str) -> str:
    for subject, field in _SUBJECTS.items():
        if re.match(subject, text):
            return field
    match = _FIELD.match(text)
    return match[1].replace("-", "_") if match else ""


def _remedy(field: str, value: Any, text: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "value": value, "text": text, **more}


def _corrections(text: str, field: str) -> list[dict[str, Any]]:
    """Return the values that the message of a wrong input offers."""
    if not field:
        return []
    unknown = re.match(r"^(\S+): `\w+` takes no such keyword", text)
    if unknown:
        return [_remedy(field, None, f"leave {field} out")]
    near = re.search(r"Did you mean (.+?)\?", text)
    if near:
        wrong = re.match(r"unknown accelerator `([^`]+)`", text)  # one of several, of which the others stay
        more = {"replaces": wrong[1]} if wrong else {}
        names = re.findall(r"`([^`]+)`", near[1])[:_MOST]
        return [_remedy(field, name, f"set {field} to {name}", **more) for name in names]
    public = re.search(r"first became public on (\d{4}-\d\d-\d\d)", text)
    if public:
        return [_remedy(field, public[1], f"set {field} to {public[1]}")]
    bound = re.search(r"must be (at least|at most|above) ([0-9.,e+-]+[0-9])", text)
    if bound:
        value = float(bound[2].replace(",", ""))
        sign = {"at least": "≥", "at most": "≤", "above": ">"}[bound[1]]
        offered = value if bound[1] != "above" else (1.0 if value == 0 else value * _ROOM)
        return [_remedy(field, int(offered) if offered.is_integer() else offered, f"set {field} {sign} {bound[2]}")]
    known = re.search(r"Known: (.+?)\.(?:\s|$)", text)
    if known:
        names = [name.strip() for name in known[1].split(",")]
        return [_remedy(field, name, f"set {field} to {name}") for name in names[:_MOST]]
    if "write a time" in text:
        return [_remedy(field, "300ms", f"set {field} to 300ms")]
    if "has no effect" in text or "reads like a path" in text or "names a file" in text:
        return [_remedy(field, None, f"leave {field} out")]
    return []


def _easings(text: str) -> list[dict[str, Any]]:
    """Return what would make a question feasible that has no answer, where the message says it."""
    remedies = []
    for words, field in _FLOORS.items():
        floor = re.search(rf"least {words}[^.]*? is ([0-9.,]+) (ms|s)\b", text)
        if floor:
            floor_s = float(floor[1].replace(",", "")) * (1e-3 if floor[2] == "ms" else 1.0)
            value = _rounded_up(floor_s * _ROOM)
            remedies.append(_remedy(field, value, f"set {field} ≥ {_time(value)}"))
    spent = re.search(r"costs ([0-9,]+) ([A-Z]{3}) a month", text)
    if spent:
        amount = _rounded_up(float(spent[1].replace(",", "")))
        remedies.append(_remedy("budget", f"{amount:.0f} {spent[2]}", f"set budget ≥ {amount:,.0f} {spent[2]}"))
    replica = re.search(r"on 1 to (\d+) ", text)
    if replica and int(replica[1]) < 1024:
        more = int(replica[1]) * 2
        remedies.append(_remedy("max_replica_gpus", more, f"allow {more} accelerators a replica"))
    return remedies


def _rounded_up(value: float, digits: int = 3) -> float:
    if value <= 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return float(f"{math.ceil(value / step) * step:.12g}")


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:g} ms" if seconds < 1 else f"{seconds:g} s"


def dumps(value: Any) -> bytes:
    """Return plain values as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
