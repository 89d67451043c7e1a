"""`jevons.study`: draws, grids, sensitivities, foresight and growth as results."""

import json

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from places import TINY


@pytest.fixture(scope="module")
def drawn():
    return jevons.study.montecarlo(TINY, draws=6, processes=1)


@pytest.fixture(scope="module")
def grid():
    axes = {"finance.terminal_margin": [0.2, 0.1], "cost.wacc": [0.09, 0.1, 0.11]}
    return jevons.study.sweep(TINY, axes, processes=1)


@pytest.mark.slow
def test_draws_are_a_result_with_a_row_each_and_labelled_paths(drawn, tmp_path):
    assert f"seed {jevons.load(TINY).seed}" in drawn.answer
    assert drawn.to_frame().height == drawn.draws.values.shape[0]
    data = drawn.to_xarray()
    assert data["tokens_per_d_path"].dims == ("draw", "quarter")
    last = data["tokens_per_d_path"].sel(quarter="2025-Q4").values
    assert last == pytest.approx(data["tokens_per_d"].values)
    assert data["capex"].attrs["units"] == "CNY"
    drawn.save(tmp_path / "d.nc")
    drawn.save(tmp_path / "d.json")
    assert json.loads((tmp_path / "d.json").read_text())["draws"] == 6
    assert len(repr(drawn).splitlines()) <= 15


def test_a_grid_has_its_axes_as_dimensions_in_rising_order(grid):
    data = grid.to_xarray()
    assert data["value_per_share"].dims == ("finance.terminal_margin", "cost.wacc")
    frame = grid.to_frame()
    for row in frame.iter_rows(named=True):
        point = {name: row[name] for name in data["value_per_share"].dims}
        assert float(data["value_per_share"].sel(point)) == row["value_per_share"]
    assert (np.diff(data["value_per_share"].values, axis=1) < 0).all()
    assert grid.tables["points"].column("point") == [1, 2, 3, 4, 5, 6]


def test_texts_and_values_make_the_same_grid():
    from jevons.study.draws.grid import read_axes

    assert read_axes(["a=1:3:3", "b=4,5"], "set") == read_axes({"a": [1, 2, 3], "b": (4, 5)}, "set")


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"cost.wac": [0.1]}, "^axes=cost.wac: no amount of the scenario has this path. Did you mean `cost.wacc`"),
        ({"cost.wacc": []}, "needs finite values"),
        ({"cost.wacc": [float("nan")]}, "needs finite values"),
        ({"cost.wacc": [-1.0]}, "must be above 0"),
        ("cost.wacc", "must be a dictionary from path to values"),
        (
            {"cost.wacc": [0.1] * 400, "finance.terminal_margin": [0.1] * 400},
            "160,000 points; a grid has at most 100,000",
        ),
        (["cost.wacc=0.1", "cost.wacc=0.2"], "a path is given twice"),
    ],
)
def test_a_wrong_grid_is_refused_in_the_names_of_the_function(axes, message):
    with pytest.raises(InputError, match=message):
        jevons.study.sweep(TINY, axes, processes=1)


@pytest.mark.slow
def test_sensitivity_holds_all_others_and_agrees_with_a_sweep_of_one_input():
    moved = jevons.study.sensitivity(TINY, inputs="serving", processes=1)
    (one,) = moved.swings
    ends = jevons.study.sweep(TINY, {one.path: [one.low, one.high]}, processes=1).to_xarray().value_per_share
    assert [one.at_low, one.at_high] == pytest.approx(ends.values.tolist())
    assert one.swing == max(moved.central, one.at_low, one.at_high) - min(moved.central, one.at_low, one.at_high)
    assert moved.plot.tornado() is not None
    assert moved.to_json()["inputs"][0]["input"] == one.path


def test_sensitivity_refuses_unknown_outcomes_and_inputs_with_near_names():
    with pytest.raises(InputError, match="outcome=value_per_ad: unknown. Did you mean `value_per_share`"):
        jevons.study.sensitivity(TINY, outcome="value_per_ad")
    with pytest.raises(InputError, match="no uncertain amount has a path that begins so"):
        jevons.study.sensitivity(TINY, inputs="servng")


@pytest.mark.slow
def test_foresight_never_loses_by_seeing_more():
    result = jevons.study.foresight(TINY, window=2)
    whole, rolling, myopic = result.tables["sight"].column("objective")
    assert whole >= rolling
    assert whole >= myopic
    assert result.to_json()["window_quarters"] == 2


def test_growth_says_why_there_is_no_elasticity():
    result = jevons.study.growth("scenarios/doubao-history.csv")
    factors = result.tables["growth"].column("factor")
    assert factors[0] == pytest.approx(factors[1] * factors[2] * factors[3])
    assert "No elasticity: price moves by 0 %" in result.answer


def test_every_study_is_named_by_its_part():
    for name in ("montecarlo", "sweep", "sensitivity", "foresight", "growth", "backtest"):
        assert name in dir(jevons.study)
        assert "Parameters" in getattr(jevons.study, name).__doc__
    with pytest.raises(AttributeError, match=r"jevons.study.*nope"):
        jevons.study.nope  # noqa: B018
