"""Expert tensor parallel, sharing within groups, given stages, offload, pods and formats."""

from dataclasses import replace

import pytest

from jevons import models, training
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import cluster

FACTORS = training.training_factors()


def job(model="llama-3.1-8b", device="h100_sxm", devices=64, seq_len=8192, global_batch=128, precision="bf16", **more):
    return training.TrainingJob(
        model=models.load(model),
        cluster=cluster(device, devices),
        seq_len=seq_len,
        global_batch=global_batch,
        precision=precision,
        **more,
    )


def test_whole_experts_on_single_devices_need_no_gathering_and_hold_the_same_parameters():
    mixture = job("qwen3-30b-a3b", seq_len=4096)
    split = training.TrainingLayout(tp=4, dp=16, ep=8)
    whole = replace(split, etp=1, ep=32)
    held = [training.memory_bytes(mixture, layout)["weights"] for layout in (split, whole)]
    assert held[0] == pytest.approx(held[1])
    steps = [training.step(mixture, layout) for layout in (split, whole)]
    assert steps[1].parts["tp_comm"] < steps[0].parts["tp_comm"]
    assert "etp1" in str(whole)
    assert str(replace(split, etp=4)) == str(split)


def test_sharing_in_groups_costs_memory_and_saves_far_traffic():
    wide = job(devices=512, global_batch=4096)
    everywhere = training.TrainingLayout(dp=512, zero=3, recompute="full")
    near = replace(everywhere, shard=8)
    states = [training.memory_bytes(wide, layout)["optimizer"] for layout in (everywhere, near)]
    assert states[1] == pytest.approx(64 * states[0])
    assert training.step(wide, near).parts["dp_exposed"] < training.step(wide, everywhere).parts["dp_exposed"]
    assert training.step(wide, replace(everywhere, shard=512)) == replace(
        training.step(wide, everywhere), layout=replace(everywhere, shard=512)
    )
    found = training.search(wide, best=10_000, recompute=("full",), zero=(3,))
    assert {step.layout.shard for step in found.best} > {0, 8}


def test_the_longest_of_given_stages_sets_the_pace_and_memory():
    layout = training.TrainingLayout(pp=4, dp=16, stage_layers=(8, 8, 8, 8))
    even, late, early = (
        training.step(job(), replace(layout, stage_layers=layers)) for layers in ((8,) * 4, (7, 8, 8, 9), (9, 8, 8, 7))
    )
    assert early.step_time_s < even.step_time_s < late.step_time_s  # the head is on the last
    assert early.memory_bytes["activations"] > even.memory_bytes["activations"]
    best = training.search(job(), stage_layers=(9, 8, 8, 7)).best[0].layout
    assert (best.pp, best.vpp, best.stage_layers) == (4, 1, (9, 8, 8, 7))


def test_offload_frees_memory_for_time_by_hand():
    layout = training.TrainingLayout(tp=2, dp=32, zero=1)
    here, away = (training.step(job(), replace(layout, offload=kept)) for kept in ("none", "optimizer"))
    assert away.memory_bytes["optimizer"] == 0.0
    held = here.memory_bytes["optimizer"] / FACTORS.memory.optimizer_bytes
    touched = held * (2 * FACTORS.memory.optimizer_bytes + FACTORS.memory.gradient_bytes + 2.0)
    assert away.parts["optimizer"] == pytest.approx(touched / 60e9)  # the host's memory, per device
    kept = training.step(job(), replace(layout, offload="activations", recompute="none"))
    assert kept.memory_bytes["activations"] < here.memory_bytes["activations"]
    assert kept.step_time_s >= training.step(job(), replace(layout, recompute="none")).step_time_s


def test_a_coherent_host_offloads_faster():
    layout = training.TrainingLayout(tp=2, dp=32, offload="both")
    pcie, coherent = (training.step(job(device=name), layout) for name in ("b200_sxm", "gb200"))
    assert coherent.parts["optimizer"] < pcie.parts["optimizer"]


def test_oversubscription_slows_what_leaves_the_pod():
    layout = training.TrainingLayout(dp=64, zero=3, recompute="full")
    thin = replace(cluster("h100_sxm", 64), oversubscription=8.0)
    full, thinned, pod = (
        training.step(replace(job(), cluster=fabric, pod_devices=size), layout).step_time_s
        for fabric, size in ((cluster("h100_sxm", 64), 0), (thin, 32), (thin, 64))
    )
    assert thinned > full == pod


def test_block_scaled_formats_need_a_device_that_has_them():
    layout = training.TrainingLayout(tp=2, dp=32)
    steps = {name: training.step(job(device="gb200", precision=name), layout) for name in ("bf16", "mxfp8", "nvfp4")}
    assert steps["nvfp4"].step_time_s < steps["mxfp8"].step_time_s < steps["bf16"].step_time_s
    kept = [steps[name].memory_bytes["activations"] for name in ("nvfp4", "mxfp8", "bf16")]
    assert kept == sorted(kept)
    with pytest.raises(InputError, match=r"h100_sxm does not multiply in `nvfp4`. Use fp8_block, fp8."):
        training.step(job(precision="nvfp4"), layout)
    with pytest.raises(InputError, match=r"precision = `fp9`: must be one of bf16"):
        training.step(job(precision="fp9"), layout)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"shard": 5}, r"shard = 5 does not divide the 32 replicas of dp \* cp. Use 4"),
        ({"shard": 4, "zero": 0}, r"shard = 4 with zero = 0: nothing is shared out. Use zero = 1, 2 or 3"),
        ({"offload": "disk"}, r"offload = disk: must be none, both, or any of optimizer, parameters, activations"),
        ({"stage_layers": (16, 16)}, r"stage_layers = 16,16: 2 stages, not pp = 1. Use 32."),
        ({"tp": 1, "pp": 2, "stage_layers": (16, 15)}, r"31 layers; llama-3.1-8b has 32. Use 16,16."),
        ({"tp": 1, "pp": 2, "vpp": 2, "stage_layers": (16, 16)}, r"interleaved stages are even. Use vpp = 1"),
    ],
)
def test_choices_that_do_not_fit_name_the_nearest_that_do(layout, message):
    with pytest.raises(InputError, match=message):
        training.step(job(), replace(training.TrainingLayout(tp=2, dp=32), **layout))


def test_expert_groups_that_do_not_divide_name_the_nearest_that_do():
    mixture = job("qwen3-30b-a3b", seq_len=4096)
    with pytest.raises(InputError, match=r"etp = 3 does not divide the 4 devices of tp. Use 2"):
        training.step(mixture, training.TrainingLayout(tp=4, dp=16, etp=3))
    with pytest.raises(InputError, match=r"ep = 32 does not divide the 16 devices of tp \* dp \* cp / etp. Use 16"):
        training.step(mixture, training.TrainingLayout(tp=4, dp=16, ep=32))


def test_a_search_without_an_answer_names_offload_or_the_fastest_free_layout():
    small = job("llama-3.1-70b", devices=8, global_batch=8, seq_len=4096)
    with pytest.raises(InfeasibleError, match=r"needs 1\d\d\.\d GB .* 85\.9 GB.*that does: .*offload-both"):
        training.search(small)
    with pytest.raises(InfeasibleError, match=r"tp = 3 divides and fits: none divides. The fastest that does: "):
        training.search(job(), fixed={"tp": 3})


def test_devices_that_do_not_divide_the_batch_name_one_that_they_do():
    with pytest.raises(
        InfeasibleError, match=r"none divides. Use a batch of 1,026 sequences \(--batch\): tp4 pp2 dp9 "
    ):
        training.search(job("llama-3.1-70b", devices=72, global_batch=1024, seq_len=4096))
