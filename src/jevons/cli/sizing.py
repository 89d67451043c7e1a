"""`jevons size`: the cheapest fleet for a load; buying, renting and an API side by side; presets for small shops."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.cli.hourly import given_price
from jevons.cli.output import check_out, emit, table
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.study.pricing import HourPrice
    from jevons.study.sizing import Demand, Service

PICTURES = (".svg", ".png", ".pdf")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a sizing besides service and load."""

    model: str | None
    gpus: tuple[str, ...]
    fixed: Mapping[str, int | None] = field(default_factory=dict)
    gpu_hour: tuple[str, ...] = ()
    budget: str | None = None
    fleet: int | None = None
    static: bool = False
    plot: Path | None = None


def run_size(service: Service, demand: Demand, options: Options, *, json: bool, out: Path | None) -> None:
    """Print the cheapest fleets for the load, the Pareto front, and what was left out."""
    from jevons.study.sizing import size

    check_out(out)
    check_out(options.plot, PICTURES, option="--plot")
    if options.model is None:
        message = "--model: is missing; name a shipped model (`jevons models list`) or the path of a config.json"
        raise InputError(message)
    with progress() as say:
        found = size(
            options.model,
            service,
            demand=demand,
            gpus=options.gpus,
            prices=hour_prices(options.gpu_hour),
            fixed={name: degree for name, degree in options.fixed.items() if degree is not None},
            simulated=not options.static,
            budget_per_month=None if options.budget is None else amount_of(options.budget),
            most_accelerators=options.fleet,
            progress=say,
        )
    draw(options.plot, found, "pareto")
    emit(found.to_json(), [table(t[0], t[1], t[2], text_columns=t[3]) for t in found.table()], as_json=json, out=out)


def hour_prices(texts: tuple[str, ...]) -> Mapping[str, HourPrice] | HourPrice | None:
    """Return the prices that ``--gpu-hour`` states: one for all devices, or by device."""
    named: dict[str, HourPrice] = {}
    for text in texts:
        name, mark, rest = text.partition("=")
        price = given_price(rest if mark else text)
        if price is None:
            continue
        if not mark:
            if len(texts) > 1:
                message = f"--gpu-hour {text}: with several prices, say of which device, such as 'h20={text.strip()}'"
                raise InputError(message)
            return price
        named[name.strip()] = price
    return named or None


def amount_of(text: str) -> tuple[float, str]:
    """Return amount and currency of ``--budget``, such as ``300k CNY``."""
    from jevons.units import CURRENCIES, UnitError, parse_quantity

    for currency in CURRENCIES:
        if text.strip().upper().endswith(currency):
            try:
                amount = parse_quantity(text.strip()[: -len(currency)].strip() + f" {currency}", currency)
            except UnitError:
                break
            if amount > 0:
                return amount, currency
    message = f"--budget {text}: write an amount above 0 and a currency, such as '300k CNY' (a month)"
    raise InputError(message)


class progress:  # noqa: N801 - used as a function
    """Writes what is being done on a terminal's standard error, on one line that is wiped at the end."""

    def __enter__(self) -> Any:
        """Return the function to tell; None where nobody would see it."""
        return self._say if sys.stderr.isatty() else None

    def __exit__(self, *error: object) -> None:
        """Wipe the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text[:110]}")
        sys.stderr.flush()


def draw(path: Path | None, result: Any, name: str) -> None:
    """Write a figure of a result, whole or not at all."""
    if path is None:
        return
    figure = getattr(result.plot, name)()
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    figure.savefig(temporary, dpi=150)
    temporary.replace(path)
    sys.stderr.write(f"wrote {path}\n")
