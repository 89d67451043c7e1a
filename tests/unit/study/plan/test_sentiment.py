"""A share beside its basket, and stories and flows scored out of sample beside value."""

import numpy as np
import pytest

import jevons
from jevons.finance import score_flows
from places import TINY

QUARTERS = [f"{year}-{month}" for year in range(2021, 2026) for month in ("03-31", "06-30", "09-30", "12-31")][:17]


def written(path, *, flow: bool = True, gap: bool = False):
    """Write closes whose change follows the flow of the period before."""
    rng = np.random.default_rng(1)
    flows = rng.normal(size=len(QUARTERS))
    prices = 100.0 * np.exp(np.cumsum(np.concatenate([[0.0], 0.1 * flows[:-1] + 0.01 * rng.normal(size=16)])))
    rows = [
        f"{day},{price:.3f},{30 * price**0.5:.3f}" + (f",{money:.4f}" if flow else "")
        for day, price, money in zip(QUARTERS, prices, flows, strict=True)
    ]
    if gap:
        rows[3] = rows[3].rsplit(",", 1)[0] + ","
    path.write_text("\n".join(["date,price,basket" + (",flow" if flow else ""), *rows]) + "\n")
    return path


def value(path):
    return jevons.value(TINY, first="2021-03-31", last="2025-03-31", prices=path)


@pytest.mark.slow
def test_a_share_is_set_beside_its_basket_and_flows_are_scored(tmp_path):
    result = value(written(tmp_path / "p.csv"))
    record = result.to_json()
    basket = record["basket"]
    assert basket["basket_part_frac"] == pytest.approx(0.5, abs=1e-3)
    assert (1 + basket["beside_frac"]) * (1 + basket["basket_change_frac"]) == pytest.approx(
        1 + basket["share_change_frac"]
    )
    assert record["flows"]["kept"]
    assert record["flows"]["rmse"] < record["flows"]["rmse_random_walk"]
    text = "".join(str(table) for table in result.tables.values())
    assert "Flows into funds" in text
    assert "what is the firm's own" in text


@pytest.mark.slow
def test_neither_story_nor_flow_moves_the_value(tmp_path):
    told = value(written(tmp_path / "p.csv")).to_json()
    without = value(written(tmp_path / "q.csv", flow=False)).to_json()
    assert told["per_share"] == without["per_share"]
    assert without["flows"] is None
    assert without["narrative"] is not None


@pytest.mark.slow
def test_flows_with_a_gap_are_not_scored(tmp_path):
    result = value(written(tmp_path / "p.csv", gap=True))
    assert result.to_json()["flows"] is None
    assert any("12 dates at least; 16 have one" in note for note in result.notes)


def test_flows_that_say_nothing_are_dropped():
    rng = np.random.default_rng(3)
    prices = 100 * np.exp(np.cumsum(0.1 * rng.normal(size=40)))
    score = score_flows(prices, rng.normal(size=40))
    assert not score.keep
    assert score.rmse_flows > score.rmse_walk


@pytest.mark.parametrize("broken", [([1.0] * 5, [1.0] * 5), ([1.0] * 12, [1.0] * 11), ([0.0] * 12, [1.0] * 12)])
def test_prices_that_cannot_be_scored_are_refused(broken):
    with pytest.raises(jevons.InputError, match="price"):
        score_flows(*broken)


def test_a_basket_without_a_level_is_refused(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("date,price,basket\n2024-12-31,1,0\n2025-03-31,2,3\n")
    with pytest.raises(jevons.InputError, match="basket 0: must be above 0"):
        jevons.value(TINY, prices=path)


def test_a_basket_that_is_not_on_file_is_refused_with_a_near_one(tmp_path):
    path = tmp_path / "s.yaml"
    text = TINY.read_text()
    assert "facts: alibaba}" in text
    path.write_text(text.replace("facts: alibaba}", "facts: alibaba, basket: basket.china_internet.levl_usd}"))
    with pytest.raises(jevons.InputError, match=r"firm.basket: .*level_usd"):
        jevons.load(path)
