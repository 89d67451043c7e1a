"""Operating points follow the devices that they are found on."""

import dataclasses
import itertools

import numpy as np
import pytest

from jevons.facts import default_facts
from jevons.study import load
from jevons.study.chain import operating_points
from jevons.study.chain.fixed_point import run_chain
from places import TINY


@pytest.fixture(scope="module")
def swept():
    """The chain by factor on the memory bandwidth of every accelerator."""
    scenario, facts, found = load(TINY), default_facts(), operating_points.accelerator
    answers = {}
    with pytest.MonkeyPatch.context() as patch:
        for factor in (0.5, 1.0, 2.0):

            def scaled(name, facts, on, factor=factor):
                device = found(name, facts, on)
                return dataclasses.replace(device, hbm_bytes_per_s=device.hbm_bytes_per_s * factor)

            patch.setattr(operating_points, "accelerator", scaled)
            engineering = operating_points.engineer(scenario, facts, scenario.as_of)
            answers[factor] = engineering, run_chain(scenario, engineering)
    return [answers[factor] for factor in sorted(answers)]


@pytest.mark.slow
def test_more_bandwidth_never_slows_a_call_and_speeds_up_each_somewhere(swept):
    """Of the kinds of tokens one may take longer, as a better layout splits the time of a call in another way."""
    use = swept[0][1].inputs
    called = use.use.counts_tokens
    calls = [
        np.einsum("svk,sk->sv", engineering.device_s_per_tok[use.model[called]], use.use.tokens_per_call[called])
        for engineering, _ in swept
    ]
    for slow, fast in itertools.pairwise(calls):
        able = np.isfinite(slow)
        assert able.any()
        assert (fast[able] <= slow[able] * 1.001).all()
        assert (np.where(able, fast / slow, 1.0).min(axis=1) < 0.99).all()


@pytest.mark.slow
def test_more_bandwidth_lets_more_tokens_be_wanted_at_prices_no_higher(swept):
    calls = swept[0][1].inputs.use.counts_tokens
    tokens = [chain.market.market_tokens_per_d[calls, -1].sum() for _, chain in swept]
    assert tokens[0] < tokens[1] < tokens[2]
    price = [chain.market.price_index[:, -1] for _, chain in swept]
    assert all((after <= before * 1.02).all() for before, after in itertools.pairwise(price))
