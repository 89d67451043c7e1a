"""Refuses addresses of the web: nothing is fetched."""

from __future__ import annotations

import re

from jevons.errors import InputError


def refuse_address(text: str) -> None:
    """Refuse what is an address of the web, also where a path has lost one of its slashes.

    Raises
    ------
    InputError
        If it is one.
    """
    if re.fullmatch(r"\s*(?:https?:/|www\.)\S+\s*", text):
        shown = re.sub(r"^(https?:/)(?!/)", r"\1/", text.strip())
        message = f"--source {shown}: pages are not fetched; save the page's text and give that file, or - for input"
        raise InputError(message)
