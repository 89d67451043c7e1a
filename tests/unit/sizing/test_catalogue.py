"""What is on file can be listed, as a function and as a command."""

import pytest
from typer.testing import CliRunner

import jevons
from jevons.cli.app import app
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
    assert jevons.devices("ponte vecchio").tables["devices"].column("device") == ["max_1550"]
    assert "b200_sxm" not in jevons.devices(as_of="2023-06-01").tables["devices"].column("device")
    with pytest.raises(InputError, match="no accelerator has `h1000` in its name"):
        jevons.devices("h1000")


def test_engines_are_listed_with_their_limits():
    listed = jevons.engines().tables["engines"]
    assert {"vllm", "sglang", "trtllm"} <= set(listed.column("engine"))
    assert all(0 < share < 1 for share in listed.column("gpu_memory_utilization_frac"))


def test_one_accelerator_is_shown_with_the_grade_and_source_of_each_figure():
    shown = jevons.device("NVIDIA H20")
    rows = {row["figure"]: row for row in shown.tables["figures"].records()}
    assert rows["hbm_bytes"]["value"] == "103 GB"
    assert all(row["grade"] and row["source"] for row in rows.values())
    assert {one["id"]: one["value"] for one in shown.to_json()["figures"]}["h20.hbm_bytes"] == 96 * 2**30
    assert shown.tables["peaks"].column("precision")[0] == "bf16"


def test_a_device_of_ones_own_is_shown_from_its_file(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("name: H20 141\nlike: h20\nmemory: 141 GB\n")
    shown = jevons.device(str(path))
    assert shown.accelerator.hbm_bytes == 141e9
    assert "h20" in shown.answer
    assert not shown.figures
    assert jevons.operators.gemm(64, 64, 64, hardware=path).time_s > 0


@pytest.mark.parametrize("arguments", [("h20",), ("list", "h20"), ()])
def test_devices_lists_where_no_command_is_named(arguments):
    result = CliRunner().invoke(app, ["devices", *arguments])
    assert result.exit_code == 0
    assert "h20" in result.output


def test_a_device_is_shown_by_the_command_line():
    result = CliRunner().invoke(app, ["devices", "show", "A100-40GB"])
    assert result.exit_code == 0
    assert "a100_sxm_40gb" in result.output
