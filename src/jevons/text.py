"""Texts made ready to be shown: what came from files made harmless, generated blocks put into pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters but the line break and the tab, marks of direction and of no width, and halves of characters."""

_FAMILY = re.compile(r"[a-z]{5,}", re.IGNORECASE)
"""The name of a family of devices, longer than a form such as ``sxm`` or ``pcie``."""


def printable(text: str) -> str:
    r"""Return a text in which a terminal finds nothing to obey: control characters are written out.

    Examples
    --------
    >>> printable("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _CONTROLS.sub(lambda match: ascii(match[0])[1:-1], text)


def device_words(name: str) -> str:
    """Return the id of a device as people write it: sizes and forms in capitals, a family's name with one.

    Examples
    --------
    >>> device_words("h200_sxm"), device_words("ascend_910c"), device_words("mi300x")
    ('H200 SXM', 'Ascend 910C', 'MI300X')
    """
    return " ".join(word.capitalize() if _FAMILY.match(word) else word.upper() for word in name.split("_"))


def shortened(text: str, most: int = 300) -> str:
    """Return a text whose words, such as a mistyped value of thousands of characters, have at most so many letters.

    Examples
    --------
    >>> shortened("--gpu " + 9 * "x", most=5)
    '--gpu xxxxx…'
    """
    return re.sub(rf"(\S{{{most}}})\S+", r"\1…", text)


def printable_json(text: str) -> str:
    r"""Return JSON text with the same value and nothing for a terminal to obey.

    Examples
    --------
    >>> printable_json('"\x9b31mred"')
    '"\\u009b31mred"'
    """
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def with_blocks(page: str, blocks: Mapping[str, str]) -> str:
    """Return a page with generated blocks in place, each between ``<!-- begin:NAME -->`` and ``<!-- end:NAME -->``."""
    for name, block in blocks.items():
        begin, end = f"<!-- begin:{name} -->\n", f"<!-- end:{name} -->"
        filled = f"{begin}{block}\n{end}".replace("\\", r"\\")
        page = re.sub(re.escape(begin) + ".*?" + re.escape(end), filled, page, flags=re.DOTALL)
    return page
