"""Names of devices as people and tools write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.hardware import accelerator_ids, device_id, device_in

WRITTEN = {
    "NVIDIA GeForce RTX 4090": "rtx_4090", "H100-SXM5-80GB": "h100_sxm", "NVIDIA H100 80GB HBM3": "h100_sxm",
    "A100-80GB": "a100_sxm", "a100 40gb": "a100_sxm_40gb", "NVIDIA A100 80GB PCIe": "a100_pcie", "MI300X": "mi300x",
    "h100": "h100_sxm", "Tesla V100-SXM2-32GB": "v100_sxm", "910B": "ascend_910b", "NVIDIA H100 NVL": "h100_nvl",
    "NVIDIA GH200 480GB": "gh200", "rtx4090": "rtx_4090", "NVIDIA RTX PRO 6000 Blackwell Server Edition":
    "rtx_pro_6000", "AMD Instinct MI300X OAM": "mi300x", "Gaudi 3": "gaudi3", "TPU-v6e": "tpu_v6e", "4090": "rtx_4090",
    "NVIDIA A10G": "a10g", "Tesla T4": "t4", "V100 16GB": "v100_sxm_16gb", "Tesla V100-PCIE-16GB": "v100_pcie_16gb",
    "NVIDIA RTX A6000": "rtx_a6000", "A6000": "rtx_a6000", "NVIDIA RTX 6000 Ada Generation": "rtx_6000_ada",
    "NVIDIA L40": "l40", "NVIDIA L40S": "l40s", "NVIDIA L4": "l4", "RTX 5090": "rtx_5090", "DGX Spark": "gb10",
    "NVIDIA GB10": "gb10", "H20-141GB": "h20_141gb", "H20": "h20", "MI250": "mi250", "MI250X": "mi250x",
    "AMD Instinct MI300A": "mi300a", "MI308X": "mi308x", "Intel Arc Pro B60": "arc_pro_b60",
    "Intel Arc Pro B50": "arc_pro_b50", "Intel Max 1550": "max_1550", "Ascend 910B4": "ascend_910b4",
    "NVIDIA RTX PRO 4500 Blackwell": "rtx_pro_4500", "VR NVL72 (Rubin)": "vr200", "Arc Pro B70": "arc_pro_b70",
    "tesla-v100": "v100_sxm", "tpu-v5-lite-podslice": "tpu_v5e", "HL-325L": "gaudi3", "Ascend910B3": "ascend_910b",
    "NVIDIA H200 NVL": "h200_nvl", "RTX 4090D": "rtx_4090_d", "NVIDIA GeForce RTX 4090 D": "rtx_4090_d",
    "NVIDIA GeForce RTX 3090 Ti": "rtx_3090_ti", "NVIDIA A100-PCIE-40GB": "a100_pcie_40gb", "B100": "b100_sxm",
    "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": "rtx_pro_6000_workstation", "RTX PRO 6000": "rtx_pro_6000",
    "RTX PRO 6000 Max-Q": "rtx_pro_6000_maxq", "NVIDIA GH200 144G HBM3e": "gh200_144gb", "gfx942": "mi300x",
    "gfx950": "mi355x", "sm_90": "h100_sxm", "7900 XTX": "rx_7900_xtx", "Radeon RX 7900 XTX": "rx_7900_xtx",
    "HGX H20": "h20", "NVIDIA H20-3e": "h20_141gb", "nvidia-h100-mega-80gb": "h100_sxm", "MI300": "mi300x",
    "RTX 4080 SUPER": "rtx_4080_super", "RTX 4080": "rtx_4080", "Trainium3": "trainium3", "Trainium": "trainium1",
}  # fmt: skip


@pytest.mark.parametrize(("written", "device"), WRITTEN.items())
def test_a_name_as_written_finds_its_device(written: str, device: str) -> None:
    assert device_id(written) == device


@pytest.mark.parametrize("device", accelerator_ids())
def test_every_device_is_found_by_its_id_its_name_and_its_spellings(device: str) -> None:
    title = str(default_facts().get(f"{device}.name").value)
    own = (device, title, title.upper(), device.replace("_", "-"), device.replace("_", " "), device.replace("_", ""))
    listed = f"{device}.spellings"
    spelled = str(default_facts().get(listed).value).split(";") if listed in default_facts() else []
    for written in (*own, f"NVIDIA {device}", *spelled):
        assert device_id(written) == device


@pytest.mark.parametrize(
    ("written", "told"),
    [("rtx", "may be rtx_pro_4500, rtx_3090"), ("H20-200GB", "only h20"),
     ("V100-SXM2-64GB", "only v100_sxm"),
     ("RTX 4095", "`rtx_4090`"), ("hopper", "a generation; give one of its devices: h100_sxm"),
     ("", "give a name"), ("8xH100", "give --gpu h100 and --gpus 8"),
     ("H100 x8", "give --gpu h100 and --gpus 8"), ("H100 96GB", "no device of that memory"),
     ("pro", "may be .*rtx_pro_4500"), ("H100:8", "give --gpu h100 and --gpus 8"),
     ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "1g.5gb is a part of a device"), ("mig-3g.40gb", "part of a device")],
)  # fmt: skip
def test_a_name_of_no_one_device_is_answered_with_candidates(written: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        device_id(written)


@given(st.text(max_size=40))
def test_any_text_is_a_device_or_told_in_a_line(text: str) -> None:
    try:
        device = device_id(text)
    except InputError:
        return
    assert device in accelerator_ids()


LABELS = {
    "A100 (Ampere, 8x200G NICs)": "a100_sxm", "A100-80GB SXM (4x200Gbps NICs per node)": "a100_sxm",
    "NVIDIA Blackwell GPU (GB200)": "gb200", "DGX-H100": "h100_sxm", "8xH100": "h100_sxm",
    "AMD Instinct MI300X-NPS1-SPX-192GB-750W": "mi300x", "NVIDIA B200 GPU (8x, 183GB each)": "b200_sxm",
    "aic_h100_sxm_gemm.csv": "h100_sxm", "Ascend 910C (Atlas 800 A3, 64G x 16 dies)": "ascend_910c",
    "TPU Trillium (v6e)": "tpu_v6e", "A100 (DGX-A100)": "a100_sxm", "A100-40GB": "a100_sxm_40gb",
}  # fmt: skip


@pytest.mark.parametrize(("label", "device"), LABELS.items())
def test_a_label_of_a_table_tells_its_device_whatever_else_it_says(label: str, device: str) -> None:
    assert device_in(label) == device


@pytest.mark.parametrize("label", ["MI300X / MI325X", "Voodoo 3", "NVIDIA RTX PRO 2000 Blackwell", "Intel Arc Pro A60"])
def test_a_label_of_two_kinds_or_of_none_is_refused(label: str) -> None:
    with pytest.raises(InputError):
        device_in(label)
