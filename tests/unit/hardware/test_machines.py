"""Types of cloud machines, and names that say how many accelerators there are."""

from __future__ import annotations

import re

import pytest

import jevons
from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.hardware import accelerator_ids, device_id
from jevons.hardware.machines import machine

CARRIED = {
    "p5.48xlarge": ("h100_sxm", 8), "ml.p5.48xlarge": ("h100_sxm", 8), "p4d.24xlarge": ("a100_sxm_40gb", 8),
    "p4de.24xlarge": ("a100_sxm", 8), "p5en.48xlarge": ("h200_sxm", 8), "g5.12xlarge": ("a10g", 4),
    "g6e.2xlarge": ("l40s", 1), "a2-highgpu-4g": ("a100_sxm_40gb", 4), "a3-megagpu-8g": ("h100_sxm", 8),
    "Standard_ND96isr_H100_v5": ("h100_sxm", 8), "ND H200 v5": ("h200_sxm", 8), "BM.GPU.MI300X.8": ("mi300x", 8),
    "v5litepod-16": ("tpu_v5e", 16), "TPU v5p-8": ("tpu_v5p", 4), "ecs.gn7i-c16g1.4xlarge": ("a10", 1),
    "inf2.48xlarge": ("inferentia2", 12), "gpu_8x_h100_sxm5": ("h100_sxm", 8),
}  # fmt: skip


@pytest.mark.parametrize(("name", "carried"), CARRIED.items())
def test_a_machine_of_a_cloud_means_a_device_and_a_number(name: str, carried: tuple[str, int]) -> None:
    assert machine(name) == carried
    assert device_id(name) == carried[0]


@pytest.mark.parametrize("name", ["p5.49xlarge", "h100", "", "g5", "a3-highgpu-g", "4090"])
def test_other_names_are_no_machines(name: str) -> None:
    assert machine(name) is None


def test_every_listed_machine_is_read_as_the_device_that_lists_it() -> None:
    for device in accelerator_ids():
        if f"{device}.machines" not in default_facts():
            continue
        for text in str(default_facts().get(f"{device}.machines").value).split(";"):
            name = re.sub(r"\{(2?n|[^}]*?)\}", lambda m: "8" if m[1] in {"n", "2n"} else m[1].split(",")[0], text)
            carried = machine(name.partition("=")[0])
            assert carried is not None
            assert carried[0] == device


@pytest.mark.parametrize("gpu", ["8xH100", "H100x8", "H100 x8", "8 x H100", "8×H100", "H100*8", "a3-highgpu-8g"])
def test_a_number_in_the_name_is_the_number_of_accelerators(gpu: str) -> None:
    stated = jevons.simulate("llama-3.1-8b", gpu=gpu, rate=20, requests=50).to_json()
    told = jevons.simulate("llama-3.1-8b", gpu="h100_sxm", gpus=8, rate=20, requests=50).to_json()
    assert (stated["ttft_s"], stated["req_per_s"]) == (told["ttft_s"], told["req_per_s"])


def test_two_numbers_that_differ_are_refused() -> None:
    with pytest.raises(InputError, match=r"gpus=4: gpu says 8 \(8xH100\)"):
        jevons.simulate("llama-3.1-8b", gpu="8xH100", gpus=4, rate=1, requests=50)


def test_more_machines_than_one_are_stated_by_the_number_of_accelerators() -> None:
    two = jevons.simulate("llama-3.1-8b", gpu="p5.48xlarge", gpus=16, rate=20, requests=50)
    assert "16 x llama-3.1-8b" in str(two)


def test_a_question_about_one_accelerator_takes_no_number() -> None:
    with pytest.raises(InputError, match="states a number, and the answer is of one accelerator; give gpu h100"):
        jevons.memory("llama-3.1-8b", gpu="8xH100")
    assert jevons.memory("llama-3.1-8b", gpu="p5.48xlarge").fits
