import pytest

from jevons.errors import InputError
from jevons.market.history import growth_account, read_history
from places import ROOT

DOUBAO = ROOT / "scenarios" / "doubao-history.csv"


def written(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    return path


def test_a_volume_that_grew_137_times_at_one_price_holds_no_elasticity():
    found = growth_account(read_history(DOUBAO))
    assert found.volume_factor == pytest.approx(137, rel=0.01)
    assert found.elasticity is None
    assert found.price_factor == found.users_factor == 1


def test_users_and_price_take_their_parts(tmp_path):
    text = "date,tokens_per_day,users,price\n2024-01,100,10,4\n2024-04,400,20,1\n2024-07,400,40,4\n2024-10,1600,80,1\n"
    found = growth_account(read_history(written(tmp_path, text)))
    assert found.users_factor == 8
    assert found.elasticity == pytest.approx(-0.5)
    assert found.users_factor * found.price_factor * found.intensity_factor == pytest.approx(found.volume_factor)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: no column date, tokens_per_day, price"),
        ("date,price\n", "no column tokens_per_day"),
        ("date,tokens_per_day,price\n2024-01,1,1\n", "1 row"),
        ("date,tokens_per_day,price\n2024-01,1,1\n2024-01,2,1\n", ":3: 2024-01-31 does not come after"),
        ("date,tokens_per_day,price\n2024-01,many,1\nsoon,2,1\n", ":2: tokens_per_day `many`"),
        ("date,tokens_per_day,price\n2024-01,1,1\nsoon,2,1\n", ":3: `soon` is not a date"),
        ("date,tokens_per_day,price\n2024-01,1,-1\n2024-02,2,inf\n", ":3: price `inf`"),
        ("date,tokens_per_day,price\n2024-01,1\n2024-02,2,1\n", ":2: 2 cells under 3 columns"),
    ],
)
def test_bad_files_are_named_with_line_and_value(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read_history(written(tmp_path, text))
    assert said in str(error.value)
