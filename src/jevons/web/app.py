"""The service: routes over runs, catalogue, facts, traces and the page's files."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import json
import math
import mimetypes
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from jevons.errors import FactError, InputError, JevonsError, did_you_mean
from jevons.study.scenario.shelf import shipped_file, shipped_scenarios
from jevons.web import catalog, downloads, planning, traces
from jevons.web.frozen import STATIC, catalogue_text, frozen_page, shell, shell_hashes
from jevons.web.guard import Guard
from jevons.web.inputs import FUNCTIONS, Asked, asked, versions
from jevons.web.pool import QUICK, RUNS, BusyError, Job, Pool
from jevons.web.problems import dumps, plain_problem, problem
from jevons.web.quota import LONGEST_RUN_S, Quota
from jevons.web.runs import Run, Store

API = "/api/v1"
_LANGUAGES = ("en", "zh")


class Service:
    """Workers, runs and traces of one service."""

    def __init__(self, folder: str, workers: int, *, public: bool = False) -> None:
        self.folder = Path(folder)
        self.public = public
        self.pool = Pool(folder=folder, runners=workers)
        self.store = Store(self.pool, longest_s=LONGEST_RUN_S if public else math.inf)
        self.traces: dict[str, dict[str, Any]] = {}

    async def ask(self, content: Mapping[str, Any], lane: str, limit_s: float = 60.0) -> tuple[str, bytes]:
        """Return the last message of a job: its kind and content.

        Raises
        ------
        BusyError
            If too many wait.
        """
        done: asyncio.Future[tuple[str, bytes]] = asyncio.get_running_loop().create_future()

        def heard(kind: str, answer: bytes) -> None:
            if kind not in {"progress", "partial", "restarted"} and not done.done():
                done.set_result((kind, answer))

        job = Job(content={"id": f"q-{id(done):x}", **content}, lane=lane, listener=heard, limit_s=limit_s)
        self.pool.submit(job)
        try:
            return await done
        except asyncio.CancelledError:
            self.pool.cancel(job)
            raise


def service(*, folder: str, hosts: set[str], token: str, workers: int = 1, public: bool = False) -> Guard:
    """Return the guarded service.

    Parameters
    ----------
    folder : str
        Where uploaded traces are kept.
    hosts : set of str
        Host names that may be asked for besides this machine's own; ``*`` for any.
    token : str
        Secret that every request must show; empty for none.
    workers : int
        Worker processes for runs.
    public : bool
        Whether anybody may ask: without uploads, and so much a minute; see `jevons.web.quota`.
    """
    desk = Service(folder, workers, public=public)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        desk.pool.start()
        warming = asyncio.create_task(asyncio.to_thread(_warm))
        yield
        warming.cancel()
        desk.pool.close()

    app = FastAPI(title="jevons", version=versions()["jevons"], lifespan=lifespan, docs_url=None, redoc_url=None,
                  openapi_url=f"{API}/openapi.json")  # fmt: skip
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=5)
    app.state.desk = desk
    _errors(app)
    _questions(app, desk)
    _run_routes(app, desk)
    _file_routes(app, desk)
    _lookups(app, desk)
    _page(app)
    return Guard(app, hosts=hosts, token=token, script_hashes=shell_hashes(), quota=Quota() if public else None)


def _warm() -> None:
    with contextlib.suppress(Exception):
        catalog.catalog()


def _failed(code: int, status: int, message: str, **more: Any) -> JSONResponse:
    return JSONResponse({"error": plain_problem(code, message, **more)}, status_code=status)


def _errors(app: FastAPI) -> None:
    @app.exception_handler(JevonsError)
    async def known(_request: Request, error: JevonsError) -> Response:
        return JSONResponse({"error": problem(error)}, status_code=422)

    @app.exception_handler(BusyError)
    async def busy(_request: Request, _error: BusyError) -> Response:
        return _failed(1, 429, "too many runs wait; cancel some, or ask again in a while")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        words = {404: f"{request.url.path[:80]}: there is no such page", 405: "this address takes another method"}
        return _failed(2, error.status_code, words.get(error.status_code, str(error.detail)))

    @app.exception_handler(Exception)
    async def defect(_request: Request, error: Exception) -> Response:
        return JSONResponse({"error": problem(error)}, status_code=500)


async def _body(request: Request) -> Any:
    """Return the JSON of a request.

    Raises
    ------
    InputError
        If it is none.
    """
    content = await request.body()
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        message = f"Content-Type {kind[:60] or '(none)'}: send application/json"
        raise InputError(message)
    try:
        return json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        message = f"body: is no JSON ({str(error)[:80]}); send one object of keywords"
        raise InputError(message) from None


def _no_constant(name: str) -> Any:
    message = f"{name} is no number"
    raise ValueError(message)


def _answer(run: Run) -> Response:
    """Return the function's JSON of a finished run, `answer` first and `meta` last; or its problem."""
    if run.state == "done":
        document = run.document()
        wanted = ("tables", "notes", "seconds", "paths", "distributions", "said", "said_notes", "change")
        more: dict[str, Any] = {name: document[name] for name in wanted if name in document}
        if "findings" in document:
            more["swings"] = document["findings"]["swings"]
        meta: dict[str, Any] = {**run.meta(), **more, "explained": list(document["nodes"])}
        return Response(dumps({**document["result"], "meta": meta}), media_type="application/json")
    if run.state == "failed":
        error = json.loads(run.payload)
        return JSONResponse({"error": error, "meta": run.meta()}, status_code=422 if error["code"] != 1 else 500)
    if run.ended or run.state == "cancelling":
        return _failed(1, 409, "the run was cancelled, or a newer question of the same page took its place")
    return JSONResponse({"meta": run.meta()}, status_code=202)


def _questions(app: FastAPI, desk: Service) -> None:
    """Add a path for each function: its keywords in, its JSON out."""

    async def put(question: Asked, tab: str) -> Response:
        run, _ = desk.store.start(question, tab)
        return _answer(await desk.store.finished(run))

    def add(kind: str) -> None:
        async def handler(request: Request) -> Response:
            given = await _body(request)
            if kind == "size" and isinstance(given, dict):
                given.setdefault("static", True)
            return await put(asked(kind, given), request.headers.get("x-tab", "")[:64])

        handler.__name__ = kind
        handler.__doc__ = f"Answer of `jevons.{kind}` for its keywords."
        names = {f"{API}/{kind}", f"{API}/{kind.replace('_', '-')}"}
        for path in sorted(names):
            app.post(path, name=f"{kind}:{path}", operation_id=path.rsplit("/", 1)[1])(handler)

    for kind in (*FUNCTIONS, "draw"):
        add(kind)

    @app.post(f"{API}/diff")
    async def diff(request: Request) -> Response:
        """Return changed inputs, outputs and attribution of two questions ``{a, b}``, or of two runs by id."""
        given = await _body(request)
        if isinstance(given, dict):
            given = {side: _of_run(desk, given.get(side)) for side in ("a", "b") if side in given}
        return await put(asked("compare", given), request.headers.get("x-tab", "")[:64])


def _of_run(desk: Service, given: Any) -> Any:
    if isinstance(given, str):
        run = _known(desk, given)
        return {"kind": run.asked.kind, "input": dict(run.asked.input)}
    return given


def _known(desk: Service, identity: str) -> Run:
    run = desk.store.get(identity)
    if run is None:
        shown = "".join(c if c.isalnum() or c in "-_." else "?" for c in identity[:40])
        message = f"run {shown}: unknown here; runs end with the service. Ask its question again"
        raise _UnknownRunError(message)
    return run


class _UnknownRunError(InputError):
    """A run that is not held."""


def _done(run: Run) -> dict[str, Any]:
    if run.state != "done":
        message = f"run {run.asked.id}: has no result yet (it is {run.state}); wait for its result event"
        raise InputError(message)
    return run.document()


def _run_routes(app: FastAPI, desk: Service) -> None:
    @app.exception_handler(_UnknownRunError)
    async def unknown(_request: Request, error: _UnknownRunError) -> Response:
        return JSONResponse({"error": problem(error)}, status_code=404)

    @app.post(f"{API}/runs")
    async def start(request: Request) -> Response:
        """Start a run of ``{kind, input}``: 202 with its id, 200 where it is known."""
        given = await _body(request)
        if not isinstance(given, dict):
            message = "body: must be {kind, input}"
            raise InputError(message)
        more = [key for key in given if key not in {"kind", "input", "tab", "base"}]
        if more:
            message = f"{str(more[0])[:60]}: a run takes kind, input and tab"
            raise InputError(message)
        tab = given.get("tab", "")
        question = asked(given.get("kind"), given.get("input", {}))
        run, new = desk.store.start(question, tab[:64] if isinstance(tab, str) else "")
        return JSONResponse({"id": run.asked.id, "meta": run.meta()}, status_code=202 if new else 200)

    @app.get(f"{API}/runs/{{identity}}/events")
    async def events(identity: str, request: Request) -> Response:
        """Progress, parts, result or error of a run as server-sent events: each simulated finalist, each draw."""
        run = _known(desk, identity)
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isdigit() and len(last) < 9 else -1
        return StreamingResponse(
            desk.store.events(run, after=after), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
        )

    @app.delete(f"{API}/runs/{{identity}}")
    async def cancel(identity: str, request: Request) -> Response:
        """Cancel a run, by its next progress or by force a second later, unless another page waits for it too.

        A public service ends runs only for the pages that asked for them.
        """
        run = _known(desk, identity)
        tab = request.headers.get("x-tab", "")[:64]
        if tab or desk.public:
            desk.store.leave(run, tab)
        else:
            desk.store.cancel(run)
        return JSONResponse({"id": identity, "state": run.state}, status_code=202)

    @app.get(f"{API}/runs/{{identity}}/explain")
    async def explain(identity: str, path: str = "") -> Response:
        """Paths of all figures, or the tree behind one."""
        run = _known(desk, identity)
        nodes = _done(run)["nodes"]
        if not path:
            return JSONResponse({"paths": {name: node.get("grade", "") for name, node in nodes.items()}})
        if path not in nodes:
            message = f"path {path[:80]}: no such figure in this run.{did_you_mean(path, nodes)}"
            raise InputError(message)
        return Response(dumps({"path": path, "nodes": _under(nodes, path)}), media_type="application/json")

    @app.get(f"{API}/runs/{{identity}}/deploy/{{entry}}")
    async def deploy(identity: str, entry: str, target: str = "vllm", form: str = "json") -> Response:
        """Files that start a fleet of a size run: as JSON, or packed with ``form=zip``."""
        run = _known(desk, identity)
        _done(run)
        if run.asked.kind != "size" or not entry.isdigit() or len(entry) > 4:
            message = f"entry {entry[:20]}: give the number of a fleet of a size run, from 0"
            raise InputError(message)
        if form not in {"json", "zip"}:
            message = f"form {form[:20]}: give json or zip"
            raise InputError(message)
        content = {
            "task": "deploy", "input": dict(run.asked.input), "key": identity, "entry": int(entry),
            "target": target[:40],
        }  # fmt: skip
        kind, answer = await desk.ask(content, QUICK if run.asked.quick else RUNS)
        if kind != "result" or form == "json":
            return _message((kind, answer))
        files = json.loads(answer)
        name = f"jevons-{files['target']}-{identity}-{entry}"
        head = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
        return Response(downloads.as_zip(files["files"], name), media_type="application/zip", headers=head)


def _message(message: tuple[str, bytes]) -> Response:
    kind, content = message
    if kind == "result":
        return Response(content, media_type="application/json")
    if kind == "error":
        return JSONResponse({"error": json.loads(content)}, status_code=422)
    return _failed(1, 500, "the worker ended before it answered and was replaced; ask again")


def _under(nodes: Mapping[str, Any], path: str, most: int = 400) -> dict[str, Any]:
    """Return the figures in the tree under a path."""
    tree: dict[str, Any] = {}
    queue = [path]
    while queue and len(tree) < most:
        name = queue.pop(0)
        if name in nodes and name not in tree:
            tree[name] = nodes[name]
            queue += nodes[name].get("parents", [])
    return tree


def _file_routes(app: FastAPI, desk: Service) -> None:
    @app.get(f"{API}/runs/{{name}}")
    async def download(name: str, request: Request, table: str = "", lang: str = "en") -> Response:
        """Return a run's state and result, or with an ending its file: json, csv, html, svg, yaml, py or md."""
        identity, _, ending = name.partition(".")
        run = _known(desk, identity)
        if not ending:
            return _answer(run)
        if ending not in downloads.ENDINGS:
            message = f"ending {ending[:20]}: unknown. Known: {', '.join(downloads.ENDINGS)}."
            raise InputError(message)
        document = _done(run)
        if ending == "svg":
            content = {"task": "picture", "kind": run.asked.kind, "input": dict(run.asked.input), "key": identity}
            kind, answer = await desk.ask(content, QUICK if run.asked.quick else RUNS)
            if kind != "result":
                return _message((kind, answer))
            text = json.loads(answer)["svg"]
        else:
            text = _text(ending, document, run.meta(), table=table, language=lang if lang in _LANGUAGES else "en")
        head = {"Content-Disposition": f'attachment; filename="jevons-{run.asked.kind}-{identity}.{ending}"'}
        if request.query_params.get("inline") and ending != "svg":
            head = {}
        return Response(text, media_type=downloads.ENDINGS[ending], headers=head)

    @app.post(f"{API}/traces")
    async def upload(request: Request, name: str = "", map: str = "") -> Response:
        """Keep a trace (the body, at most 50 MB) and return its id and what it holds."""
        if request.headers.get("content-type", "").startswith("multipart/"):
            message = "trace: send the file itself as the body, with ?name= its name; not a form"
            raise InputError(message)
        content = await request.body()
        if not content:
            message = "trace: the file is empty; choose another"
            raise InputError(message)
        columns = _columns(map)
        end = traces.ending(name)
        identity = traces.identity(content, columns)
        if identity not in desk.traces:
            file = desk.folder / f"{identity}{end}"
            file.write_bytes(content)
            kind, answer = await desk.ask(
                {"task": "trace", "file": file.name, "name": name[-80:], "map": columns}, QUICK, 60.0
            )
            if kind != "result":
                file.unlink(missing_ok=True)
                if kind == "error":
                    error = json.loads(answer)
                    header = traces.header_of(content) if end == ".csv" else {}
                    return JSONResponse({"error": {**error, "field": "trace", **header}}, status_code=422)
                return _message((kind, answer))
            desk.traces[identity] = json.loads(answer)
            _drop_oldest(desk)
        return JSONResponse({"id": identity, **desk.traces[identity]}, status_code=201)

    @app.get(f"{API}/traces/{{identity}}")
    async def trace(identity: str) -> Response:
        """Return what a trace holds."""
        if identity not in desk.traces:
            return _failed(2, 404, "trace: no trace of that id is held; upload it again", field="trace")
        return JSONResponse({"id": identity, **desk.traces[identity]})


def _text(ending: str, document: Mapping[str, Any], meta: Mapping[str, Any], *, table: str, language: str) -> str:
    if ending == "html":
        return frozen_page(document, meta, language=language)
    if ending == "csv":
        return downloads.as_csv(document, table)
    if ending == "yaml":
        return downloads.as_yaml(meta)
    if ending == "py":
        return downloads.as_python(meta)
    return downloads.as_markdown(document) if ending == "md" else downloads.as_json(document)


def _columns(text: str) -> dict[str, str] | None:
    """Return which column is which, from a JSON object."""
    if not text:
        return None
    try:
        columns = json.loads(text)
    except (ValueError, RecursionError):
        columns = None
    if not isinstance(columns, dict) or any(
        role not in traces.ROLES or not isinstance(column, str) or len(column) > 200 for role, column in columns.items()
    ):
        message = f"map: must be an object that names the columns of {', '.join(traces.ROLES)}"
        raise InputError(message)
    return columns


def _drop_oldest(desk: Service) -> None:
    while len(desk.traces) > traces.MAX_TRACES:
        oldest = next(iter(desk.traces))
        del desk.traces[oldest]
        for file in desk.folder.glob(f"{oldest}.*"):
            file.unlink(missing_ok=True)


def _lookups(app: FastAPI, desk: Service) -> None:
    @app.get(f"{API}/catalog")
    async def catalogue(request: Request) -> Response:
        """Models, devices, engines, APIs, sites and options."""
        content = dumps(await asyncio.to_thread(catalog.catalog))
        return _tagged(request, content, "application/json")

    @app.get(f"{API}/facts")
    async def facts(q: str = "", grade: str = "", date: str = "") -> Response:
        """Facts that have all words, of a grade, in force on a date."""
        rows = await asyncio.to_thread(catalog.search, q[:200], grade[:40], date[:40])
        return Response(dumps({"answer": f"{len(rows):,} facts.", "facts": rows}), media_type="application/json")

    @app.get(f"{API}/facts/{{identity}}")
    async def fact(identity: str) -> Response:
        """Every dated value of a fact."""
        try:
            return Response(dumps(await asyncio.to_thread(catalog.fact, identity[:200])), media_type="application/json")
        except FactError as error:
            return JSONResponse({"error": problem(error)}, status_code=404)

    @app.get(f"{API}/scenarios/{{name}}")
    async def scenario(name: str) -> Response:
        """Return the uncertain amounts of a shipped scenario."""
        files = {scenario: shipped_file(scenario) for scenario in shipped_scenarios()}
        rows = await asyncio.to_thread(lambda: planning.amounts(planning.scenario_of(files, name)))
        return Response(dumps(rows), media_type="application/json")

    @app.get(f"{API}/status")
    async def status() -> Response:
        """Return what the workers do."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        return JSONResponse({**desk.pool.state(), "runs": len(desk.store.runs), "now": now, "versions": versions()})

    @app.get(f"{API}/i18n/{{name}}")
    async def language(name: str, request: Request) -> Response:
        """Return the words of a language."""
        code = name.removesuffix(".json")
        if code not in _LANGUAGES:
            return _failed(2, 404, f"language {code[:20]}: unknown. Known: {', '.join(_LANGUAGES)}.")
        return _tagged(request, catalogue_text(code).encode(), "application/json")


def _tagged(request: Request, content: bytes, kind: str) -> Response:
    """Return content with a tag of its hash; nothing where the browser has it."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    head = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=head)
    return Response(content, media_type=kind, headers=head)


def _page(app: FastAPI) -> None:
    mimetypes.add_type("text/javascript", ".js")

    @app.get("/")
    async def index(request: Request) -> Response:
        """Return the page."""
        return _tagged(request, shell().encode(), "text/html; charset=utf-8")

    @app.get("/static/{path:path}")
    async def static(path: str, request: Request) -> Response:
        """Return a file of the page."""
        file = (STATIC / path).resolve()
        if "\x00" in path or not file.is_relative_to(STATIC.resolve()) or not file.is_file():
            return _failed(2, 404, "there is no such file of the page")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return _tagged(request, file.read_bytes(), kind)
