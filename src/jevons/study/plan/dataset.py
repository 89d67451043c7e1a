"""A plan as one labelled dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jevons.market.types import TOKEN_KINDS
from jevons.study.plan.tables.shadow_prices import scarcity_rent

if TYPE_CHECKING:
    import xarray as xr

    from jevons.study.plan.figures import PlanFigures


def plan_dataset(result: PlanFigures) -> xr.Dataset:
    """Return the path of a plan with named dimensions; units and meanings are in the attributes."""
    import xarray as xr

    plan, market, statements = result.chain.plan, result.chain.market, result.chain.accounts.statements
    problem = plan.problem
    models = len(result.models)

    def variable(dims: tuple[str, ...], values: Any, units: str, long_name: str) -> Any:
        return (
            dims,
            np.asarray(values, float),
            {"units": units, "long_name": long_name, "source": result.file or "scenario"},
        )

    return xr.Dataset(
        {
            "installed": variable(
                ("device", "site", "quarter"), plan.fleet.installed, "devices", "accelerators in service"
            ),
            "ordered": variable(("device", "site", "quarter"), plan.fleet.ordered, "devices", "accelerators ordered"),
            "training": variable(("device", "site", "quarter"), plan.fleet.training_devices, "devices", "for training"),
            "site_w": variable(("site", "quarter"), plan.fleet.site_w, "W", "IT power built"),
            "it_w": variable(("quarter",), plan.fleet.it_w, "W", "IT power of accelerators"),
            "utilisation_frac": variable(
                ("quarter",), plan.service.utilisation_frac, "1", "busy share of serving device-hours"
            ),
            "tokens_per_d": variable(("segment", "quarter"), result.tokens_per_d, "tok/day", "tokens served"),
            "tokens_wanted_per_d": variable(("segment", "quarter"), market.tokens_per_d, "tok/day", "token demand"),
            "calls_per_d": variable(
                ("segment", "quarter"), market.calls_per_d * result.served_frac, "1/day", "calls served"
            ),
            "price_per_mtok": variable(
                ("model", "kind", "quarter"), market.price_cur_per_tok[:models] * 1e6, "¤/Mtok", "posted price"
            ),
            "cost_per_mtok": variable(
                ("model", "kind", "quarter"),
                result.chain.inputs.supply.unit_cost_cur_per_tok[:models] * 1e6,
                "¤/Mtok",
                "unit cost",
            ),
            "cost_per_device_h": variable(
                ("device", "quarter"), result.chain.setting.hour_cur, "¤/h", "full cost of an accelerator-hour"
            ),
            "scarcity_rent_per_h": variable(
                ("device", "quarter"), scarcity_rent(result), "¤/h", "scarcity rent of a device-hour, daily mean"
            ),
            "scarcity": variable(
                ("segment", "quarter"), result.chain.exchange.scarcity, "1", "clearing over posted price"
            ),
            "capex": variable(("quarter",), statements.capex_cur, "¤", "AI capital expenditure"),
            "ai_revenue": variable(("quarter",), statements.ai_revenue_cur, "¤", "AI revenue, internal included"),
            "ai_ebita": variable(("quarter",), statements.earnings.ai_ebita_cur, "¤", "EBITA of AI"),
            "ai_fcf": variable(("quarter",), statements.cash.ai_fcf_cur, "¤", "free cash flow of AI"),
            "elasticity": variable(
                ("quarter",), result.verdict.elasticity, "1", "elasticity of tokens to the call price"
            ),
            "loop_gain": variable(("quarter",), result.verdict.loop_gain, "1", "loop gain of the flywheel"),
        },
        coords={
            "quarter": list(result.quarters),
            "device": list(problem.devices),
            "site": list(problem.sites),
            "segment": list(result.segments),
            "model": list(result.models),
            "kind": list(TOKEN_KINDS),
        },
        attrs={
            "title": result.scenario.name,
            "as_of": str(result.scenario.as_of),
            "currency": result.scenario.currency,
            "residual": result.chain.convergence.residual,
        },
    )
