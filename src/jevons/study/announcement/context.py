"""What the sentences before have settled for the one that is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from jevons.study.announcement.claim import Claim
from jevons.study.announcement.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the sentences before have settled.

    Parameters
    ----------
    main, company, topic, analyst : str
        Firm that the text is about; that which ``the company`` is; firm that the sentence before was about, empty where
        it told of another without a figure; analyst that was named last.
    last : str
        Quantity that the sentence before stated last, where this one goes on after its semicolon.
    price, priced : Claim or None
        Price of tokens that the sentence before stated last, likewise; the same also where that sentence had ended.
    rented : Claim or None
        Rent of an accelerator that the sentence right before stated last.
    spoken : str
        Quantity of the amount that the sentence right before stated last.
    subject : str
        Quantity of the first claim of the sentence right before.
    asked : str
        Quantity that a question right before asks for.
    reported : Figure or None
        Period that results are reported for, with its place in the text.
    day : date or None
        Day of the announcement.
    year_end : int
        Month in which the fiscal years of firms on no list end.
    stated : mapping of str to str
        Firms that the text names and the word list lacks.
    """

    main: str
    company: str
    topic: str
    analyst: str
    last: str
    price: Claim | None
    priced: Claim | None
    rented: Claim | None
    spoken: str
    subject: str
    asked: str
    reported: Figure | None
    day: dt.date | None
    year_end: int
    stated: Mapping[str, str]
