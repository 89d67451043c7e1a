"""A public service answers each address so many times a minute, takes no files, and ends runs for their askers only."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

import jevons
from jevons.errors import InputError

pytest.importorskip("fastapi")
from jevons.web.quota import RATES_PER_MIN, Quota, kind_of
from jevons.web.runs import Run, Store
from page_service import API, served


@pytest.mark.parametrize("kind", RATES_PER_MIN)
def test_a_minute_s_share_may_be_used_at_once_and_comes_back_evenly(kind: str) -> None:
    now = SimpleNamespace(s=0.0)
    quota = Quota(clock=lambda: now.s)
    most = int(RATES_PER_MIN[kind])
    assert [quota.wait_s("192.0.2.1", kind) for _ in range(most)] == [0.0] * most
    wait_s = quota.wait_s("192.0.2.1", kind)
    assert wait_s == pytest.approx(60 / most)
    assert quota.wait_s("192.0.2.2", kind) == 0
    now.s += wait_s + 1e-9
    assert quota.wait_s("192.0.2.1", kind) == 0
    assert quota.wait_s("192.0.2.1", kind) > 0


def test_one_subscriber_of_ipv6_is_one_address_and_many_are_forgotten_in_turn() -> None:
    quota = Quota(clock=lambda: 0.0)
    for host in itertools.islice(itertools.count(), int(RATES_PER_MIN["run"])):
        assert quota.wait_s(f"2001:db8::{host:x}", "run") == 0
    assert quota.wait_s("2001:db8::ffff", "run") > 0
    assert quota.wait_s("2001:db8:0:1::1", "run") == 0
    for host in range(10_050):
        quota.wait_s(f"10.0.{host // 256}.{host % 256}", "read")
    assert len(quota.left) == 10_000


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("POST", f"{API}/runs", "run"), ("POST", f"{API}/plan/", "run"), ("POST", f"{API}/size", "question"),
     ("GET", f"{API}/facts", "question"), ("GET", f"{API}/runs/x/deploy/0", "question"),
     ("GET", f"{API}/runs/x.svg", "question"),
     ("GET", f"{API}/runs/x", "read"), ("GET", "/static/app.js", "read"), ("DELETE", f"{API}/runs/x", "read")],
)  # fmt: skip
def test_what_may_simulate_counts_as_a_run(method: str, path: str, kind: str) -> None:
    assert kind_of(method, path) == kind


def test_a_run_ends_for_the_last_page_that_waits_for_it_and_for_no_other() -> None:
    ended: list[str] = []
    store = Store(SimpleNamespace(cancel=lambda _job: ended.append("run")))  # type: ignore[arg-type]
    run = Run(asked=SimpleNamespace(id="x"), tabs={"a", "b"}, job=SimpleNamespace())  # type: ignore[arg-type]
    for tab, state in (
        ("", "waiting"),
        ("stranger", "waiting"),
        ("a", "waiting"),
        ("a", "waiting"),
        ("b", "cancelling"),
    ):
        store.leave(run, tab)
        assert run.state == state, tab
    assert ended == ["run"]


def test_a_public_service_takes_no_files_and_says_when_to_ask_again(tmp_path) -> None:
    with served(tmp_path, hosts={"*"}, public=True) as one:
        assert one.client.get(f"{API}/status").status_code == 200
        refused = one.client.post(f"{API}/traces?name=a.csv", content=b"arrived_at,input\n0,1\n")
        assert refused.status_code == 403
        assert "takes no files" in refused.json()["error"]["message"]
        assert not list(tmp_path.iterdir())
        bad = [one.ask("runs", {"kind": "nothing"}) for _ in range(13)]
        assert [reply.status_code for reply in bad] == [422] * 12 + [429]
        assert "ask again in" in bad[-1].json()["error"]["message"]
        assert one.client.get(f"{API}/status").status_code == 200


@pytest.mark.parametrize(
    ("given", "words"),
    [({}, "public: has no effect without"),
     ({"host": "127.0.0.1", "token": "a-long-enough-token"}, "token with")],
)  # fmt: skip
def test_public_goes_with_a_host_and_without_a_token(given: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        jevons.serve(public=True, no_open=True, **given)
