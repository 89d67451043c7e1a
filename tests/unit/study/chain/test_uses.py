"""Uses of compute: what renters do with hours, how uses answer to efficiency, and that hours and revenue add up."""

import dataclasses

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.market import market_path
from jevons.study import load
from jevons.study.chain.demand import revenue_price_cur
from jevons.study.chain.fixed_point import run_chain
from jevons.study.chain.operating_points import engineer
from jevons.study.chain.rented_uses import renting_segments, tokens_per_hour, work_path
from jevons.study.chain.use_account import DAYS, use_account
from jevons.study.chain.verdict import demand_response, growth_bridge
from places import TINY

HOSTS = """\
    hosts:
      use: self_served
      model: large
      opening: 0.4
      skill: 0.5
      busy: 0.3
      adopters: 100
      value: 1000 CNY
      value_sigma: 0.5
      calls: 200
      input_tokens: 1000
      output_tokens: 500
      integration: 0 CNY
      bass_p: 0.0
      bass_q: 0.0
      adopted: 0.5
      elasticity: -0.8
      share: 0.2
      peak: 0.4
      deferrable: 0.5
    trainers:
      use: training
      model: rental
      opening: 0.6
      adopters: 100
      value: 1000 CNY
      value_sigma: 0.5
      calls: 200
      integration: 0 CNY
      bass_p: 0.0
      bass_q: 0.0
      adopted: 0.5
      elasticity: -1.0
      share: 0.2
      peak: 0.4
      deferrable: 0.5
"""


def text_of(*changes: tuple[str, str]) -> str:
    text = TINY.read_text()
    text = text[: text.index("    renters:")] + HOSTS + text[text.index("expansion:") :]
    text = text.replace("  rental_price: 8 CNY/h\n", "  rental_price: 8 CNY/h\n  ai_revenue_share: 0.02\n")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def written(tmp_path):
    def write(*changes):
        path = tmp_path / "uses.yaml"
        path.write_text(text_of(*changes))
        return path

    return write


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("uses") / "uses.yaml"
    path.write_text(text_of())
    return load(path)


@pytest.fixture(scope="module")
def engineering(scenario):
    return engineer(scenario, default_facts(), scenario.as_of)


@pytest.fixture(scope="module")
def chain(scenario, engineering):
    return run_chain(scenario, engineering)


def test_doubled_throughput_moves_each_rented_use_by_its_stated_elasticity(chain, engineering):
    # values far above the rent: nobody is at the margin of renting, so calls per user are all that answers
    factors = demand_response(chain, engineering).use_compute_factor
    assert factors["self_served"] == pytest.approx(np.full(4, 2 ** (0.8 - 1)), rel=1e-3)
    assert factors["training"] == pytest.approx(np.ones(4), rel=1e-3)


def test_hours_of_self_served_inference_are_tokens_over_throughput_skill_and_busy_share(chain, scenario):
    account = use_account(chain)
    _, hours, tokens = account.of("self_served")
    row = next(r for r, name, _ in renting_segments(scenario) if name == "hosts")
    served = chain.plan.service.served_calls_per_d[row].sum(axis=1)
    rate = tokens_per_hour(scenario, chain.setting.device_s_per_tok)[row]
    assert tokens == pytest.approx(served * rate)
    mix = np.array([1000, 0, 500]) / 1500
    engineered = 3600 / (mix @ chain.setting.device_s_per_tok[1, 0])
    assert rate == pytest.approx(engineered * 0.5 * 0.3)
    assert np.all(hours > 0)


def test_device_hours_of_all_uses_are_those_of_the_fleet(chain):
    account = use_account(chain)
    assert account.device_h_per_d.sum(axis=0) == pytest.approx(chain.plan.fleet.installed.sum(axis=(0, 1)) * 24)
    assert np.all(account.device_h_per_d >= -1e-6)


def test_revenue_of_all_uses_is_that_of_the_accounts(written, engineering):
    paid = run_chain(
        load(written(("  rental_price: 8", "  cloud_premium: 1.5\n  call_platform: 0.2\n  rental_price: 8"))),
        engineering,
    )
    account = use_account(paid)
    assert account.revenue_cur.sum(axis=0) == pytest.approx(paid.accounts.statements.ai_revenue_cur)
    bare = sum(account.of(use)[0] for use in ("self_served", "training"))
    assert account.of("platform")[0] == pytest.approx(0.5 * bare + 0.2 * account.of("calls")[0])


def test_the_opening_split_is_as_stated_and_adds_up_to_the_stated_ai_revenue(chain, scenario):
    inputs, price = chain.inputs, 8.0
    calls = inputs.adoption.adopters * inputs.adoption.adopted_frac * inputs.use.calls_per_d * inputs.share_frac
    rented = [calls[row] * price * DAYS for row, _, _ in renting_segments(scenario)]
    assert rented[0] / sum(rented) == pytest.approx(0.4)
    listed = (inputs.use.tokens_per_call * inputs.pricing.list_price_cur_per_tok[inputs.model]).sum(axis=1)
    sold = float((calls * listed * inputs.pricing.price_factor)[inputs.use.counts_tokens].sum()) * DAYS
    assert sum(rented) + sold == pytest.approx(0.02 * scenario.finance.base_revenue.value)


def test_efficiency_and_engineering_error_move_the_start_of_self_served_hours_and_nothing_rescales_them(
    chain, scenario, engineering
):
    better = run_chain(scenario.with_numbers({"serving.efficiency": 2.0}), engineering, start=chain)
    worse = run_chain(scenario.with_numbers({"serving.engineering_error": 2.0}), engineering, start=chain)
    rows = [row for row, name, _ in renting_segments(scenario) if name == "hosts"]
    assert better.inputs.use.calls_per_d[rows] == pytest.approx(chain.inputs.use.calls_per_d[rows], rel=0.05)
    assert work_path(better.scenario)[rows[0], 0] == pytest.approx(2.0)
    assert work_path(worse.scenario)[rows[0], 0] == pytest.approx(0.5)
    for use in ("calls", "self_served"):
        assert use_account(better).of(use)[2][-1] > use_account(chain).of(use)[2][-1]
        assert use_account(worse).of(use)[2][-1] < use_account(chain).of(use)[2][-1]


def test_the_bridge_of_compute_adds_up(chain):
    bridge = growth_bridge(chain)
    assert sum(v for k, v in bridge.items() if k != "compute") == pytest.approx(bridge["compute"])
    assert bridge["price"] > 0
    assert bridge["efficiency"] < 0


def test_channels_add_up_to_the_compute_factor(chain, engineering):
    response = demand_response(chain, engineering)
    assert sum(response.channels.values()) == pytest.approx(np.log(response.compute_factor[-1]))


def test_part_of_the_callers_choose_their_tokens_per_call(written, engineering):
    depth = "      depth: 0.5\n      depth_exponent: 0.25\n      depth_most: 3\n"
    deep = run_chain(load(written(("    chat:\n", f"    chat:\n{depth}"))), engineering)
    row = list(deep.scenario.market.segments).index("chat")
    index = deep.market.token_index[row]
    free = index ** (-1 / 0.75)
    away = np.maximum(free, 1 / free)
    bent = 3 * away / np.sqrt(away**2 + 8)
    assert deep.market.depth[row] == pytest.approx(0.5 + 0.5 * np.where(free >= 1, bent, 1 / bent))
    others = np.delete(deep.market.depth, row, axis=0)
    assert others == pytest.approx(np.ones_like(others))


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (("      use: self_served\n      model: large", "      use: self_served\n      model: rental"),
         "market.segments.hosts.use", "has no throughput.*name the served model"),
        (("      opening: 0.6\n", "      opening: 0.7\n"),
         "market.segments.hosts.opening", r"0.4 \+ 0.7 = 1.1: must add up to 1"),
        (("      opening: 0.6\n", ""), "market.segments.hosts.opening", r"trainers has none.*must add up to 1"),
        (("  ai_revenue_share: 0.02\n", ""), "market.segments.hosts.opening", "market.ai_revenue_share"),
        (("  draws: 0\n", "  draws: 4\n"), "market.segments.shops.elasticity", r"-0.4: has no range.*low: , mode"),
        (("      use: training\n      model: rental", "      use: training\n      model: small"),
         "market.segments.trainers.use", "calls no model; write `model: rental`"),
        (("      use: training\n", "      use: training\n      busy: 0.4\n"),
         "market.segments.trainers.busy", "0.4: has no effect on training"),
        (("  rental_device: h20", "  rental_device: h100_sxm"), "market.segments.hosts.use", "not in hardware.devices"),
    ],
)  # fmt: skip
def test_uses_that_cannot_be_are_refused_with_place_value_and_remedy(written, change, place, message):
    with pytest.raises(InputError, match=message) as caught:
        load(written(change))
    faults = [fault for fault in caught.value.faults if place in str(fault)]
    assert faults
    assert faults[0].line


def test_own_businesses_are_charged_no_more_than_their_calls_are_worth(written, engineering):
    dear = load(written(("    chat:\n      model: large\n", "    chat:\n      model: large\n      internal: true\n")))
    row = list(dear.market.segments).index("chat")
    chain = run_chain(dear, engineering)
    served = chain.plan.service.served_calls_per_d.sum(axis=2)
    paid = revenue_price_cur(dear, chain.inputs, chain.market, chain.exchange.scarcity, served)
    assert paid[row] == pytest.approx(chain.market.call_price_cur[row])
    cheap = chain.inputs
    poor = cheap.replace(
        value_cur=cheap.adoption.value_cur * 1e-3, value_sigma=np.full(cheap.adoption.value_sigma.size, 0.1)
    )
    unseen = dataclasses.replace(chain.market, seen_call_price_cur=np.zeros_like(paid))
    bounded = revenue_price_cur(dear, poor, unseen, chain.exchange.scarcity, served)
    assert bounded[row] == pytest.approx(np.full(4, 0.02 * 1e-3 * np.exp(0.1**2 / 2)), rel=1e-3)


TERMS = """\
      calls_instead: chat
      rented_share: 0.6
      switch: -1.0
      owned_share: 0.15
      own_switch: -3.0
      buyer_tokens: 40 mn tok/day
"""
SERVES = "      use: self_served\n      model: large\n"
OWNED = (SERVES, SERVES + TERMS)
BOX = (
    "  rental_price: 8",
    "  box:\n    price: 1.4 mn CNY\n    life: 4 y\n    staff: 200000 CNY/y\n    utilisation: 0.5\n  rental_price: 8",
)


def test_users_who_serve_a_model_own_rent_or_call_and_dearer_rents_send_them_to_both(written, engineering):
    scenario = load(written(OWNED, BOX))
    row = list(scenario.market.segments).index("hosts")
    start = run_chain(scenario, engineering)
    assert start.market.renter_ways[row, :, 0] == pytest.approx([0.15, 0.6, 0.25], abs=1e-6)
    assert start.market.renter_ways[row].sum(axis=0) == pytest.approx(np.ones(4))
    inputs = start.inputs.replace(rent_index=np.full(4, 1.5))
    dear, calm = market_path(inputs), market_path(start.inputs.replace(rent_index=np.ones(4)))
    moved = dear.renter_ways[row, :, -1] - calm.renter_ways[row, :, -1]
    assert moved[0] > 0 > moved[1]
    assert moved[2] > 0


def test_tokens_that_own_machines_take_leave_the_market(written, engineering):
    start = run_chain(load(written(OWNED, BOX)), engineering)
    inputs, row = start.inputs, list(start.scenario.market.segments).index("hosts")
    chat = list(start.scenario.market.segments).index("chat")
    fixed = inputs.replace(rent_index=np.full(4, 1.5), switch=None)
    moved, still = market_path(fixed.replace(switch=inputs.renting.switch)), market_path(fixed)
    made = inputs.renting.switch.tokens_per_hour[0] * inputs.renting.work[row]
    served = still.market_calls_per_d[row] * made
    lost = served - moved.market_calls_per_d[row] * made
    gained = (moved.market_tokens_per_d - still.market_tokens_per_d)[chat]
    own = (moved.renter_ways[row, 0] - 0.15) / 0.6 * served
    assert gained == pytest.approx(lost - own, rel=5e-3, abs=1.0)  # learning follows the tokens


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ((OWNED,), "what a machine costs is not given; add market.box"),
        (((OWNED[0], OWNED[1].replace("owned_share: 0.15", "owned_share: 0.5")), BOX), "makes 1.1; the rest is called"),
        (((OWNED[0], OWNED[1].replace("own_switch: -3.0", "own_switch: -0.5")), BOX), "must be at most `switch`, -1"),
        (
            ((OWNED[0], OWNED[1].replace("      buyer_tokens: 40 mn tok/day\n", "")), BOX),
            "size counts; give.*buyer_tokens",
        ),
        (((OWNED[0], OWNED[1].replace("      calls_instead: chat\n", "")), BOX), "name in `calls_instead` who calls"),
    ],
)
def test_owning_without_terms_is_refused(written, changes, message):
    with pytest.raises(InputError, match=message):
        load(written(*changes))


def test_training_has_a_flop_account_that_efficiency_and_the_training_model_reach(chain, scenario, engineering):
    mfu = engineering.training_mfu_frac
    assert ((mfu > 0.3) & (mfu < 0.85)).all()
    account, reference = use_account(chain), 0
    flop = account.flop_per_d[account.uses.index("training")]
    rents = account.of("training")[0] / DAYS / chain.rents.use_price_cur_per_h[1]
    peak = engineering.accelerators[reference].peak_flop_per_s["bf16"]
    assert flop == pytest.approx(rents * 3600 * peak * mfu[reference])
    better = run_chain(scenario.with_numbers({"serving.efficiency": 2.0}), engineering, start=chain)
    assert use_account(better).flop_per_d[account.uses.index("training"), -1] > flop[-1]
    quicker = dataclasses.replace(engineering, training_mfu_frac=mfu * 1.2)
    more = use_account(run_chain(scenario, quicker, start=chain)).flop_per_d[account.uses.index("training")]
    assert more == pytest.approx(1.2 * flop, rel=0.05)


def test_own_training_takes_fewer_devices_where_training_reaches_more_of_the_peak(scenario, engineering):
    needed = scenario.with_numbers({"expansion.training.devices": 100.0})
    slow = run_chain(needed, engineering).plan.fleet.training_devices.sum()
    quick = dataclasses.replace(engineering, training_mfu_frac=engineering.training_mfu_frac * 1.25)
    assert run_chain(needed, quick).plan.fleet.training_devices.sum() == pytest.approx(slow / 1.25, rel=0.01)
