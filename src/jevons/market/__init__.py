"""Who calls models at which price: task values, adoption, price paths and the demand curves that the planner sees."""

from jevons.market.blocks import PRICE_LEVELS, demand_blocks
from jevons.market.formulas import adopting_frac, bass_step, extensive_elasticity, next_price
from jevons.market.run import market_path
from jevons.market.types import MarketInputs, MarketPath

__all__ = [
    "PRICE_LEVELS", "MarketInputs", "MarketPath", "adopting_frac", "bass_step", "demand_blocks", "extensive_elasticity",
    "market_path", "next_price",
]  # fmt: skip
