"""Inputs and outputs of the capacity expansion problem.

Axes: ``s`` segments, ``v`` devices, ``r`` sites, ``t`` quarters, ``k`` day-slots, ``b`` demand blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.expansion._lp import Basis
from jevons.parts import Grouped, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDemand(Part):
    """What callers want, when, and what it is worth to them.

    Parameters
    ----------
    slot_h_per_d : (k,)
        Hours of each slot in a day; sums to 24.
    block_value_cur_per_call : (s, t, b)
        What the callers of a block would pay per call, not rising along b.
    block_calls_per_d : (s, t, b)
        Calls a day in each block, >= 0.
    slot_share_frac : (s, k)
        Share of a segment's undeferrable calls that falls in each slot; rows sum to 1.
    deferrable_frac : (s,)
        Share of calls that may be served in any slot of the same day.
    utilisation_cap_frac : (s,)
        Highest share of a slot's device-hours that may be busy while latency targets hold.
    further_value_cur_per_call, further_calls_per_d : (s, t, f), optional
        How the curve goes on below the posted price: what is left idle could be let at these values, not rising along
        f. It sets what an hour is worth to the planner; a plan does not count it as served.
    """

    slot_h_per_d: Array
    block_value_cur_per_call: Array
    block_calls_per_d: Array
    slot_share_frac: Array
    deferrable_frac: Array
    utilisation_cap_frac: Array
    further_value_cur_per_call: Array | None = None
    further_calls_per_d: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines(Part):
    """What each kind of device does, costs and draws.

    Parameters
    ----------
    device_s_per_call : (s, v, t)
        Accelerator-seconds of one call at full batch; ``inf`` where a device cannot serve the segment.
    availability_frac : float
        Share of device-hours in working order.
    capex_cur_per_device : (v, t)
        Price of a device with its share of server and network, paid when ordered.
    energy_cur_per_device_h : (v, r, t)
        Electricity of a busy device-hour, PUE included.
    fixed_cur_per_device_quarter : (v, t)
        Staff, spares, maintenance, idle power of an installed device.
    device_w : (v,)
        IT power of a device with its share of the server.
    device_flop_per_s : (v,)
        Dense bf16 peak of a device.
    lead_quarters : (v,)
        Quarters from order to service, >= 0.
    life_quarters : (v,)
        Quarters in service before retirement, >= 1.
    terminal_cur_per_device : (v, t)
        Present value, at the end of the horizon, of a device ordered in quarter t.
    """

    device_s_per_call: Array
    availability_frac: float
    capex_cur_per_device: Array
    energy_cur_per_device_h: Array
    fixed_cur_per_device_quarter: Array
    device_w: Array
    device_flop_per_s: Array
    lead_quarters: NDArray[np.int64]
    life_quarters: NDArray[np.int64]
    terminal_cur_per_device: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePower(Part):
    """How much IT power each site can reach, how fast, and at what price.

    Parameters
    ----------
    site_capex_cur_per_w : (r, t)
        Building, power and cooling per watt of IT load added beyond what the site has.
    site_limit_w : (r, t)
        Most IT power a site may reach.
    site_build_w_per_quarter : (r,)
        Most IT power a site can add in a quarter.
    site_terminal_cur_per_w : (r, t), optional
        Present value, at the end of the horizon, of a watt added to a site in quarter t; 0 where not given, which
        charges the whole of a long-lived building to the horizon.
    site_block_w : (r,), optional
        Power that a site can add only in whole multiples; 0 for any amount.
    """

    site_capex_cur_per_w: Array
    site_limit_w: Array
    site_build_w_per_quarter: Array
    site_terminal_cur_per_w: Array | None = None
    site_block_w: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipSupply(Part):
    """How many devices can be ordered, and must be.

    Parameters
    ----------
    supply_devices : (v, t)
        Most devices that can be ordered in a quarter (chip supply, export regime); 0 where barred.
    committed_devices : (v, t), optional
        Devices that contracts bind the firm to order in a step, at most the supply.
    """

    supply_devices: Array
    committed_devices: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money(Part):
    """What may be spent, and what money is worth when.

    Parameters
    ----------
    budget_cur : (t,)
        Money released each quarter for devices and sites; what is not spent carries over.
    discount : (t,)
        Present value of one unit of money paid in each quarter.
    """

    budget_cur: Array
    discount: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningStock(Part):
    """What stands at the start, or is paid for and on its way.

    Parameters
    ----------
    initial_devices : (v, r)
        Installed at the start.
    initial_age_quarters : (v,)
        Age of those at the start.
    initial_site_w : (r,)
        IT power each site can feed at the start.
    initial_terminal_cur_per_device : (v,), optional
        Present value, at the end, of a device of the opening stock that is still held; 0 where not given.
    arriving_devices : (v, r, t), optional
        Devices paid for before the start that enter service at the beginning of a step.
    arriving_terminal_cur_per_device : (v, t), optional
        Present value, at the end, of a device that arrived in step t and is still held; 0 where not given.
    """

    initial_devices: Array
    initial_age_quarters: NDArray[np.int64]
    initial_site_w: Array
    initial_terminal_cur_per_device: Array | None = None
    arriving_devices: Array | None = None
    arriving_terminal_cur_per_device: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReserve(Part):
    """Compute held back for training.

    Parameters
    ----------
    training_flop_per_s : (t,)
        Compute reserved for training (dense bf16 peak), taken from all slots.
    cluster_devices : float
        Size of a training cluster that may be held as a whole: devices of one kind on one site, which count towards
        the training reserve; 0 for no such option.
    cluster_cur_per_quarter : (t,), optional
        What holding such a cluster is worth in each quarter.
    """

    training_flop_per_s: Array
    cluster_devices: float = 0.0
    cluster_cur_per_quarter: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningTerms(Part):
    """How the planner reckons: its steps, its sight and what it maximises.

    Parameters
    ----------
    tail_quarters : int
        Quarters after the horizon through which devices serve on and nothing is ordered: demand and speeds go one
        quarter further along their last change and stay there, values and costs are those of the last step. Without
        them the last orders would earn nothing but their terminal value. Terminal values are then those at the tail's
        end, and the objective counts what the tail brings.
    step_quarters : float
        Length of a step of time: 1, or 1/3 for months, whose labels stand in `quarters`. Budget and supply are per
        step, rates a quarter.
    retire_early : bool
        Whether devices may leave before their life ends: the opening stock in any step, bought ones at each
        anniversary of their service. What leaves frees its power, saves its fixed cost and gives up its terminal value.
    market_power : bool
        Maximise profit with marginal-revenue blocks rather than welfare.
    lengths_quarters : tuple of float, optional
        Length of each step where steps differ, as in a problem whose later quarters are joined; `step_quarters` of
        every step where not given.
    order_spread_frac : float
        By what share of its price the last device of a step's supply looks dearer to the planner, and the first
        cheaper, in 0..1. Orders then follow their worth by degrees where a device is worth about its price, rather than
        all or nothing. Money, values and the objective are at the price.
    """

    tail_quarters: int = 0
    step_quarters: float = 1.0
    retire_early: bool = False
    market_power: bool = False
    lengths_quarters: tuple[float, ...] | None = None
    order_spread_frac: float = 0.0

    def lengths(self, steps: int) -> Array:
        """Return the length of each of *steps* steps of the horizon (t,) [quarters]."""
        return np.full(steps, self.step_quarters) if self.lengths_quarters is None else np.array(self.lengths_quarters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionProblem(Grouped):
    """One provider's choice of what to build, where and when, and what to serve with it.

    Parameters
    ----------
    quarters, segments, devices, sites, slots : tuple of str
        Labels of the axes t, s, v, r, k.
    demand : CallDemand
        Calls by segment and block, and the hours in which they come.
    machines : Machines
        Speed, price, power and life of each kind of device.
    power : SitePower
        Limits and prices of site power.
    supply : ChipSupply
        Orders that are possible, and those that contracts fix.
    money : Money
        Budget and discounting.
    opening : OpeningStock
        Devices and power at the start.
    training : TrainingReserve
        Compute that is not for sale.
    terms : PlanningTerms
        Steps of time, sight past the horizon, early retirement, objective.
    """

    quarters: tuple[str, ...]
    segments: tuple[str, ...]
    devices: tuple[str, ...]
    sites: tuple[str, ...]
    slots: tuple[str, ...]
    demand: CallDemand
    machines: Machines
    power: SitePower
    supply: ChipSupply
    money: Money
    opening: OpeningStock
    training: TrainingReserve
    terms: PlanningTerms = PlanningTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet(Part):
    """Devices and sites: what is ordered, stands and leaves.

    Parameters
    ----------
    ordered : (v, r, t)
        Devices ordered.
    installed : (v, r, t)
        Devices in service.
    vintage : (v, t, t)
        Devices of each order quarter (second axis) in service in each quarter (third axis); what was paid for before
        the start is not in it.
    retired_initial : (v, r, t)
        Devices of the opening stock that leave at the start of a quarter, before their life ends.
    retired_bought : (v, r, t, t)
        The same for those ordered in the quarter of the third axis.
    retired_arriving : (v, r, t, t)
        The same for those paid before the start that arrived in the quarter of the third axis.
    site_w : (r, t)
        IT power built.
    training_devices : (v, r, t)
        Devices held for training.
    it_w : (t,)
        IT power of the installed devices.
    cluster : (v, r, t), optional
        1 where the whole training cluster is held, else 0.
    """

    ordered: Array
    installed: Array
    vintage: Array
    retired_initial: Array
    retired_bought: Array
    retired_arriving: Array
    site_w: Array
    training_devices: Array
    it_w: Array
    cluster: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Part):
    """What the fleet serves.

    Parameters
    ----------
    served_calls_per_d : (s, t, b)
        Calls served of each block.
    busy_device_h_per_d : (s, v, r, t, k)
        Device-hours a day spent on each segment.
    utilisation_frac : (t,)
        Busy share of the serving device-hours.
    """

    served_calls_per_d: Array
    busy_device_h_per_d: Array
    utilisation_frac: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending(Part):
    """Money by quarter.

    Parameters
    ----------
    device_capex_cur, site_capex_cur : (t,)
        Money spent.
    budget_left_cur : (t,)
        Money carried to the next quarter.
    """

    device_capex_cur: Array
    site_capex_cur: Array
    budget_left_cur: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth(Part):
    """What each limit is worth, and which of them bind.

    Parameters
    ----------
    rent_cur_per_device_h : (v, t, k)
        Scarcity rent of a device-hour (dual of capacity, undiscounted), averaged over sites by installed devices.
    marginal_cur_per_call : (s, t)
        What one more call a day costs at the margin: energy plus rent on the cheapest device, slot-weighted; the
        highest value of a served block where demand is rationed.
    training_cur_per_flop_h : (t,)
        What an hour of one more flop/s of the training reserve costs (dual of the reserve, undiscounted). A device that
        is held for it is worth this times its `device_flop_per_s`, less energy: its scarcity rent.
    budget_dual : (t,)
        Gain in objective per unit of currency of extra budget.
    supply_dual_cur : (v, t)
        Gain per extra device that could be ordered.
    power_dual_cur_per_w : (r, t)
        Gain per extra watt a site may reach or add.
    binding : tuple of tuple of str
        Per quarter, the limits that bind, strongest first: ``budget``, ``chip supply: h20``, ``site power: zhangbei``,
        ``build rate: zhangbei``, ``training reserve``, ``demand``.
    """

    rent_cur_per_device_h: Array
    marginal_cur_per_call: Array
    training_cur_per_flop_h: Array
    budget_dual: Array
    supply_dual_cur: Array
    power_dual_cur_per_w: Array
    binding: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionPlan(Grouped):
    """What to build and serve, and what each limit is worth.

    Parameters
    ----------
    problem : ExpansionProblem
        The question.
    objective_cur : float
        Present value of the objective.
    status : str
        The solver's word.
    months : ExpansionPlan, optional
        The plan by month, where it was decided so.
    basis : Basis, optional
        Where the planner of a similar problem may begin; none from step-by-step planners or with whole things.
    fleet : Fleet
        Devices and sites: what is ordered, stands and leaves.
    service : Service
        What the fleet serves.
    spending : Spending
        Money by quarter.
    worth : Worth
        What each limit is worth, and which of them bind.
    """

    problem: ExpansionProblem
    objective_cur: float
    status: str
    fleet: Fleet
    service: Service
    spending: Spending
    worth: Worth
    months: ExpansionPlan | None = None
    basis: Basis | None = None

    @property
    def retired_early(self) -> Array:
        """Devices that leave before their life ends, whenever they were bought, (t,)."""
        bought = self.fleet.retired_bought + self.fleet.retired_arriving
        return np.asarray(self.fleet.retired_initial.sum(axis=(0, 1)) + bought.sum(axis=(0, 1, 2)))
