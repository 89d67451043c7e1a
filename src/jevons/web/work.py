"""What a worker process does: one question at a time, told back over a pipe as it goes.

A worker starts anew (spawned), keeps warm imports and its last results, and looks at a shared flag whenever a run tells
its progress: a raised flag ends the run. Work that never tells is ended by whoever owns the process.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import signal
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jevons.errors import InputError, JevonsError
from jevons.study.scenario.shelf import shipped_file
from jevons.web.inputs import FUNCTIONS
from jevons.web.nodes import nodes_of
from jevons.web.problems import dumps, problem

_KEPT = 6
_MOST_ROWS = 5000

Tell = Callable[[str, Any], None]


class Cancelled(Exception):  # noqa: N818 - no error: the one who asked has gone on
    """The run is no longer wanted."""


def serve(pipe: Any, flag: Any, folder: str, warm: str) -> None:
    """Answer jobs from a pipe until it closes.

    Parameters
    ----------
    pipe : Connection
        Gives jobs, takes messages ``(job id, kind, bytes)``.
    flag : Event
        Raised when the running job is no longer wanted.
    folder : str
        Where uploaded traces lie; the process works in it, so that a bare name finds no other file.
    warm : str
        Kind of work that is got ready before the first job.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(folder)
    logging.disable(logging.WARNING)
    desk = Desk(Path(folder))
    with contextlib.suppress(Exception):
        desk.warm(warm)
    with contextlib.suppress(BrokenPipeError, EOFError):
        pipe.send(("", "ready", b""))
        while True:
            job = pipe.recv()
            _one(desk, pipe, flag, job)


def _one(desk: Desk, pipe: Any, flag: Any, job: Mapping[str, Any]) -> None:
    def tell(kind: str, content: Any) -> None:
        if flag.is_set():
            raise Cancelled
        pipe.send((job["id"], kind, dumps(content)))

    try:
        answer = desk.answer(job, tell)
        message = (job["id"], "result", answer if isinstance(answer, bytes) else dumps(answer))
    except Cancelled:
        message = (job["id"], "cancelled", b"")
    except JevonsError as error:
        message = (job["id"], "error", dumps(problem(error)))
    except (Exception, RecursionError) as error:
        message = (job["id"], "error", dumps(problem(error)))
    pipe.send(message)


class Desk:
    """The functions that a worker calls, and the results it keeps for pictures and workbooks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results: OrderedDict[str, Any] = OrderedDict()
        self.scenarios: dict[str, Any] = {}
        self.bases: dict[str, Any] = {}

    def warm(self, kind: str) -> None:
        """Import and compile what the first questions need."""
        quiet: Tell = lambda _kind, _content: None  # noqa: E731
        question = {"model": "llama-3.1-8b", "rate": 2.0, "static": True}
        self.call("size", question, quiet)
        if kind == "runs":
            self.call("simulate", {"model": "llama-3.1-8b", "rate": 2.0, "requests": 50}, quiet)

    def answer(self, job: Mapping[str, Any], tell: Tell) -> Any:
        """Return what a job asks for, with the figures set for facts in force."""
        given = job.get("input")
        with _own_facts(given if isinstance(given, Mapping) else {}):
            return self.answered(job, tell)

    def answered(self, job: Mapping[str, Any], tell: Tell) -> Any:
        """Return what a job asks for."""
        task = job["task"]
        if task == "run" and job["kind"] == "draw":
            return self.draw(job["input"])
        if task == "run":
            return self.run(job["kind"], job["input"], job["key"], tell)
        if task == "compare":
            from jevons.web.difference import difference

            return difference(self, job["input"], tell)
        if task == "picture":
            return self.picture(job["kind"], job["input"], job["key"], tell)
        if task == "deploy":
            return self.deploy(job, tell)
        if task == "trace":
            from jevons.web.traces import statistics

            return statistics(self.folder / job["file"], job["name"], job["map"])
        if task == "die" and os.environ.get("JEVONS_WEB_TEST"):
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "sleep" and os.environ.get("JEVONS_WEB_TEST"):
            time.sleep(job["seconds"])
            return {}
        message = f"task {task}: unknown"
        raise InputError(message)

    def call(self, kind: str, given: Mapping[str, Any], tell: Tell) -> Any:
        """Return the result of a function for keywords that were checked."""
        keywords = dict(given)
        if "facts" in keywords:
            with _own_facts(keywords):
                del keywords["facts"]
                return self.call(kind, keywords, tell)
        if "trace" in keywords:
            keywords["trace"] = str(self.trace(keywords["trace"]))
        from jevons.schema import plain
        from jevons.web.planning import Fan

        function = getattr(importlib.import_module(FUNCTIONS[kind]), kind)
        if kind == "plan":
            keywords["scenario"] = self.scenario(keywords.pop("scenario", ""), keywords.pop("set", {}))
            keywords.setdefault("draws", 0)
            keywords["progress"] = lambda stage, done, of: tell("progress", {"stage": stage, "done": done, "of": of})
            keywords["processes"] = 1
            currency = str(keywords["scenario"].currency)
            keywords["on_draw"] = Fan(tell=lambda message: tell("partial", message), currency=currency)
        elif kind in {"size", "simulate"}:
            keywords["progress"] = lambda stage: tell("progress", {"stage": stage, "done": None, "of": None})
            if kind == "size":
                keywords["on_fleet"] = lambda fleet: tell("partial", {"fleet": plain(fleet)})
        return function(**keywords)

    def trace(self, name: str) -> Path:
        """Return the file of an uploaded trace.

        Raises
        ------
        InputError
            If there is none of that id.
        """
        files = sorted(self.folder.glob(f"{name}.*"))
        if not files:
            message = f"trace {name}: no trace of that id is held; upload it again"
            raise InputError(message)
        return files[0]

    def scenario(self, name: str, changes: Mapping[str, Any]) -> Any:
        """Return a shipped scenario with changed amounts."""
        from jevons.study.scenario.load import load

        if not name:
            message = "scenario: is missing; name a shipped one"
            raise InputError(message)
        if name not in self.scenarios:
            self.scenarios[name] = load(shipped_file(name))
        scenario = self.scenarios[name]
        return scenario.with_values(changes) if changes else scenario

    def draw(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return one warm draw of a scenario with changed amounts; its central plan is solved once and kept."""
        from jevons.web.planning import base_of, drawn

        start = time.perf_counter()
        name = given.get("scenario", "")
        scenario = self.scenario(name, {})
        if name not in self.bases:
            self.bases[name] = base_of(scenario)
        record = drawn(scenario, given.get("set", {}), self.bases[name])
        return {"result": record, "tables": [], "notes": [], "nodes": {}, "seconds": time.perf_counter() - start}

    def result(self, kind: str, given: Mapping[str, Any], key: str, tell: Tell) -> Any:
        """Return a result that is kept, or calculated anew."""
        if key in self.results:
            self.results.move_to_end(key)
            return self.results[key]
        result = self.call(kind, given, tell)
        self.results[key] = result
        while len(self.results) > _KEPT:
            self.results.popitem(last=False)
        return result

    def run(self, kind: str, given: Mapping[str, Any], key: str, tell: Tell) -> bytes:
        """Return a result as the page takes it."""
        start = time.perf_counter()
        result = self.result(kind, given, key, tell)
        return dumps(document_of(result, seconds=time.perf_counter() - start))

    def picture(self, kind: str, given: Mapping[str, Any], key: str, tell: Tell) -> bytes:
        """Return the picture of a result as SVG.

        Raises
        ------
        InputError
            If a result of that kind has none.
        """
        result = self.result(kind, given, key, tell)
        if not result.picture:
            message = f"a {kind} result has no picture of its own; save one of the page's charts"
            raise InputError(message)
        figure = getattr(result.plot, result.picture)()
        stream = io.BytesIO()
        figure.savefig(stream, format="svg")
        return dumps({"svg": stream.getvalue().decode()})

    def deploy(self, job: Mapping[str, Any], tell: Tell) -> Any:
        """Return the files that start a fleet of a size result on a target.

        Raises
        ------
        InputError
            If the result has no such fleet.
        """
        from jevons.web.deploy import deployment

        return deployment(self.result("size", job["input"], job["key"], tell), job["entry"], job["target"])


def _own_facts(given: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    """Return the block in which figures that a question sets stand for facts."""
    if not given.get("facts"):
        return contextlib.nullcontext()
    from jevons.facts import changed

    return changed(given["facts"])


def document_of(result: Any, *, seconds: float = 0.0, whole: bool = False) -> dict[str, Any]:
    """Return a result as the page takes it: its JSON with the answer first, tables, notes, and figures behind it.

    Parameters
    ----------
    result : Result
        Of any function.
    seconds : float
        What it took.
    whole : bool
        Whether it is written to a file, with what takes seconds more: statements, boom and bust of a plan.
    """
    from jevons.schema import plain
    from jevons.web.wording import LANGUAGES, said

    document: dict[str, Any] = plain({
        "result": {"answer": result.answer, **result.to_json()},
        "tables": [_table(table) for table in result.tables.values()],
        "notes": list(result.notes),
        "said": {"zh": said(result.answer_parts, "zh")} if result.answer_parts else {},
        "change": {language: _changes(result, language) for language in LANGUAGES},
        "said_notes": {"zh": [said([note], "zh") for note in result.note_parts]},
        "nodes": nodes_of(result),
        "seconds": seconds,
    })  # fmt: skip
    if result.kind in {"simulation", "fleet"}:
        document["distributions"] = plain(result.distributions())
    if result.kind == "plan":
        from jevons.report.extras import plan_findings, statement_tables
        from jevons.study.currency import named_in
        from jevons.study.draws.summary import path_records

        if result.draws is not None:
            document["paths"] = plain(named_in(result.scenario.currency, path_records(result.draws)))
        document["findings"] = plain(plan_findings(result, futures=whole))
        if whole:
            document["tables"] += plain([_table(table) for table in statement_tables(result)])
    return document


def _changes(result: Any, language: str) -> list[str]:
    """Return in a language what would change the answer, each sentence with a capital at its start."""
    from jevons.web.wording import said

    told = (said([sentence], language) for sentence in result.change_parts)
    return [text[:1].upper() + text[1:] for text in told]


def _table(shown: Any) -> dict[str, Any]:
    return {
        "name": shown.name,
        "title": shown.title,
        "detail": shown.detail,
        "columns": [
            {
                "name": c.name,
                "label": c.label,
                "unit": c.unit,
                "scale": c.scale,
                "text": shown.text(place),
                "quoted": c.quoted,
                "digits": c.digits,
                "form": c.form,
            }
            for place, c in enumerate(shown.columns)
        ],
        "rows": [list(row) for row in shown.rows[:_MOST_ROWS]],
        "left": max(0, len(shown.rows) - _MOST_ROWS),
    }
