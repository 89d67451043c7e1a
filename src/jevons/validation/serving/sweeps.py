"""Sweeps whose runs send the same prompts to one server: what an earlier run left in its prefix cache.

A client draws its prompts by a fixed seed: every run of a sweep that sends as many, of the same lengths, sends the same
ones. A server that keeps prefixes computes them in the first of these runs alone.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from jevons.errors import FactError, InputError
from jevons.operators.engines import Place, engine_number
from jevons.serving.sim.load.repeats import Repeats
from jevons.validation.names import model_named
from jevons.validation.serving.case import Case, Row, count_of, number_of
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.serve_command import launch_of, serve_command_of

_SERVER = (
    "source_title", "source_ref", "engine", "engine_version", "model", "precision", "gpu", "n_gpus", "tp", "pp", "ep",
    "dp", "isl", "osl",
)  # fmt: skip
_STAMPED = re.compile(r"(20\d{6})-(\d{6})")
_NAMED_RUN = re.compile(r"(?:[\w.-]+/)*[\w.-]+\.json")
_RISING = re.compile(r"\brandom dataset; \d+ prompts\b")
_DRAWN = re.compile(r"\bbench: [^;]*\bsglang\.bench_serving\b[^;]*--random-input-len (\d+)[^;]*--num-prompts (\d+)")
_STATES = {"linear", "ssm"}  # mixers whose states of a fixed size are not kept by default


def repeating_runs(rows: Iterable[Row]) -> set[str]:
    """Return the runs all of whose prompts an earlier run sent to the same server.

    Told by rows that print when a run began, and the tokens of all its prompts, which others of that day repeat to the
    digit. Also by a random data set of a stated number of prompts: its loads were run from the smallest on. A load that
    comes again begins another sweep, on a server started anew. SGLang's client draws prompts one after the other from a
    fixed seed, whatever the answers' length: a run on a page finds those of an earlier one that sent as many or more.
    """
    runs: dict[str, Row] = {}
    for row in rows:
        runs.setdefault(row.get("run_id") or "", row)
    runs.pop("", None)
    alike: dict[tuple[str, ...], list[tuple[float, str]]] = defaultdict(list)
    for run, row in runs.items():
        told = _order(row)
        if told is not None:
            sent, place = told
            alike[*(_server(row)), *sent].append((place, run))
    repeating = _drawn_before(runs)
    for members in alike.values():
        seen: set[str] = set()
        for _, run in sorted(members):
            load = runs[run].get("concurrency_or_rate") or ""
            seen = {load} if load in seen else {*seen, load}
            if len(seen) > 1:
                repeating.add(run)
    return repeating


def _drawn_before(runs: Mapping[str, Row]) -> set[str]:
    """Return the runs of SGLang's client whose prompts an earlier run of the page drew."""
    most: dict[tuple[str, ...], int] = {}
    found = set()
    for run, row in runs.items():
        notes = row.get("notes") or ""
        drawn = _DRAWN.search(notes)
        if drawn is None:
            continue
        length, prompts = drawn[1], count_of(drawn[2])
        server = (*_server({**row, "isl": length, "osl": ""}), serve_command_of(notes))
        if prompts <= most.get(server, 0):
            found.add(run)
        most[server] = max(prompts, most.get(server, 0))
    return found


def _server(row: Row) -> tuple[str, ...]:
    named = {name: row.get(name) or "" for name in _SERVER}
    named["source_ref"] = _NAMED_RUN.sub("", named["source_ref"])  # a file of each run
    return tuple(named.values())


def _order(row: Row) -> tuple[tuple[str, ...], float] | None:
    """Return what tells a run's prompts from others', and its place among runs; None where neither is known."""
    notes = row.get("notes") or ""
    stamp = _STAMPED.fullmatch(row.get("date_or_version") or "")
    sent = [re.search(rf"\b{name}=(\d+)", notes) for name in ("requests", "total_in")]
    if stamp and all(sent):
        return (stamp[1], *(match[1] for match in sent if match)), float(stamp[2])
    users = re.match(r"concurrency (\d+)", row.get("concurrency_or_rate") or "")
    if users and _RISING.search(notes):
        with contextlib.suppress(InputError, FactError):
            return (str(read_case(row).requested.requests),), number_of(users[1]) or 0.0
    return None


def case_in_sweep(row: Row, repeating: Collection[str]) -> Case:
    """Return the case of a row; that of a run among `repeating_runs` has its prompts in the cache.

    Raises
    ------
    InputError, FactError
        As `read_case`.
    """
    case = read_case(row)
    return _with_prompts_sent_before(case, row) if row.get("run_id") in repeating else case


def _with_prompts_sent_before(case: Case, row: Row) -> Case:
    """Return a case whose prompts the server's cache knows, unless the server keeps none."""
    line = launch_of(case, serve_command_of(row.get("notes") or ""))
    keeps = line.value("prefix_cache", bool(engine_number(case.engine, "keeps_prefixes", Place(release=case.release))))
    spec = model_named(case.model)[0]
    paged = all(group.attention.kind not in _STATES for group in spec.layers)
    if not keeps or not paged or not case.requested.requests or case.requested.repeats is not None:
        return case
    return case.replace(repeats=Repeats(prompts=case.requested.requests), warm=True)
