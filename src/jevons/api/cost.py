"""`jevons.cost`: an accelerator-hour by part, and a model's tokens priced from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from jevons import options as o
from jevons.api.accelerators import GPU
from jevons.api.reading import warn_of_file
from jevons.api.server import Server, service_of
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.sizing.cost import CostResult


_OF_AN_HOUR = {"hardware", "as_of"}
"""Options of a server that the price of an hour has a use for."""


def _refuse_idle(given: Mapping[str, Any]) -> None:
    """Refuse what is said of a server or its load where no model is served.

    Raises
    ------
    InputError
        Naming the first such option.
    """
    for parameter in o.parameters(cost):
        value = given.get(parameter.name, parameter.default)
        if parameter.name not in _OF_AN_HOUR and value != parameter.default:
            message = f"--{parameter.flag}: has no effect without --model; add it"
            raise InputError(message)


@o.declared
def cost(
    gpu: Annotated[str, GPU] = "h100_sxm",
    *,
    model: Annotated[str | None, o.MODEL] = None,
    precision: Annotated[str, o.PRECISION] = "native",
    max_replica_gpus: Annotated[int, o.MAX_REPLICA_GPUS] = 32,
    isl: Annotated[int, o.ISL] = o.ISL_TOKENS,
    osl: Annotated[int, o.OSL] = o.OSL_TOKENS,
    ttft: Annotated[float | str | None, o.TTFT] = None,
    tpot: Annotated[float | str | None, o.TPOT] = 0.05,
    site: Annotated[str, o.SITE] = "site.china_north",
    gpu_hour: Annotated[str | None, o.GPU_HOUR] = None,
    purchase_price: Annotated[str | None, o.PURCHASE_PRICE_OF_ONE] = None,
    currency: Annotated[str | None, o.CURRENCY] = None,
    utilisation: Annotated[float, o.UTILISATION] = 0.6,
    **server: Unpack[Server],
) -> CostResult:
    """Price an accelerator-hour from its parts, and a million tokens of a model served on it.

    Returns
    -------
    CostResult
        With `.per_hour`, `.currency` and, where a model is named, the cost of its tokens.

    Raises
    ------
    InputError
        If an argument is wrong.
    FactError
        If no purchase price of the accelerator was known on the date, and too few others to estimate it from.
    InfeasibleError
        If the model fits on no layout that keeps the limits.

    Examples
    --------
    >>> import jevons
    >>> hour = jevons.cost("h20", as_of="2025-02-24")
    >>> hour.currency, 0.7 < hour.per_hour < 2
    ('USD', True)
    """
    from jevons.sizing.cost import cost_of
    from jevons.sizing.money import given_price, price_of_one

    price, paid = given_price(gpu_hour), price_of_one(purchase_price, gpu)
    if price is not None and model is None:
        message = "--gpu-hour prices tokens; name a --model too"
        raise InputError(message)
    if price is not None and site != "site.china_north":
        message = f"--site {site}: has no effect where --gpu-hour states the price; omit one of them"
        raise InputError(message)
    if price is not None and paid is not None:
        message = (
            f"--purchase-price {purchase_price}: has no effect where --gpu-hour states the price; omit one of them"
        )
        raise InputError(message)
    if model is None:
        _refuse_idle({
            "precision": precision, "max_replica_gpus": max_replica_gpus, "isl": isl, "osl": osl, "ttft": ttft,
            "tpot": tpot, "utilisation": utilisation, **server,
        })  # fmt: skip
    else:
        warn_of_file(model)
    service = replace(
        service_of(gpu, server), precision=None if precision == "auto" else precision, gpus=max_replica_gpus, isl=isl,
        osl=osl, ttft_s=o.seconds(ttft), tpot_s=o.seconds(tpot),
    )  # fmt: skip
    return cost_of(service, model, site=site, price=price, paid=paid, utilisation=utilisation, currency=currency)
