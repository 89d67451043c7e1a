"""Own, rent or call in the plan."""

import numpy as np
import pytest

from draws import some
from jevons.errors import InputError
from jevons.study import load, plan
from places import TINY

BOX = "  box:\n    facts: own_machine\n    price: 1.4 mn CNY\n  segments:\n"
BUYERS = "      share: 0.3\n      buyer_tokens: 40 mn tok/day\n      privacy: 20 CNY/Mtok\n"


def scenario(tmp_path, box=BOX, buyers=BUYERS, **values):
    text = TINY.read_text().replace("  segments:\n", box).replace("      share: 0.3\n", buyers)
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return load(path).with_values(values)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The small scenario with a machine to buy, and the shares of its ways."""
    loaded = scenario(tmp_path_factory.mktemp("box"))
    return loaded, plan(loaded, draws=0).chain.exchange.ways[1, 0]


@pytest.mark.slow
def test_who_buys_machines_leaves_the_cloud(tmp_path):
    with_box, without = plan(scenario(tmp_path), draws=0), plan(load(TINY), draws=0)
    ways = with_box.chain.exchange.ways
    assert ways.sum(axis=1) == pytest.approx(np.ones((3, 4)))
    chat, shops = ways[1], ways[0]
    assert np.all((chat[0] > 0.02) & (chat[0] < 0.98))
    assert shops[2] == pytest.approx(np.ones(4))
    assert without.chain.exchange.ways is None
    kept = with_box.chain.market.market_calls_per_d[1, 0] / without.chain.market.market_calls_per_d[1, 0]
    assert kept == pytest.approx(1 - chat[0, 0], rel=0.01)


@pytest.mark.parametrize(
    ("path", "factor"),
    some(
        [
            ("market.segments.chat.privacy", 10.0),
            ("market.segments.chat.buyer_tokens", 10.0),
            ("market.box.utilisation", 2.0),
            ("market.box.price", 0.5),
            ("market.box.staff", 0.2),
        ]
    ),
)
def test_privacy_size_use_and_a_cheap_machine_favour_owning(base, path, factor):
    scenario, few = base
    more = scenario.with_values({path: scenario.amounts()[path].value * factor})
    assert np.all(plan(more, draws=0).chain.exchange.ways[1, 0] > few)


def test_a_machine_of_an_accelerator_that_is_not_there_is_refused(tmp_path):
    text = TINY.read_text().replace("  segments:\n", BOX).replace("rental_device: h20", "rental_device: h100_sxm")
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load(path)
    assert "market.box: its accelerator, market.rental_device `h100_sxm`, is not in hardware.devices" in str(
        error.value
    )


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("  box:\n    price: 0 CNY\n  segments:\n", "market.box.price: 0 CNY: must be above 0"),
        (
            "  box:\n    price: {low: 3 mn CNY, mode: 2 mn CNY, high: 1 mn CNY, source: x}\n  segments:\n",
            "market.box.price",
        ),
        ("  box:\n    prize: 1 mn CNY\n  segments:\n", "Did you mean `price`?"),
    ],
)
def test_faults_of_the_machine_are_named(tmp_path, box, message):
    with pytest.raises(InputError) as error:
        scenario(tmp_path, box=box)
    assert message in str(error.value)
