import dataclasses
import datetime as dt
import math
import re

import pytest

from jevons.errors import FactError, InputError
from jevons.facts import Facts, default_facts
from jevons.hardware import accelerator, accelerator_ids, cluster, site_from_facts


def test_a_device_is_its_datasheet():
    h100 = accelerator("h100_sxm")
    assert h100.peak_flop_per_s["bf16"] == pytest.approx(989.4e12, rel=1e-3)  # dense, NVIDIA H100 datasheet
    assert h100.hbm_bytes_per_s == pytest.approx(3.35e12)
    assert h100.tdp_w == 700
    assert h100.scaleup_domain == 8
    assert h100.ridge_flop_per_byte("bf16") == pytest.approx(989.4e12 / 3.35e12, rel=1e-3)
    assert h100.server_w > h100.tdp_w
    assert h100.supports("fp8")
    assert not accelerator("a100_sxm").supports("fp8")


@pytest.mark.parametrize("spelling", ["H100", "h100-sxm", " h100 sxm ", "H100_SXM"])
def test_common_spellings_name_the_same_device(spelling):
    assert accelerator(spelling).id == "h100_sxm"


def test_unknown_devices_offer_near_names():
    with pytest.raises(InputError, match="Did you mean `h20`"):
        accelerator("h21")


def test_a_device_is_not_visible_before_it_was_public():
    with pytest.raises(FactError, match="first became public"):
        accelerator("h100_sxm", on=dt.date(2020, 1, 1))


def test_thirty_accelerators_can_be_built_and_are_physical():
    devices = [accelerator(name) for name in accelerator_ids()]
    assert len(devices) >= 30
    for device in devices:
        assert device.peak_flop_per_s["bf16"] > 1e12, device.id
        assert 1e9 < device.hbm_bytes < 1e12, device.id
        assert 1e11 < device.hbm_bytes_per_s < 1e14, device.id
        assert 50 < device.tdp_w <= device.server_w < 1e4, device.id
        assert device.scaleup_domain >= 1, device.id
        # A network card may be rated above the PCIe slot that it shares, never far above.
        assert device.scaleout.bytes_per_s <= device.scaleup.bytes_per_s * 2, device.id


def test_a_group_beyond_the_domain_uses_the_fabric():
    ring = cluster("h100_sxm", 64, oversubscription=2.0)
    assert ring.link(8) == ring.accelerator.scaleup
    assert ring.link(9).bytes_per_s == ring.accelerator.scaleout.bytes_per_s / 2


@pytest.mark.parametrize(("devices", "oversubscription", "part"), [(0, 1.0, "at least one"), (8, 0.5, "at least 1")])
def test_impossible_clusters_are_refused(devices, oversubscription, part):
    with pytest.raises(InputError, match=part):
        cluster("h100_sxm", devices, oversubscription=oversubscription)


def test_a_device_without_a_matrix_peak_says_which_fact_is_missing():
    kept = {k: f for k, f in default_facts().by_id.items() if not k.startswith("h20.peak_") or "fp8" in k}
    with pytest.raises(FactError, match=r"`h20.peak_bf16_flop_per_s` is missing"):
        accelerator("h20", Facts(kept, default_facts().sources))


def test_sites_come_from_facts_and_obey_the_date():
    site = site_from_facts("site.china_north", on=dt.date(2025, 2, 24))
    assert 1.0 <= site.pue < 2.0
    assert 0.1 < site.tariff_cur_per_kwh < 2.0
    with pytest.raises(FactError):
        site_from_facts("site.china_north", on=dt.date(1990, 1, 1))
    assert dataclasses.is_dataclass(site)


PCIE_LANE_BYTES_PER_S = {"3.0": 1e9, "4.0": 2e9, "5.0": 4e9}


def test_a_pcie_link_is_as_fast_as_the_generation_and_lanes_that_its_note_names():
    named = 0
    for fact in default_facts():
        for value in fact.values if fact.id.endswith(".scaleup_bytes_per_s") else ():
            slot = re.fullmatch(r"PCIe (\d\.\d) x(\d+)", value.note or "")
            if slot is not None:
                named += 1
                assert value.value == int(slot[2]) * PCIE_LANE_BYTES_PER_S[slot[1]], fact.id
    assert named > 10


BELOW_THEIR_CLOCK = {
    "h100_nvl": "the power limit binds before the clock",
    "h200_nvl": "the power limit binds before the clock",
    "rtx_5090_d": "matrix units are slowed for export",
    "vr200": "the clock is a judgement",
}


def test_matrix_peaks_are_a_power_of_two_for_each_core_and_clock():
    uneven = {}
    for name in accelerator_ids():
        device = accelerator(name)
        if device.cores and device.clock_hz:
            per_clock = math.log2(device.peak_flop_per_s["bf16"] / device.cores / device.clock_hz)
            if abs(2.0 ** (per_clock - round(per_clock)) - 1.0) > 0.07:
                uneven[name] = 2.0**per_clock
    assert uneven.keys() == BELOW_THEIR_CLOCK.keys(), uneven
