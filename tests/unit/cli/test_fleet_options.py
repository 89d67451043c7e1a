import json

import polars as pl
import pytest

BASE = ("simulate", "--model", "llama-3.1-8b", "--rate", "30", "--requests", "3000", "--isl", "300", "--osl", "60")


def test_kinds_of_replicas_share_a_load_by_what_they_can_do(jevons):
    done = jevons(*BASE, "--gpu", "h100_sxm:3,h20:2", "--gpu-hour", "2 USD", "--json")
    assert done.code == 0
    record = json.loads(done.out)
    assert record["routing"] == "least_loaded"
    assert record["itl_s"]["p50"] == pytest.approx(record["tpot_s"]["p50"], rel=0.3)
    assert sum(kind["served"] for kind in record["kinds"]) == record["served"] == 3000
    fast, slow = record["kinds"]
    assert fast["served"] / 3 > slow["served"] / 2
    assert fast["weight"] == 1 > slow["weight"] > 0
    assert record["cost"] == pytest.approx(2 * record["accelerator_hours"])


def test_a_fleet_that_fails_scales_and_refuses_accounts_for_every_request(jevons, tmp_path):
    out = tmp_path / "fleet.parquet"
    options = ("--autoscale", "1:4", "--cold-start", "5", "--mtbf", "0.05", "--repair", "20", "--queue-limit", "40",
               "--rate-limit", "25:50", "--offline-requests", "50", "--plot", tmp_path / "fleet.svg",
               "--out", out)  # fmt: skip
    done = jevons(*BASE, *options)
    assert done.code == 0
    assert "rejected" in done.out
    frame = pl.read_parquet(out)
    assert frame.height == 3000
    counts = dict(frame.group_by("outcome").len().iter_rows())
    assert counts["rate_limit"] > 0
    assert counts["answered"] == frame["e2e_s"].is_not_null().sum()
    assert set(frame["kind"].drop_nulls()) == {"h100_sxm"}
    assert (tmp_path / "fleet.svg").stat().st_size > 1000


def test_requests_without_sessions_are_spread_by_session_routing(jevons):
    done = jevons(*BASE, "--gpu", "h100_sxm:4", "--routing", "session", "--json")
    assert json.loads(done.out)["stable"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--gpu", "h100_sxm:2,h20"), "each needs its own name"),
        (("--gpu", "h100_sxm:2,h100_sxm:3"), "each needs its own name"),
        (("--gpu", "h100_sxm:x"), "write one accelerator"),
        (("--gpu", "h100_sxm:2", "--replicas", "3"), "omit --gpus and --replicas"),
        (("--autoscale", "4:2"), "minimum and maximum number"),
        (("--cold-start", "3"), "has no effect without --autoscale"),
        (("--repair", "3"), "has no effect without --mtbf"),
        (("--rate-limit", "fast"), "write requests per second"),
        (("--routing", "nearest", "--gpus", "2"), "routing"),
        (("--gpu", "h100_sxm:2", "--sweep-rates", "1:2:1"), "--sweep-rates"),
    ],
)
def test_wrong_options_are_refused(jevons, options, word):
    done = jevons(*BASE, *options)
    assert done.code == 2
    assert word in done.err
