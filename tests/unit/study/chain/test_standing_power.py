"""Devices that stand or are on their way, against the power of their sites."""

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.study.draws.study import sweep_study
from jevons.study.scenario.load import load
from places import MAIN

pytestmark = pytest.mark.slow

TINY = MAIN.parent.parent / "tests" / "unit" / "study" / "tiny.yaml"


@pytest.fixture(scope="module")
def tiny():
    return load(TINY)


def test_more_installed_devices_than_the_sites_feed_are_refused_with_both_powers_and_what_would_fit(tiny):
    changes = {"hardware.devices.h20.installed": 2000}
    with pytest.raises(
        InputError, match=r"h20\.installed: 2,000: .* draw 1\.69\d* MW.* have 1 MW; .* lower it to 1,1"
    ) as caught:
        jevons.plan(tiny, draws=0, set=changes)
    fits = int(str(caught.value).rsplit("lower it to ", 1)[1].replace(",", "").rstrip("."))
    jevons.plan(tiny, draws=0, set={"hardware.devices.h20.installed": fits})


def test_where_the_other_kinds_alone_are_too_many_no_number_is_offered(tiny):
    changes = {"hardware.devices.h20.installed": 3000, "hardware.devices.l20.installed": 3000}
    with pytest.raises(InputError, match=r"raise `hardware\.sites\.NAME\.power`$"):
        jevons.plan(tiny, draws=0, set=changes)


def test_devices_on_their_way_that_no_site_feeds_are_left_out_and_the_plan_says_so(tiny):
    changes = {"hardware.devices.h20.arriving": 1200, "hardware.devices.h20.arriving_over": "2 quarters"}
    result = jevons.plan(tiny, draws=0, set=changes)
    came = result.chain.plan.problem.opening.arriving_devices.sum()
    watts = np.array([a.server_w for a in result.engineering.accelerators])
    room_w = 1e6 - 300 * watts[0] - 200 * watts[1]
    assert came == pytest.approx(room_w / watts[0])
    assert f"{1200 - came:,.0f} are left out" in " ".join(result.notes)
    assert "left out" not in " ".join(jevons.plan(tiny, draws=0).notes)


def test_a_point_of_a_sweep_with_more_devices_than_its_sites_feed_is_refused(tiny):
    """It was cut in silence, so that points beyond the sites' power all gave the same plan."""
    path = "hardware.devices.h20.installed"
    with pytest.raises(InputError, match=r"h20\.installed: 2,000: .* draw 1\.69\d* MW.* have 1 MW"):
        sweep_study(tiny, {path: [300.0, 2000.0]})
    with pytest.raises(InputError, match=r"have 0\.2 MW|have 200 kW"):
        sweep_study(tiny, {"hardware.sites.north.power": [1e6, 2e5]})
