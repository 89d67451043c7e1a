"""The scaling curve of a run at fixed batch."""

import jevons
from jevons import models, training
from jevons.hardware import cluster
from jevons.sizing.train import train


def test_small_clusters_are_efficient_and_limits_are_named():
    job = training.TrainingJob(
        model=models.load("llama-3.1-8b"), cluster=cluster("h100_sxm", 64), seq_len=4096, global_batch=256, tokens=1e12
    )
    limit_w = 300 * job.cluster.accelerator.server_w
    curve = training.scaling_curve(job, [1, 16, 64, 256, 512], training.failure_model(), power_limit_w=limit_w)
    assert [point.devices for point in curve] == [1, 16, 64, 256, 512]
    assert curve[0].step is None
    assert curve[0].reason == "device memory"
    assert curve[-1].reason == "power"
    answered = curve[1:-1]
    assert answered[0].days > answered[1].days > answered[2].days
    assert answered[0].efficiency_frac > answered[2].efficiency_frac
    assert max(point.efficiency_frac for point in curve) == 1.0
    assert {point.reason for point in answered[1:]} <= {*training.REASONS, "failures"}


def test_the_curve_agrees_with_the_run_at_its_own_size():
    found = train("llama-3.1-8b", devices=64, tokens=1e11, global_batch=256, scale_to=64)
    point = found.curve[-1]
    assert point.devices == 64
    assert point.step == found.best
    assert abs(point.days / found.estimate.days - 1.0) < 1e-9


def test_a_scaling_curve_keeps_the_software_and_degrees_of_the_run():
    run = jevons.train("llama-3-8b", gpus=16, fsdp="full_shard", batch=64, scale_to=32)
    layouts = [point.step.layout for point in run.curve if point.step is not None]
    assert layouts
    assert {(layout.pp, layout.tp, layout.zero) for layout in layouts} == {(1, 1, 3)}


def test_a_scaling_curve_leaves_a_tenth_of_the_memory_where_a_layout_does():
    job = training.TrainingJob(
        model=models.load("llama-3-8b"), cluster=cluster("h100_sxm", 8), seq_len=4096, global_batch=64, tokens=1e12
    )
    for point in training.scaling_curve(job, [8, 16], training.failure_model()):
        assert sum(point.step.memory_bytes.values()) <= 0.9 * job.cluster.accelerator.hbm_bytes
