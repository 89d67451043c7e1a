"""Own, rent or call: which share of a segment's tokens leaves the cloud for machines of the buyers' own."""

from __future__ import annotations

import numpy as np

from jevons.arrays import Array
from jevons.costing import capital_recovery_factor
from jevons.market import WAYS, MarketInputs, MarketPath, Offer, choice_share_frac
from jevons.study.scenario.scenario import Scenario

_SIZES = np.linspace(-2.5, 2.5, 11)
_WEIGHTS = np.exp(-(_SIZES**2) / 2) / np.exp(-(_SIZES**2) / 2).sum()


def box_device(scenario: Scenario) -> int:
    """Return the row of the machine's accelerator among the scenario's devices; the first where it is not one of them.

    Cross-checks refuse a box whose accelerator is not among the devices.
    """
    devices = list(scenario.hardware.devices)
    return devices.index(scenario.market.rental_device) if scenario.market.rental_device in devices else 0


def ways(
    scenario: Scenario, device_s_per_tok: Array, market: MarketPath, inputs: MarketInputs, rent_index: Array
) -> Array | None:
    """Return the share of each segment's tokens by way (own, rent, api), (s, 3, t); None where nobody has the choice.

    Parameters
    ----------
    scenario : Scenario
        Terms of the machine, and sizes of buyers.
    device_s_per_tok : (m, 3, t)
        Device-seconds per token on the machine's accelerators; inf where they cannot serve the model.
    market, inputs : MarketPath, MarketInputs
        Prices of an API.
    rent_index : (t,)
        Rent of the reference device-hour over the scenario's.

    Notes
    -----
    Buyers' sizes are lognormal; shares are of tokens, so the distribution is weighted by size (its mean moves up by the
    variance). A seller of machines passes on the progress of software, as the cloud does. Rented machines stand in the
    cloud: only what is owned leaves it.
    """
    box = scenario.market.box
    segments = list(scenario.market.segments.values())
    choosing = [row for row, s in enumerate(segments) if s.buyer_tokens.value > 0 and inputs.use.counts_tokens[row]]
    if box is None or not choosing:
        return None
    quarters = rent_index.size
    paid = np.ones(len(segments)) if inputs.pricing.premium is None else inputs.pricing.premium
    shares = np.zeros((len(segments), len(WAYS), quarters))
    shares[:, WAYS.index("api")] = 1.0
    own_cur = box.price.value * capital_recovery_factor(scenario.cost.wacc.value, box.life.value) + box.staff.value
    for row in choosing:
        segment, model = segments[row], inputs.model[row]
        mix = inputs.use.tokens_per_call[row] / inputs.use.tokens_per_call[row].sum()
        growth = (inputs.use.tokens_growth[row] * inputs.use.calls_growth[row]) ** (np.arange(quarters) / 4)
        sigma = segment.buyer_sigma.value
        sizes = segment.buyer_tokens.value * np.exp(sigma * _SIZES + sigma**2)
        size = inputs.use.tokens_per_call[row].sum() * inputs.use.tokens_growth[row] ** (np.arange(quarters) / 4)
        for t in range(quarters):
            seconds = float(mix @ device_s_per_tok[model, :, t])
            if not np.isfinite(seconds):
                continue
            offer = Offer(
                machine_cur_per_y=own_cur,
                rent_cur_per_machine_h=box.devices.value * scenario.market.rental_price.value * rent_index[t],
                machine_tok_per_d=box.devices.value * 86400.0 * box.utilisation.value / seconds,
                api_cur_per_mtok=market.call_price_cur[row, t] / paid[row] / market.depth[row, t] / size[t] * 1e6,
                privacy_cur_per_mtok=segment.privacy.value,
            )
            share = choice_share_frac(sizes * growth[t], offer, spread_frac=box.spread.value)
            shares[row, :, t] = share @ _WEIGHTS
    return shares
