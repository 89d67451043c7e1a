import numpy as np
import pytest

from jevons.errors import InputError
from jevons.finance import fund


def test_cash_balances_every_quarter():
    found = fund(100.0, np.array([10.0, -80.0, -60.0, 30.0]), returns_cur=np.full(4, 5.0), interest_frac=0.04)
    end = found.opening_cur + found.interest_cur + found.free_cash_cur - found.returned_cur + found.raised_cur
    assert end == pytest.approx(found.closing_cur)
    assert found.opening_cur[1:] == pytest.approx(found.closing_cur[:-1])


def test_returns_are_cut_before_money_is_raised():
    found = fund(20.0, np.array([-18.0, -30.0]), returns_cur=np.array([10.0, 10.0]), interest_frac=0.0)
    assert found.returned_cur == pytest.approx([2.0, 0.0])
    assert found.raised_cur == pytest.approx([0.0, 30.0])
    assert found.closing_cur == pytest.approx([0.0, 0.0])


def test_interest_compounds_to_the_yearly_rate():
    found = fund(100.0, np.zeros(4), returns_cur=np.zeros(4), interest_frac=0.04, tax_frac=0.0)
    assert found.closing_cur[-1] == pytest.approx(104.0)


@pytest.mark.parametrize(
    ("flows", "returns", "message"),
    [([1.0], [1.0, 2.0], "finite amounts"), ([float("nan")], [1.0], "finite amounts"), ([1.0], [-1.0], ">= 0")],
)
def test_wrong_flows_are_named(flows, returns, message):
    with pytest.raises(InputError, match=message):
        fund(0.0, np.array(flows), returns_cur=np.array(returns))
