"""Texts that came from files, made harmless where they are shown."""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters but the line break and the tab, marks of direction and of no width, and halves of characters."""


def printable(text: str) -> str:
    r"""Return a text in which a terminal finds nothing to obey: control characters are written out.

    Examples
    --------
    >>> printable("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def printable_json(text: str) -> str:
    r"""Return JSON text with the same value and nothing for a terminal to obey.

    Examples
    --------
    >>> printable_json('"\x9b31mred"')
    '"\\u009b31mred"'
    """
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
