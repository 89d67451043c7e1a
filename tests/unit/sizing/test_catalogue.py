"""What is on file can be listed, as a function and as a command."""

import pytest

import jevons
from jevons.errors import InputError


def test_every_accelerator_is_listed_with_memory_bandwidth_and_a_price_or_none():
    listed = jevons.devices().tables["devices"]
    assert len(listed) == len(set(listed.column("device"))) > 30
    assert all(size > 0 for size in listed.column("hbm_bytes"))
    row = dict(zip(listed.column("device"), listed.records(), strict=True))["h20"]
    assert row["price_cny"] == 150_000
    assert row["hbm_bytes"] == 96 * 2**30


def test_words_narrow_the_list_and_a_date_hides_what_came_later():
    assert jevons.devices("NVIDIA H100").tables["devices"].column("device") == ["h100_sxm", "h100_pcie", "h100_nvl"]
    assert "b200_sxm" not in jevons.devices(as_of="2023-06-01").tables["devices"].column("device")
    with pytest.raises(InputError, match="no accelerator has `h1000` in its name"):
        jevons.devices("h1000")


def test_engines_are_listed_with_their_limits():
    listed = jevons.engines().tables["engines"]
    assert {"vllm", "sglang", "trtllm"} <= set(listed.column("engine"))
    assert all(0 < share < 1 for share in listed.column("gpu_memory_utilization_frac"))
