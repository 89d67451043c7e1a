"""Wraps the paragraphs of a Markdown page; tables, headings, pictures and code stay as they are."""

from __future__ import annotations

import re
import textwrap

WIDTH = 120
_KEPT = ("|", "#", "!", "<", "    ")
_ITEM = re.compile(r"(?=^- )", re.MULTILINE)


def wrapped(page: str) -> str:
    """Return a page with its paragraphs and list items filled to `WIDTH` columns."""
    blocks: list[str] = []
    is_code = False
    for block in page.split("\n\n"):
        kept = is_code or "```" in block or block.lstrip("\n").startswith(_KEPT)
        blocks.append(block if kept else _filled_block(block))
        is_code ^= block.count("```") % 2 == 1
    return "\n\n".join(blocks)


def filled(text: str, indent: str = "") -> str:
    """Return one paragraph in lines of at most `WIDTH` columns, all but the first behind an indent."""
    return textwrap.fill(
        " ".join(text.split()), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _filled_block(block: str) -> str:
    lead, body = block[: len(block) - len(block.lstrip("\n"))], block.lstrip("\n")
    end = body[len(body.rstrip("\n")) :]
    parts = [part for part in _ITEM.split(body) if part.strip()]
    return lead + "\n".join(filled(part, "  " if part.startswith("- ") else "") for part in parts) + end
