import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.expansion import DAYS_PER_QUARTER, ExpansionProblem, solve
from jevons.expansion._checks import _FIELDS
from jevons.expansion._program import build, net_value, read
from jevons.expansion._reference import model
from jevons.expansion._stages import opening, stages

quick = settings(max_examples=draws(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


def draw(seed, *, market_power=False):
    """Return a random problem with two or three of everything, in the magnitudes of a cloud."""
    rng = np.random.default_rng(seed)
    S, V, R, K, T = rng.integers(1, [4, 4, 3, 3, 6])
    B = 4
    price = 10.0 ** rng.uniform(-2, 1, S)
    seconds = price[:, None, None] * rng.uniform(100, 400, (S, V, T))
    seconds[rng.random((S, V)) < 0.15] = np.inf
    share = rng.dirichlet(np.ones(K), S)
    capex = rng.uniform(6e4, 2e5, (V, T))
    installed = rng.uniform(0, 2e4, (V, R)) * (rng.random((V, R)) < 0.7)
    watts = rng.uniform(500, 1500, V)
    needed = float((installed * watts[:, None]).sum(axis=0).max())
    return ExpansionProblem.of(
        quarters=tuple(f"t{i}" for i in range(T)),
        segments=tuple(f"s{i}" for i in range(S)),
        devices=tuple(f"v{i}" for i in range(V)),
        sites=tuple(f"r{i}" for i in range(R)),
        slots=tuple(f"k{i}" for i in range(K)),
        slot_h_per_d=rng.dirichlet(np.ones(K)) * 24 if K > 1 else np.array([24.0]),
        block_value_cur_per_call=price[:, None, None] * np.sort(rng.uniform(0.1, 4, (S, T, B)), axis=2)[:, :, ::-1],
        block_calls_per_d=rng.uniform(0, 1, (S, T, B)) * 3e5 / price[:, None, None],
        slot_share_frac=share / share.sum(axis=1, keepdims=True),
        deferrable_frac=rng.choice([0.0, 0.3, 1.0], S),
        device_s_per_call=seconds,
        utilisation_cap_frac=rng.uniform(0.4, 1, S),
        availability_frac=float(rng.uniform(0.8, 1)),
        capex_cur_per_device=capex,
        device_w=watts,
        site_capex_cur_per_w=rng.uniform(0, 40, (R, T)),
        energy_cur_per_device_h=rng.uniform(0.2, 1, (V, R, T)),
        fixed_cur_per_device_quarter=rng.uniform(0, 3e3, (V, T)),
        budget_cur=rng.uniform(0, 3e9, T),
        supply_devices=rng.uniform(0, 3e4, (V, T)) * (rng.random((V, T)) < 0.7),
        lead_quarters=rng.integers(0, 3, V),
        life_quarters=rng.integers(1, 8, V),
        initial_devices=installed,
        initial_age_quarters=rng.integers(0, 8, V),
        initial_site_w=np.full(R, needed),
        site_limit_w=np.full((R, T), needed + 3e7),
        site_build_w_per_quarter=rng.uniform(0, 2e7, R),
        training_flop_per_s=np.zeros(T),
        device_flop_per_s=rng.uniform(1e14, 1e15, V),
        discount=np.cumprod(rng.uniform(0.95, 1.0, T)),
        terminal_cur_per_device=capex * rng.uniform(0, 0.5, (V, 1)),
        market_power=market_power,
    )


def with_sight(problem, seed):
    """Return the problem with quarters after the horizon, early retirement and an end value of the opening stock."""
    rng = np.random.default_rng([seed, 1])
    worth = problem.machines.terminal_cur_per_device[:, 0] * rng.uniform(0, 1, len(problem.devices))
    return problem.replace(
        tail_quarters=int(rng.integers(0, 5)), retire_early=True, initial_terminal_cur_per_device=worth
    )


def with_reserve(problem, share=0.3):
    """Return the problem with a reserve that the opening stock can just hold for as long as it stands."""
    flop = np.einsum("v,vrt->t", problem.machines.device_flop_per_s, opening(problem).installed(stages(problem)))
    return problem.replace(training_flop_per_s=share * flop[: len(problem.quarters)])


@quick
@given(seeds, st.booleans(), st.sampled_from(["perfect", "rolling", "myopic"]))
def test_money_power_devices_and_calls_balance(seed, market_power, foresight):
    """Invariant 39: Money, power, devices and calls balance in every plan."""
    p = with_sight(draw(seed, market_power=market_power), seed)
    p = with_reserve(p) if foresight == "perfect" else p
    plan = solve(p, foresight=foresight, window_quarters=3)
    spent = plan.spending.device_capex_cur + plan.spending.site_capex_cur
    before = np.concatenate([[0.0], plan.spending.budget_left_cur[:-1]])
    scale = 1e-6 * max(p.money.budget_cur.sum(), 1.0)
    assert np.abs(before + p.money.budget_cur - spent - plan.spending.budget_left_cur).max() <= scale
    draws = np.einsum("v,vrt->rt", p.machines.device_w, plan.fleet.installed)
    assert (draws <= plan.fleet.site_w * (1 + 1e-6) + 1e-3).all()
    assert (plan.fleet.site_w <= p.power.site_limit_w * (1 + 1e-9)).all()
    T = len(p.quarters)
    stood = opening(p).stands(stages(p))[:, :T] > 0
    gone = np.cumsum(plan.fleet.retired_initial.sum(axis=1), axis=1)
    stock = (p.opening.initial_devices.sum(axis=1)[:, None] - gone) * stood + plan.fleet.vintage.sum(axis=1)
    tiny = 1e-6 * max(plan.fleet.installed.max(), 1.0)
    assert plan.fleet.installed.sum(axis=1) == pytest.approx(stock, rel=1e-9, abs=tiny)
    assert (plan.fleet.retired_initial.sum(axis=2) <= p.opening.initial_devices + tiny).all()
    assert (plan.fleet.retired_bought.sum(axis=3) <= plan.fleet.ordered + tiny).all()
    assert (plan.fleet.ordered.sum(axis=1) <= p.supply.supply_devices * (1 + 1e-9) + 1e-6).all()
    calls_per_h = np.where(np.isfinite(p.machines.device_s_per_call), 3600.0 / p.machines.device_s_per_call, 0.0)
    computed = np.einsum("svrtk,svt->stk", plan.service.busy_device_h_per_d, calls_per_h)
    served = plan.service.served_calls_per_d.sum(axis=2)
    floor = 1e-6 * p.demand.block_calls_per_d.sum(axis=2)
    assert (np.abs(computed.sum(axis=2) - served) <= floor).all()
    bound = (1 - p.demand.deferrable_frac)[:, None] * p.demand.slot_share_frac
    assert (computed - served[..., None] * bound[:, None] >= -floor[..., None]).all()
    room = (
        p.demand.slot_h_per_d
        * p.machines.availability_frac
        * (plan.fleet.installed - plan.fleet.training_devices)[..., None]
    )
    held = (plan.service.busy_device_h_per_d / p.demand.utilisation_cap_frac[:, None, None, None, None]).sum(axis=0)
    assert (held <= room + 1e-6 * max(plan.fleet.installed.max(), 1.0)).all()
    flop = np.einsum("v,vrt->t", p.machines.device_flop_per_s, plan.fleet.training_devices)
    assert (flop >= p.training.training_flop_per_s * (1 - 1e-6)).all()


@quick
@given(seeds, st.booleans())
def test_gains_are_complementary_to_slack(seed, market_power):
    """Invariant 40: A shadow price is zero where its limit has slack."""
    p = with_reserve(draw(seed, market_power=market_power))
    program = build(p, opening(p))
    answer = read(program, program.lp.solve())
    plan = solve(p)
    money = max(abs(plan.objective_cur), p.money.budget_cur.sum(), 1.0) * 1e-6
    room = (
        p.demand.slot_h_per_d
        * p.machines.availability_frac
        * (plan.fleet.installed - plan.fleet.training_devices)[..., None]
    )
    idle = room - (plan.service.busy_device_h_per_d / p.demand.utilisation_cap_frac[:, None, None, None, None]).sum(
        axis=0
    )
    assert (np.abs(answer.capacity_gain * idle) <= money).all()
    assert (np.abs(answer.supply_gain * (p.supply.supply_devices - plan.fleet.ordered.sum(axis=1))) <= money).all()
    assert (np.abs(answer.limit_gain * (p.power.site_limit_w - plan.fleet.site_w)) <= money).all()
    added = np.diff(plan.fleet.site_w, axis=1, prepend=p.opening.initial_site_w[:, None])
    assert (np.abs(answer.build_gain * (p.power.site_build_w_per_quarter[:, None] - added)) <= money).all()
    assert abs(answer.budget_gain[-1] * plan.spending.budget_left_cur[-1]) <= money
    fall = -np.diff(answer.budget_gain)
    assert (fall >= -1e-6 * (1 + answer.budget_gain[:-1])).all()
    assert (np.abs(fall * plan.spending.budget_left_cur[:-1]) <= money).all()
    value, marginal = net_value(p), plan.worth.marginal_cur_per_call[:, :, None]
    servable = np.isfinite(p.machines.device_s_per_call).any(axis=1)[:, :, None]
    weight = (p.money.discount * DAYS_PER_QUARTER)[:, None]
    loss = plan.service.served_calls_per_d * np.maximum(marginal - value, 0.0) * weight
    missed = (p.demand.block_calls_per_d - plan.service.served_calls_per_d) * np.maximum(value - marginal, 0.0) * weight
    assert (np.where(servable, loss, 0.0) <= money).all()
    assert (np.where(servable, missed, 0.0) <= money).all()


@pytest.mark.slow
@settings(max_examples=draws(6), deadline=None)
@given(seeds)
def test_the_arrays_and_the_linopy_twin_have_the_same_optimum(seed):
    """Invariant 41: The array program and its linopy twin have the same optimum."""
    p = with_sight(with_reserve(draw(seed)), seed).replace(retire_early=False)
    twin = model(p)
    twin.solve(solver_name="highs", output_flag=False)
    assert solve(p).objective_cur == pytest.approx(float(twin.objective.value), rel=1e-7, abs=1.0)


@quick
@given(
    seeds,
    st.sampled_from(["budget_cur", "supply_devices", "block_calls_per_d", "site_build_w_per_quarter"]),
    st.floats(1, 3),
)
def test_a_wider_limit_never_lowers_the_objective(seed, name, factor):
    """Invariant 42: A wider limit never lowers the objective."""
    p = with_sight(draw(seed), seed)
    wider = p.replace(**{name: p.field(name) * factor})
    base = solve(p).objective_cur
    assert solve(wider).objective_cur >= base - 1e-7 * (abs(base) + 1)


@quick
@given(seeds)
def test_perfect_foresight_is_never_worse_than_a_short_view(seed):
    """Invariant 43: Perfect foresight is never worse than a short view."""
    p = with_sight(draw(seed), seed)
    best = solve(p).objective_cur
    for foresight in ("rolling", "myopic"):
        assert solve(p, foresight=foresight, window_quarters=2).objective_cur <= best + 1e-7 * (abs(best) + 1)


@quick
@given(seeds)
def test_market_power_serves_no_more_than_welfare_from_a_fixed_fleet(seed):
    """Invariant 44: From a fixed fleet, market power serves no more than welfare does."""
    p = draw(seed).replace(supply_devices=np.zeros_like(draw(seed).supply.supply_devices))
    p = p.replace(
        segments=p.segments[:1], slots=("k0",), slot_h_per_d=np.array([24.0]), slot_share_frac=np.ones((1, 1)),
        block_value_cur_per_call=p.demand.block_value_cur_per_call[:1],
        block_calls_per_d=p.demand.block_calls_per_d[:1],
        device_s_per_call=p.machines.device_s_per_call[:1], deferrable_frac=p.demand.deferrable_frac[:1],
        utilisation_cap_frac=p.demand.utilisation_cap_frac[:1],
    )  # fmt: skip
    welfare = solve(p).service.served_calls_per_d.sum(axis=(0, 2))
    profit = solve(p.replace(market_power=True)).service.served_calls_per_d.sum(axis=(0, 2))
    assert (profit <= welfare + 1e-6 * p.demand.block_calls_per_d.sum()).all()


@quick
@given(seeds)
def test_the_order_of_devices_segments_and_sites_does_not_matter(seed):
    """Invariant 45: The order of devices, segments and sites does not matter."""
    p = with_sight(draw(seed), seed)
    rng = np.random.default_rng(seed)
    axes = {
        "devices": ("v", rng.permutation(len(p.devices))),
        "segments": ("s", rng.permutation(len(p.segments))),
        "sites": ("r", rng.permutation(len(p.sites))),
    }
    changes = {}
    for field, (shape, *_) in _FIELDS.items():
        array = p.field(field)
        for axis, order in axes.values():
            if array is not None and axis in shape:
                array = np.take(array, order, axis=shape.index(axis))
        changes[field] = array
    for field, (_, order) in axes.items():
        changes[field] = tuple(p.field(field)[i] for i in order)
    base = solve(p)
    other = solve(p.replace(**changes))
    assert other.objective_cur == pytest.approx(base.objective_cur, rel=1e-7, abs=1.0)


@quick
@given(seeds)
def test_splitting_a_device_into_two_equal_ones_changes_nothing(seed):
    """Invariant 46: Splitting a device into two equal ones changes nothing."""
    p = with_sight(draw(seed), seed)
    halved = {"supply_devices", "initial_devices"}
    changes = {"devices": (*p.devices, "twin")}
    for field, (shape, *_) in _FIELDS.items():
        array = p.field(field)
        if array is None or "v" not in shape:
            continue
        axis = shape.index("v")
        array = np.concatenate([array, np.take(array, [0], axis=axis)], axis=axis)
        if field in halved:
            array = array.copy()
            array[0] /= 2
            array[-1] /= 2
        changes[field] = array
    base, split = solve(p), solve(p.replace(**changes))
    assert split.objective_cur == pytest.approx(base.objective_cur, rel=1e-7, abs=1.0)


@quick
@given(seeds)
def test_money_in_another_unit_scales_the_objective_alone(seed):
    """Invariant 47: Money in another unit scales the objective alone."""
    p = draw(seed)
    names = (
        "block_value_cur_per_call", "capex_cur_per_device", "site_capex_cur_per_w", "energy_cur_per_device_h",
        "fixed_cur_per_device_quarter", "budget_cur", "terminal_cur_per_device",
    )  # fmt: skip
    base = solve(p)
    scaled = solve(p.replace(**{name: p.field(name) * 4.0 for name in names}))
    assert scaled.objective_cur == pytest.approx(4.0 * base.objective_cur, rel=1e-9)
    assert scaled.fleet.ordered == pytest.approx(base.fleet.ordered)


@quick
@given(seeds)
def test_freedom_to_retire_never_lowers_the_objective(seed):
    """Invariant 48: Freedom to retire devices never lowers the objective."""
    p = with_sight(draw(seed), seed)
    held = solve(p.replace(retire_early=False)).objective_cur
    assert solve(p).objective_cur >= held - 1e-7 * (abs(held) + 1)


@quick
@given(seeds, seeds)
def test_where_the_search_begins_changes_no_optimum(seed, other):
    """Invariant 49: Where the search begins changes no optimum."""
    problem = with_sight(draw(seed), seed)
    cold = solve(problem)
    near = problem.replace(budget_cur=problem.money.budget_cur * 0.7)
    assert solve(near, begin=cold.basis).objective_cur == pytest.approx(solve(near).objective_cur, rel=1e-9, abs=1e-3)
    elsewhere = solve(with_sight(draw(other), other)).basis
    assert solve(problem, begin=elsewhere).objective_cur == pytest.approx(cold.objective_cur, rel=1e-9, abs=1e-3)
