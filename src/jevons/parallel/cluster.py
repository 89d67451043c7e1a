"""Workers on a Ray cluster: lost ones are replaced, finished items never run again, versions are the same."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from jevons.errors import InputError, JevonsError
from jevons.parallel.processes import MOST_LOSSES

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

_ANSWER_S = 60.0
"""How long workers may take until they say which versions they run."""
_BATCH_S = 5.0
"""Items travel together until they take about this long, so that the scheduler is no bottleneck."""
_MOST_BATCH = 20
"""Most items that travel together: those are what a lost worker costs."""

_kept: dict[bytes, Any] = {}


def library() -> Any:
    """Return Ray, without its messages and reports home.

    Raises
    ------
    InputError
        If it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        message = "--executor ray: Ray is not installed; install it with `pip install 'jevons[ray]'`"
        raise InputError(message) from None
    return ray


def checked_address(address: str) -> str:
    """Return an address that is `auto`, ``ray://HOST:PORT`` or ``HOST:PORT``; empty for `local`.

    Raises
    ------
    InputError
        If it is none of them.
    """
    if address in {"", "local"}:
        return ""
    if address == "auto":
        return address
    place = re.fullmatch(r"(?:ray://)?(\[[0-9A-Fa-f:]+\]|[\w.-]+):(\d{1,5})", address)
    if place is None or not 0 < int(place[2]) < 65536:
        message = f"--address {address}: must be local, auto, ray://HOST:PORT (often port 10001) or HOST:PORT"
        raise InputError(message)
    return address


def on_cluster(
    function: Callable[[S, T], R],
    shared: S,
    items: Sequence[T],
    *,
    address: str,
    processes: int | None,
    each_s: float | None,
) -> Iterator[tuple[int, R]]:
    """Yield place and result of each item as it is done.

    Raises
    ------
    InputError
        If the cluster cannot be reached, its workers run other versions, or are lost again and again on one item.
    """
    ray = library()
    with _connected(ray, address, processes):
        versions = _same_versions(ray, address)
        yield from _run(ray, versions, function, shared, items, address, processes, each_s)


def _run(
    ray: Any, versions: dict[str, str], function: Callable[..., Any], shared: Any, items: Sequence[Any], address: str,
    processes: int | None, each_s: float | None,
) -> Iterator[tuple[int, Any]]:  # fmt: skip
    task = ray.remote(num_cpus=1, max_retries=0)(_batch)
    key, shared_reference = os.urandom(8), ray.put((function, shared))
    waiting, losses = deque(_batches(ray, len(items), each_s)), [0] * len(items)
    running: dict[Any, range] = {}
    try:
        while waiting or running:
            most = processes or 3 * max(int(ray.cluster_resources().get("CPU", 1)), 1)
            while waiting and len(running) < most:
                places = waiting.popleft()
                running[task.remote(versions, key, [shared_reference], [items[p] for p in places])] = places
            done, _ = ray.wait(list(running), num_returns=1, timeout=10.0)
            for ref in done:
                places = running.pop(ref)
                results = _results(ray, ref, address)
                if results is not None:
                    yield from zip(places, results, strict=True)
                    continue
                for place in places:
                    losses[place] += 1
                if max(losses[p] for p in places) >= MOST_LOSSES:
                    raise InputError(_lost(places, address))
                waiting.extend(range(p, p + 1) for p in places)  # apart, so that a bad one takes no others with it
    finally:
        for ref in running:
            with contextlib.suppress(Exception):
                ray.cancel(ref, force=True)


def _batches(ray: Any, count: int, each_s: float | None) -> Iterator[range]:
    size = batch_size(count, max(int(ray.cluster_resources().get("CPU", 1)), 1), each_s)
    return (range(first, min(first + size, count)) for first in range(0, count, size))


def batch_size(count: int, cores: int, each_s: float | None) -> int:
    """Return how many items travel together: one unless there are many more than cores, and few where they are long."""
    size = max(count // (50 * cores), 1)
    if each_s is not None:
        size = min(size, max(int(_BATCH_S / max(each_s, 1e-3)), 1))
    return min(size, _MOST_BATCH)


def _results(ray: Any, ref: Any, address: str) -> list[Any] | None:
    """Return what a batch came to, None where its worker was lost."""
    errors = ray.exceptions
    lost = (
        errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError, errors.OutOfMemoryError,
        errors.LocalRayletDiedError, errors.RaySystemError, errors.TaskUnschedulableError,
    )  # fmt: skip
    try:
        return list(ray.get(ref))
    except lost:
        return None
    except errors.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, _VersionError):
            raise InputError(_refusal(address, [str(cause)])) from None
        raise (cause if isinstance(cause, JevonsError) else error) from None


def _lost(places: range, address: str) -> str:
    where = f"--address {address}" if address else "--executor ray"
    return (
        f"{where}: workers were lost {MOST_LOSSES} times while item {places[0] + 1} ran (out of memory?); give workers "
        "more memory, or fewer --processes"
    )


def _batch(versions: dict[str, str], key: bytes, task: list[Any], items: list[Any]) -> list[Any]:
    """Return the results of a batch on a worker, which fetches what is shared once."""
    if key not in _kept:
        own = _versions()
        if own != versions:
            raise _VersionError(_difference(own, versions))
        _kept.clear()
        _kept[key] = library().get(task[0])
    function, shared = _kept[key]
    return [function(shared, item) for item in items]


class _VersionError(Exception):
    """A worker runs other versions."""


@contextmanager
def _connected(ray: Any, address: str, processes: int | None) -> Iterator[None]:
    """Connect to the cluster, or start one on this machine, unless the caller is connected already."""
    if ray.is_initialized():
        yield
        return
    how: dict[str, Any] = {"logging_level": "error", "log_to_driver": False, "configure_logging": True}
    if address:
        _reachable(address)
        how["address"] = address
    else:
        cores = min(processes or os.cpu_count() or 1, 1024)
        how |= {"address": "local", "num_cpus": cores, "include_dashboard": False}
    try:
        ray.init(**how)
    except Exception as error:
        text = str(error).strip()
        if "ersion mismatch" in text:
            raise InputError(_refusal(address, [" ".join(text.split())[:300]])) from None
        reason = text.splitlines()[0][:200].rstrip(".") if text else type(error).__name__
        message = f"--address {address or 'local'}: no cluster answers ({reason}); start one with `ray start --head`"
        raise InputError(message) from None
    try:
        yield
    finally:
        ray.shutdown()


def _reachable(address: str) -> None:
    """Refuse an address where nothing listens, which Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10.0).close()
    except OSError as error:
        reason = error.strerror or str(error) or "no answer in 10 s"
        message = (
            f"--address {address}: cannot be reached ({reason}); see that the cluster runs and that its port is open "
            "(ray:// uses 10001), or omit it to use this machine"
        )
        raise InputError(message) from None


def _versions() -> dict[str, str]:
    """Return the versions of what decides the bytes of a result."""
    from importlib.metadata import PackageNotFoundError, version

    from jevons import __version__

    versions = {"jevons": __version__, "python": ".".join(map(str, sys.version_info[:2]))}
    for name in ("numpy", "numba", "scipy", "highspy", "linopy"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "missing"
    return versions


def _difference(theirs: dict[str, str], ours: dict[str, str]) -> str:
    return ", ".join(f"{name} {theirs[name]} (here {ours[name]})" for name in ours if theirs.get(name) != ours[name])


def _same_versions(ray: Any, address: str) -> dict[str, str]:
    """Return the versions here, which are those of every node that is there.

    Raises
    ------
    InputError
        If a node has others or does not have the package.
    """
    ours = _versions()

    def asked() -> dict[str, str] | str:  # travels as code: a node without the package can run it
        try:
            from jevons.parallel import cluster  # noqa: PLW0406 - by name on the node
        except Exception as error:
            return str(error)
        return cluster._versions()  # noqa: SLF001

    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    task = ray.remote(num_cpus=0, max_retries=2)(asked)
    answers = [
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote()
        for node in nodes
    ]
    faults = []
    for node, answer in zip(nodes, answers, strict=True):
        try:
            theirs = ray.get(answer, timeout=_ANSWER_S)
        except ray.exceptions.GetTimeoutError:
            theirs = f"no answer in {_ANSWER_S:.0f} s"
        except (ray.exceptions.TaskUnschedulableError, ray.exceptions.NodeDiedError):
            continue  # the node is gone; workers elsewhere go on without it
        except ray.exceptions.RayError as error:
            theirs = str(error).strip().splitlines()[0][:150]
        if isinstance(theirs, str):
            faults.append(f"node {node['NodeManagerAddress']}: {theirs}")
        elif theirs != ours:
            faults.append(f"node {node['NodeManagerAddress']}: {_difference(theirs, ours)}")
    if faults:
        raise InputError(_refusal(address, faults))
    return ours


def _refusal(address: str, faults: Sequence[str]) -> str:
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return (
        f"--address {address or 'local'}: workers differ from this machine: {'; '.join(faults[:3])}{more}; install the "
        "same versions on every node"
    )
