"""What an accelerator-hour and a million tokens cost."""

from jevons.costing.formulas import capital_recovery_factor, device_hour, hour_parts, token_cost
from jevons.costing.types import DeviceHour, FinanceTerms, TokenCost

__all__ = [
    "DeviceHour",
    "FinanceTerms",
    "TokenCost",
    "capital_recovery_factor",
    "device_hour",
    "hour_parts",
    "token_cost",
]
