"""Workers that end are replaced: at once where they were ready, after longer and longer pauses where none gets so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("fastapi")
from jevons.web.pool import QUICK, RUNS, Job, Pool, Worker


def worker(pool: Pool, *, ready: bool, lane: str = QUICK) -> Worker:
    flag = SimpleNamespace(is_set=lambda: False, clear=lambda: None)
    made = Worker(lane=lane, process=None, pipe=SimpleNamespace(close=lambda: None), flag=flag, ready=ready)
    pool.workers.append(made)
    return made


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Pool(folder="")
    made.later, made.spawned = [], []
    made._loop = SimpleNamespace(call_later=lambda pause_s, call, *given: made.later.append((pause_s, call, given)))
    monkeypatch.setattr(Pool, "_spawn", lambda self, lane: self.spawned.append(lane))
    return made


def test_a_worker_that_was_ready_is_replaced_at_once(pool: Any) -> None:
    pool._heard(worker(pool, ready=True), None)
    assert pool.spawned == [QUICK]
    assert pool.later == []


def test_workers_that_never_get_ready_are_started_more_and_more_seldom_until_one_does(pool: Any) -> None:
    for _ in range(12):
        pool._heard(worker(pool, ready=False), None)
    assert pool.spawned == []
    assert [pause_s for pause_s, _, _ in pool.later] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    _, call, given = pool.later[0]
    call(*given)
    assert pool.spawned == [QUICK]
    pool._heard(worker(pool, ready=False), ("", "ready", b""))
    pool._heard(worker(pool, ready=False), None)
    assert pool.later[-1][0] == 0.5


def test_a_question_waits_for_a_worker_that_gets_ready_and_is_told_where_none_does(pool: Any) -> None:
    told: list[str] = []
    job = Job(content={"id": "one"}, lane=RUNS, listener=lambda kind, _: told.append(kind), limit_s=1.0)
    one = worker(pool, ready=False, lane=RUNS)
    pool.submit(job)
    assert (one.job, len(pool.later)) == (None, 0)
    for _ in range(2):
        pool._heard(worker(pool, ready=False, lane=RUNS), None)
        assert told == []
    pool._heard(one, None)
    assert told == ["died"]
    assert job.done


def test_the_time_of_a_question_begins_when_its_worker_is_ready(pool: Any) -> None:
    sent: list[Any] = []
    one = worker(pool, ready=False)
    one.pipe.send = sent.append
    pool.submit(Job(content={"id": "one"}, lane=QUICK, listener=lambda *_: None, limit_s=30.0))
    assert (sent, pool.later) == ([], [])
    pool._heard(one, ("", "ready", b""))
    assert sent == [{"id": "one"}]
    assert [pause_s for pause_s, _, _ in pool.later] == [30.0]
