"""Who calls models at which price: task values, adoption, price paths, rivals, rents and demand curves."""

from jevons.market.blocks import PRICE_LEVELS, demand_blocks, further_blocks
from jevons.market.brokers import BrokerTerms, expected_rise_frac, withheld_frac
from jevons.market.choice import WAYS, Offer, break_even_tok_per_d, choice_share_frac, yearly_cost_cur
from jevons.market.evidence import GrowthAccount, account_for_growth
from jevons.market.formulas import adopting_frac, bass_step, extensive_elasticity, next_price, posted_price
from jevons.market.hedonic import (
    TERMS_Y,
    UseMarket,
    UsePrices,
    clear_uses,
    contract_rents,
    frontier_cur_per_h,
    resale_cur,
)
from jevons.market.nested import NestedChoice
from jevons.market.posting import token_weights
from jevons.market.providers import (
    Rivalry,
    appeal_from_shares,
    best_prices,
    next_prices,
    own_growth,
    provider_tokens_per_d,
    rival_weights,
    shares,
)
from jevons.market.rental import RentCurve, rent_cur_per_h
from jevons.market.run import market_path, settled_calls_per_d
from jevons.market.speculation import BalanceSheets, LoanTerms, QuarterFigures
from jevons.market.types import Announcements, MarketInputs, MarketPath, Switch

__all__ = [
    "PRICE_LEVELS",
    "TERMS_Y",
    "WAYS",
    "Announcements",
    "BalanceSheets",
    "BrokerTerms",
    "GrowthAccount",
    "LoanTerms",
    "MarketInputs",
    "MarketPath",
    "NestedChoice", "Offer",
    "QuarterFigures",
    "RentCurve",
    "Rivalry", "Switch",
    "UseMarket",
    "UsePrices",
    "account_for_growth",
    "adopting_frac",
    "appeal_from_shares",
    "bass_step",
    "best_prices",
    "break_even_tok_per_d",
    "choice_share_frac",
    "clear_uses",
    "contract_rents",
    "demand_blocks",
    "expected_rise_frac",
    "extensive_elasticity",
    "frontier_cur_per_h",
    "further_blocks",
    "market_path",
    "next_price",
    "next_prices",
    "own_growth",
    "posted_price",
    "provider_tokens_per_d",
    "rent_cur_per_h",
    "resale_cur",
    "rival_weights",
    "settled_calls_per_d",
    "shares",
    "token_weights",
    "withheld_frac",
    "yearly_cost_cur",
]  # fmt: skip
