"""What holds for every training layout: better hardware is never slower, work is conserved, sharing saves memory."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons import models, training
from jevons.hardware import cluster
from jevons.training.failures import best_interval_s
from jevons.training.formulas import bubble_s, exposed_s

SLACK = 1.001

layouts = st.sampled_from(
    [
        training.TrainingLayout(tp=8, dp=8, zero=1, recompute="full"),
        training.TrainingLayout(tp=4, pp=4, dp=4, zero=1, recompute="full"),
        training.TrainingLayout(dp=64, zero=3, recompute="full"),
        training.TrainingLayout(tp=2, pp=2, cp=4, dp=4, zero=2, recompute="selective"),
    ]
)
names = st.sampled_from(["llama-3.1-8b", "qwen2.5-7b", "qwen2.5-32b"])


def job(name, fabric=None):
    return training.TrainingJob(
        model=models.load(name), cluster=fabric or cluster("h200", 64), seq_len=4096, global_batch=256
    )


def fits(name, layout):
    heads = [group.attention.heads for group in models.load(name).layers]
    return all(head % layout.tp == 0 for head in heads)


@pytest.mark.parametrize("what", ["memory", "link", "compute"])
@given(name=names, layout=layouts)
@settings(max_examples=draws(12), deadline=None)
def test_doubling_a_rate_never_slows_a_step(what, name, layout):
    """Invariant 27: Doubling a hardware rate never slows a training step."""
    if not fits(name, layout):
        return
    fabric = cluster("h200", 64)
    chip = fabric.accelerator
    if what == "memory":
        chip = replace(chip, hbm_bytes_per_s=2 * chip.hbm_bytes_per_s)
    elif what == "link":
        near, far = chip.scaleup, chip.scaleout
        near, far = (replace(link, bytes_per_s=2 * link.bytes_per_s) for link in (near, far))
        chip = replace(chip, scaleup=near, scaleout=far)
    else:
        # with its power: at the power that it has, a device of twice the peak has half the clock
        peak = {k: 2 * v for k, v in chip.peak_flop_per_s.items()}
        chip = replace(chip, peak_flop_per_s=peak, tdp_w=2 * chip.tdp_w)
    before = training.step(job(name, fabric), layout).step_time_s
    after = training.step(job(name, replace(fabric, accelerator=chip)), layout).step_time_s
    assert after <= before * SLACK


@given(name=st.sampled_from(["llama-3.1-8b", "llama-3.1-70b", "deepseek-v3"]), tp=st.sampled_from([1, 2, 4, 8]))
def test_tensor_parallel_devices_together_do_the_models_work(name, tp):
    """Invariant 28: Tensor-parallel devices together do the model's work."""
    whole = job(name)
    model = whole.model
    layers = model.flop_per_token(0) - 2.0 * model.vocab * model.hidden
    assert tp * training.product_flop(whole, training.TrainingLayout(tp=tp)) == pytest.approx(layers, rel=1e-9)


@given(name=names, dp=st.sampled_from([1, 2, 4, 8]), zero=st.integers(0, 2), tp=st.sampled_from([1, 2, 4]))
def test_sharing_and_splitting_never_raise_memory(name, dp, zero, tp):
    """Invariant 29: Sharding and splitting never raise memory per device."""
    whole = job(name)
    layout = training.TrainingLayout(tp=tp, dp=dp, zero=zero)

    def total(changed):
        return sum(training.memory_bytes(whole, changed).values())

    assert total(replace(layout, zero=zero + 1)) <= total(layout) * SLACK or zero == 2
    assert total(replace(layout, tp=2 * tp)) < total(layout)
    assert total(replace(layout, dp=2 * dp)) <= total(layout)
    assert total(replace(layout, recompute="full")) < total(layout)
    assert total(replace(layout, recompute="none")) > total(layout)


@given(comm=st.floats(0, 10), busy=st.floats(0, 10), hides=st.floats(0, 1), cores=st.floats(0, 1))
def test_hidden_communication_adds_the_cores_it_holds(comm, busy, hides, cores):
    """Invariant 30: Hidden communication costs the cores that it holds."""
    added = exposed_s(comm, busy, hides, cores)
    assert exposed_s(comm, busy, hides) - 1e-9 <= added <= comm + 1e-9
    assert added - exposed_s(comm, busy, hides) == pytest.approx(cores * hides * min(comm, busy), abs=1e-9)


@given(stages=st.integers(1, 64), virtual=st.integers(1, 16), stage=st.floats(1e-3, 10))
def test_bubble_lies_between_nothing_and_a_full_drain(stages, virtual, stage):
    """Invariant 31: The pipeline bubble lies between nothing and a full drain."""
    full = bubble_s(stage, stages, 1)
    assert 0.0 <= bubble_s(stage, stages, virtual) <= full
    assert bubble_s(stage, stages, 1, zero_bubble=True) <= full


@given(stages=st.integers(1, 64), stage=st.floats(1e-3, 10), passes=st.integers(1, 4096))
def test_bubble_share_is_all_but_one_stage_at_one_micro_batch_and_vanishes_with_many(stages, stage, passes):
    """Invariant 32: The bubble is all but one stage at one micro-batch and vanishes with many."""
    bubble = bubble_s(stage, stages, 1)
    share = bubble / (bubble + passes * stage)
    assert share == pytest.approx((stages - 1) / (passes + stages - 1))
    if passes == 1:
        assert share == pytest.approx((stages - 1) / stages)
    assert share <= (stages - 1) / passes


@given(stages=st.sampled_from([2, 4, 8]), more=st.integers(1, 5))
@settings(max_examples=draws(10), deadline=None)
def test_more_micro_batches_never_raise_the_share_of_the_bubble(stages, more):
    """Invariant 33: More micro-batches never raise the bubble's share."""
    layout = training.TrainingLayout(pp=stages, dp=64 // stages, recompute="full")

    def share(batch):
        step = training.step(replace(job("llama-3.1-8b"), global_batch=batch), layout)
        return step.parts["pp_bubble"] / step.step_time_s

    assert share(64 * 2**more) <= share(64 * 2 ** (more - 1)) * SLACK


@given(name=names, layout=layouts)
@settings(max_examples=draws(12), deadline=None)
def test_useful_work_does_not_depend_on_the_layout(name, layout):
    """Invariant 34: Useful work does not depend on the layout."""
    if not fits(name, layout):
        return
    whole = job(name)
    step = training.step(whole, layout)
    assert step.model_flop == 3.0 * 256 * 4096 * whole.model.flop_per_token(2048)
    assert sum(step.parts.values()) == pytest.approx(step.step_time_s)


@given(name=names, layout=layouts, kept=st.sampled_from(["optimizer", "activations", "both"]))
@settings(max_examples=draws(15), deadline=None)
def test_offload_never_lowers_time_nor_raises_memory(name, layout, kept):
    """Invariant 35: Offload never lowers time and never raises memory."""
    if not fits(name, layout):
        return
    here, away = training.step(job(name), layout), training.step(job(name), replace(layout, offload=kept))
    assert away.step_time_s >= here.step_time_s
    assert sum(away.memory_bytes.values()) <= sum(here.memory_bytes.values())


@given(
    shard=st.sampled_from([2, 4, 8, 16, 32]),
    zero=st.integers(1, 3),
    experts=st.sampled_from(["llama-3.1-8b", "qwen3-30b-a3b"]),
)
def test_larger_sharing_groups_never_raise_memory(shard, zero, experts):
    """Invariant 36: Larger sharding groups never raise memory."""
    layout = training.TrainingLayout(dp=64, zero=zero, shard=shard)

    def total(changed):
        return sum(training.memory_bytes(job(experts), changed).values())

    assert total(replace(layout, shard=2 * shard)) <= total(layout)
    assert total(replace(layout, shard=64)) == total(replace(layout, shard=0))


@given(name=names, layout=layouts, ratio=st.floats(1.0, 16.0), pod=st.sampled_from([0, 16, 64]))
@settings(max_examples=draws(12), deadline=None)
def test_oversubscription_never_speeds_a_step_up(name, layout, ratio, pod):
    """Invariant 37: Oversubscription of the network never speeds a step up."""
    if not fits(name, layout):
        return
    thin = replace(job(name), cluster=replace(cluster("h200", 64), oversubscription=ratio), pod_devices=pod)
    full = training.step(job(name), layout).step_time_s
    slowed = training.step(thin, layout).step_time_s
    assert slowed >= full / SLACK
    assert slowed >= training.step(replace(thin, pod_devices=64), layout).step_time_s / SLACK


@given(
    devices=st.integers(8, 200_000),
    checkpoint_s=st.floats(0.5, 300.0),
    restart_s=st.floats(10.0, 1800.0),
)
def test_faster_checkpoints_and_restarts_and_fewer_devices_never_lower_goodput(devices, checkpoint_s, restart_s):
    """Invariant 38: Faster checkpoints, faster restarts and fewer devices never lower goodput."""
    model = training.failure_model()

    def goodput(n, pause_s, back_s):
        mttf_s = model.mttf_h(n) * 3600.0
        return training.useful_frac(best_interval_s(pause_s, mttf_s), pause_s, back_s, mttf_s)

    now = goodput(devices, checkpoint_s, restart_s)
    assert 0.0 < now < 1.0
    assert goodput(devices, checkpoint_s / 2, restart_s) >= now
    assert goodput(devices, checkpoint_s, restart_s / 2) >= now
    assert goodput(devices // 2, checkpoint_s, restart_s) >= now
