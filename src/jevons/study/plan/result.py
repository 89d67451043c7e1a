"""The result of a plan: tables, JSON, a labelled dataset, and the explanation of every headline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jevons.study.plan.dataset import plan_dataset, save_plan
from jevons.study.plan.figures import PlanFigures
from jevons.study.plan.json import plan_json
from jevons.study.plan.tables.summary import plan_tables

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class PlanResult(PlanFigures):
    """What `jevons.plan` returns: the figures of `PlanFigures`, and what can be made of them."""

    def explain(self, path: str) -> str:
        """Return the tree of formulas, inputs and facts behind a headline, such as ``cost.h20.per_h_cny``."""
        return self.ledger.explain(path)

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON object: fleet, tokens, prices, cash, value, the verdict and the residual."""
        return plan_json(self)

    def table(self) -> list[Any]:
        """Return the printed tables as (title, columns, rows) triples."""
        return plan_tables(self)

    def to_xarray(self) -> xr.Dataset:
        """Return the path as a labelled dataset with units in its attributes."""
        return plan_dataset(self)

    def save(self, path: Path | str, *, force: bool = False) -> None:
        """Write the result: ``.json`` or ``.nc``.

        Raises
        ------
        InputError
            If the ending is another, or the file cannot be written.
        """
        save_plan(self, Path(path), force=force)
