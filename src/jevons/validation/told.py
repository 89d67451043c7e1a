"""Rows of measured tables from files of load tests and snapshots, with what their reader says of the server."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jevons.errors import InputError, InputNote
from jevons.serving.measured import LATENCIES, STATISTICS, MeasuredRun
from jevons.serving.measured.drawn import drawn_table
from jevons.serving.measured.guidellm_table import is_guidellm
from jevons.serving.measured.offline import is_printed_offline
from jevons.serving.measured.printed import is_metrics, is_printed

_METRICS = {
    "output_tok_per_s": "output_tok_s", "total_tok_per_s": "total_tok_s", "req_per_s": "request_throughput",
    "duration_s": "duration_s",
}  # fmt: skip
_ROW_NAMES = {"ttft_s": "ttft_ms", "tpot_s": "tpot_ms", "itl_s": "itl_ms", "e2e_s": "request_latency_ms"}
_OTHER_SIZE_FRAC = 0.05
"""Parameters by which two models are not the same one in another format."""
_NEWEST = "main"
"""Version of runs that name none: people measure what is current, tables of old pages do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a reader says of all files of a call, where these do not.

    Parameters
    ----------
    cells : mapping of str to str
        Cells of measured rows: ``model``, ``gpu``, ``n_gpus``, ``tp``, ``engine``, ``engine_version``, ``precision``,
        ``isl``, ``osl``, …
    load : str
        Load, as the tables have it, such as ``concurrency 8`` or ``2 req/s``.
    serve : str
        Launch line of the server.
    mapping : mapping of str to str
        Column by figure.
    """

    cells: Mapping[str, str] = field(default_factory=dict)
    load: str = ""
    serve: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> tuple[str, ...]:
        """Return the options that say something of the server or its load."""
        flags = {"n_gpus": "--gpus"}
        said = [flags.get(name, f"--{name.replace('_', '-')}") for name, value in self.cells.items() if value]
        load = [] if not self.load else ["--concurrency" if self.load.startswith("concurrency") else "--rate"]
        return (*said, *load, *(["--serve"] if self.serve else []))


def serving_rows(run: MeasuredRun, told: Told) -> Iterator[dict[str, str]]:
    """Yield a row of the serving table for each figure of a run."""
    cells = _cells(run, told)
    for name, value in run.figures.items():
        metric = _METRICS.get(name) or _latency(name)
        if metric:
            scale = 1e3 if metric not in _METRICS.values() else 1.0
            yield {**cells, "metric": metric, "value": repr(value * scale)}


def _latency(name: str) -> str:
    latency, _, statistic = name.partition(".")
    if latency not in LATENCIES or statistic not in STATISTICS:
        return ""
    return _ROW_NAMES[latency] if statistic == "mean" else f"{_ROW_NAMES[latency]}_{statistic}"


def _plain(count: float | None) -> str:
    """Return a count of six digits without an exponent, empty where there is none."""
    return f"{float(f'{count:.6g}'):f}".rstrip("0").rstrip(".") if count else ""


def _cells(run: MeasuredRun, told: Told) -> dict[str, str]:
    own = {
        "model": run.model, "gpu": run.gpu, "n_gpus": str(run.gpus or ""), "engine": run.engine,
        "engine_version": run.version, "precision": run.precision,
        **{name: str(size) for name, size in run.degrees.items()},
        "isl": _plain(run.isl), "osl": _plain(run.osl),
    }  # fmt: skip
    served = _served(run.serve) if run.serve and not told.serve else {}
    _say_other_model(served.get("model") or run.model, told.cells.get("model") or "")
    served = {**served, "gpu": run.gpu} if run.gpu else served
    cells = {**own, **served, **{name: value for name, value in told.cells.items() if value}}
    if not cells.get("tp"):
        cells["tp"] = "1"
    cells.setdefault("engine", "vllm")
    lengths = [f"mean_in={cells['isl']}"] if run.isl else []
    lengths += [f"mean_out={cells['osl']}"] if run.osl else []
    serve = told.serve or run.serve
    notes = [f"serve: {' '.join(serve.split())}"] if serve else []
    notes += [f"requests={run.requests or 0}", *lengths]
    return {
        **cells, "engine": cells["engine"] or "vllm", "engine_version": cells.get("engine_version") or _NEWEST,
        "concurrency_or_rate": told.load or run.load, "notes": "; ".join(notes), "family": "own runs",
        "source_title": run.make,
    }  # fmt: skip


def _say_other_model(stated: str, given: str) -> None:
    """Tell that a file is of a model of another size than the one that its reader names."""
    from jevons import models

    try:
        file, named = models.load(stated), models.load(given)
    except InputError:
        return
    if abs(file.parameters_total / named.parameters_total - 1.0) > _OTHER_SIZE_FRAC:
        message = f"--model {given}: the file says {stated}; {named.name} is taken, whose figures these may not be"
        warnings.warn(message, InputNote, stacklevel=2)


def _served(serve: str) -> dict[str, str]:
    """Return the cells that a file's launch line gives: its model, engine, release and degrees."""
    from jevons.serving.launch import deployment_of, model_of, names_known_model, read_launch

    line = read_launch(serve)
    degrees = deployment_of(line)
    cells = {name: str(degrees[name].value) for name in ("tp", "pp", "ep", "dp") if degrees[name].value > 1}
    model = model_of(line) if names_known_model(line) else ""
    stated = {"engine": line.engine, "engine_version": line.release, "model": model, "gpu": line.device}
    return cells | {name: value for name, value in stated.items() if value}


def startup_row(run: MeasuredRun, told: Told) -> dict[str, str] | None:
    """Return the row of the table of start-ups that a snapshot of a server gives; None where it names no cache."""
    tokens = run.figures.get("kv_cache_tokens")
    if tokens is None:
        return None
    cells, share = _cells(run, told), run.figures.get("gpu_memory_utilization")
    return {
        **cells, "kv_cache_tokens": f"{tokens:.0f}", "weights_gib": "", "kv_cache_gib": "",
        "gpu_memory_utilization": cells.get("gpu_memory_utilization") or (f"{share:g}" if share else ""),
        "max_model_len": cells.get("max_model_len", ""), "outcome": "ok",
    }  # fmt: skip


def is_load_test(text: str) -> bool:
    """Return whether a file is one of a load test: JSON, a printed report, a drawn table, or ``/metrics``."""
    return bool(re.match(r"\s*(?:\{|\[\s*[{\[\]])", text)) or any(
        known(text) for known in (is_printed, is_printed_offline, is_metrics, is_guidellm, drawn_table)
    )
