"""Devices of one's own, described in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import jevons
from jevons.errors import FactError, InputError
from jevons.hardware import accelerator
from jevons.sizing.hour_price import purchase_price

CARD = "name: RTX 4090 48 GB\nlike: rtx_4090\nmemory: 48 GB\nprice: 22000 CNY\n"


def written(folder: Path, text: str) -> str:
    path = folder / "card.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_modded_card_differs_from_its_relative_only_where_the_file_says(tmp_path: Path) -> None:
    card, base = accelerator(written(tmp_path, CARD)), accelerator("rtx_4090")
    assert card.hbm_bytes == 48e9
    assert (card.hbm_bytes_per_s, card.peak_flop_per_s, card.generation) == (
        base.hbm_bytes_per_s, base.peak_flop_per_s, base.generation,
    )  # fmt: skip
    assert card.kernels_like == tuple(dict.fromkeys(("rtx_4090", *base.kernels_like)))
    assert purchase_price(card, None).number == 22000


def test_a_device_that_only_renames_its_relative_is_as_fast(tmp_path: Path) -> None:
    path = written(tmp_path, "name: mine\nlike: h20\n")
    own, shipped = jevons.operators.gemm(4096, 4096, 4096, gpu=path), jevons.operators.gemm(4096, 4096, 4096, gpu="h20")
    assert own.time_s == shipped.time_s


def test_a_card_without_peer_access_has_none_in_another_size(tmp_path: Path) -> None:
    faster = accelerator(written(tmp_path, CARD + "link: {bandwidth: 32 GB/s}\n")).scaleup
    assert (faster.bytes_per_s, faster.through_host) == (32e9, True)
    joined = accelerator(written(tmp_path, CARD + "link: {kind: nvlink, bandwidth: 50 GB/s}\n")).scaleup
    assert not joined.through_host


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, CARD)
    assert accelerator(path).hbm_bytes == 48e9
    Path(path).write_text(CARD.replace("48 GB\nprice", "96 GB\nprice"), encoding="utf-8")
    assert accelerator(path).hbm_bytes == 96e9


def test_cost_prices_a_device_from_its_file(tmp_path: Path) -> None:
    hour = jevons.cost(hardware=written(tmp_path, CARD))
    assert "RTX 4090 48 GB (22,000 CNY)" in hour.answer


def test_a_device_without_a_price_says_where_one_goes(tmp_path: Path) -> None:
    with pytest.raises(FactError, match="`price:` in .*card.yaml or --gpu-hour"):
        purchase_price(accelerator(written(tmp_path, "like: h20\nname: mine\n")), None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("like: h101\n", r"card.yaml:1:1: like: h101: .*Did you mean"),
        ("like: h20\nmemory: 48\n", r":2:1: memory: `48` has no unit"),
        ("like: h20\nmemory: -1 GB\n", r":2:1: memory: -1 GB: must lie between"),
        ("like: h20\nbandwith: 1 TB/s\n", r":2:1: bandwith: unknown field. Did you mean `bandwidth`"),
        ("like: h20\npeaks: {bf17: 1 Tflop/s}\n", r":2:9: peaks.bf17: unknown precision"),
        ("like: h20\nlink: {kind: foo}\n", r":2:8: link.kind: `foo`: unknown. Known: nvlink"),
        ("like: h20\nlink: {domain: 0}\n", r":2:8: link.domain: `0`: must be a whole number"),
        ("like: h20\nprice: 12\n", r":2:1: price: `12`: write an amount and a currency .CNY"),
        ("like: h20\nname: [a]\n", r":2:1: name: .*must be a text"),
        ("like: h20\ncores: true\n", r":2:1: cores: `True`: must be a whole number"),
        ("like: h20\ntdp: .inf\n", r":2:6: tdp: .*not a finite number"),
        ("name: mine\n", "needs peaks, memory, bandwidth, tdp"),
        ("- 1\n", "must be fields of a device"),
        ("", "is empty"),
    ],
)
def test_a_wrong_file_names_place_value_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        accelerator(written(tmp_path, text))


def test_a_missing_file_is_told() -> None:
    with pytest.raises(InputError, match="nowhere.yaml"):
        accelerator("nowhere.yaml")


@pytest.mark.parametrize("name", ["h100_sxm", "rtx_4090", "gb300"])
def test_the_text_of_a_device_is_one_line_with_units(name: str) -> None:
    text = repr(accelerator(name))
    assert "\n" not in text
    assert len(text) < 160
    assert all(unit in text for unit in ("GB", "TB/s", "Tflop/s", " W"))
