"""What `jevons.read` makes of each figure of a text."""

import jevons
from jevons.study.announcement.wording import what_of


def figures_of(text, date="2026-03-20"):
    """Return what each figure of a text is: words, period, least and greatest value."""
    rows = {}
    for claim in jevons.read(text, date=date).claims:
        period = claim.named.get("period")
        for role, figure in claim.named.items():
            if figure.kind not in {"period", "date"}:
                beside = role in {"previous", "tolerance"} or (role == "change" and claim.kind != "change")
                what = f"{role} of {what_of(claim)}" if beside else what_of(claim)
                label = "" if period is None or role == "previous" else period.label
                rows[figure.text] = (what, label, figure.low, figure.high)
    return rows
