"""The training fit: a known factor comes back, and rows held out do not move it."""

import csv

import numpy as np
import pytest

from jevons.training import training_factors
from jevons.validation.fit.training import NEUTRAL, Rows, fit, score, subset_of

ROW = {
    "source_title": "x", "framework": "NeMo/Megatron-Core", "model": "Llama3 8B", "gpu": "DGX-H100", "n_gpus": "16",
    "seq_len": "8192", "global_batch": "128", "micro_batch": "1", "tp": "2", "pp": "1", "cp": "1", "recompute": "none",
    "precision": "bf16", "step_time_s": "6.0",
}  # fmt: skip
BOUNDS = {"sustained_frac": (0.7, 1.05)}
START = training_factors().replace(**NEUTRAL)


def rows_in(folder, times):
    """Return rows of two devices and several batches, measured as given."""
    cases = [(gpu, batch, tp) for gpu in ("DGX-H100", "DGX-A100") for batch in (64, 128) for tp in (1, 2)]
    records = [
        ROW | {"gpu": gpu, "global_batch": str(batch), "tp": str(tp), "step_time_s": repr(time)}
        for (gpu, batch, tp), time in zip(cases, times, strict=True)
    ]
    folder.mkdir(exist_ok=True)
    with (folder / "made.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(ROW))
        writer.writeheader()
        writer.writerows(records)
    return Rows.read(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    truth = START.replace(sustained_frac=0.78)
    plain = rows_in(folder / "plain", [1.0] * 8)
    return folder, rows_in(folder / "true", [float(np.exp(e)) for e in plain.errors(truth)])


def test_a_known_factor_is_found_again(made):
    _, rows = made
    every = np.ones(len(rows.items), bool)
    found = fit(rows, every, START, BOUNDS)
    assert found.kernels.sustained_frac == pytest.approx(0.78, abs=0.01)
    assert score(rows.errors(found))["median_ape"] < 0.01 < score(rows.errors(START))["median_ape"]


def test_rows_held_out_do_not_move_the_factors(made):
    folder, rows = made
    out = np.array([item.row["global_batch"] == "128" for item in rows.items])
    assert out.sum() == len(out) // 2
    measured = [item.measured * (5.0 if left else 1.0) for item, left in zip(rows.items, out, strict=True)]
    spoilt = rows_in(folder / "spoilt", measured)
    apart, same = (fit(one, ~out, START, BOUNDS) for one in (rows, spoilt))
    assert apart == same
    np.testing.assert_allclose(subset_of(spoilt, out).errors(same), subset_of(rows, out).errors(apart) - np.log(5.0))
    assert fit(spoilt, out, START, BOUNDS).kernels.sustained_frac < apart.kernels.sustained_frac


def test_a_factor_that_no_row_tells_stays_where_it_starts(made):
    _, rows = made
    hopper = np.array([item.device == "h100_sxm" for item in rows.items])
    found = fit(rows, hopper, START)
    untold = ("older_frac", "older_layer_overhead_s", "older_rank_s", "expert_sync_s", "tpu_attention_gain")
    assert {name: found.field(name) for name in untold} == {name: START.field(name) for name in untold}
    assert found.kernels.sustained_frac != START.kernels.sustained_frac
