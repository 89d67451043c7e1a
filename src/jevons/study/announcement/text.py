"""Text of an announcement: decoded, made plain character by character, and cut into sentences with their places."""

from __future__ import annotations

import html.parser
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from jevons.errors import Fault, InputError
from jevons.files.read import read_bytes
from jevons.limits import ANNOUNCEMENT_BYTES, SENTENCE_CHARACTERS, SENTENCES
from jevons.study.announcement.address import refuse_address
from jevons.study.announcement.lexicon import simplified
from jevons.study.announcement.numerals import ZH_CHARACTERS

_TEXT_ENDINGS = {".txt", ".md", ".html", ".htm", ".text"}
_END = re.compile(r"[。!?;！？；]+[”\"'」』)]*|[.](?=[\"”')]*\s+[\"“'(]*[A-Z0-9\u4e00-\u9fff])|\n+|\.$")
_RUN = re.compile(rf"[\d,.{ZH_CHARACTERS}](?:[ ]?[{ZH_CHARACTERS}]|[\d,.]){{40,}}")
"""Digits in a row that are no number: patterns would try each of their parts."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:rs|pvt|bhd|sdn|plc|llc|prof|sen|gov|mrd|mio|inc|corp|co|ltd|u\.s|u\.k|mr|ms|dr|vs|approx|est|no|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec|st)"
    r"|\b[a-z])$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence: as written, made plain, and where it begins and ends in the text."""

    text: str
    plain: str
    start: int
    end: int
    line: int


def plain(text: str) -> str:
    """Return *text* in simplified characters, plain digits and lower case, each character where it was.

    Digits in a row that are too many for a number are left out.
    """
    lowered = "".join(lower if len(lower) == 1 else char for char in text for lower in (char.lower(),))
    return _RUN.sub(lambda match: " " * len(match[0]), lowered.translate(simplified()).replace("\n", " "))


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of *text*; a line's end closes one too, and so does the last gap before one is too long.

    Raises
    ------
    InputError
        If there are more than are read.
    """
    parts: list[Sentence] = []
    start = 0
    for match in _END.finditer(text):
        if match[0] == "\n" and _wrapped(text, match.start()):
            continue
        if match[0] == "." and _ABBREVIATION.search(text[max(0, match.start() - 8) : match.start()]):
            continue
        _add(parts, text, start, match.end())
        start = match.end()
    _add(parts, text, start, len(text))
    return parts


def _wrapped(text: str, at: int) -> bool:
    """Return whether a line ends only because it was full: long, unfinished, and with prose after it."""
    line = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    following = text[at + 1 : at + 4].lstrip(" ")
    wide = sum(2 if ord(char) > 0x2E80 else 1 for char in line)
    ended = line[-1:] in ".。!?！？:：;；|" or re.match(r"[-*#|\d]", following) is not None
    return wide >= 60 and not ended and bool(following.strip())


def _add(parts: list[Sentence], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > SENTENCE_CHARACTERS:
        gap = max(text.rfind(mark, start + 1, start + SENTENCE_CHARACTERS) for mark in " ，、；\t")
        middle = gap + 1 if gap > start else start + SENTENCE_CHARACTERS
        _add(parts, text, start, middle)
        start = middle
    if end > start:
        if len(parts) >= SENTENCES:
            message = f"the text has more than {SENTENCES:,} sentences; give the announcement alone"
            raise InputError(message)
        part = text[start:end]
        line = (parts[-1].line if parts else 1) + text.count("\n", parts[-1].start if parts else 0, start)
        parts.append(Sentence(text=part, plain=plain(part), start=start, end=end, line=line))


class _Tags(html.parser.HTMLParser):
    """Keeps the text of a page without scripts and styles; blocks end lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        del attrs
        self.hidden += tag in {"script", "style"}
        if tag in {"p", "br", "div", "li", "h1", "h2", "h3", "tr", "title"}:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a tag."""
        self.hidden = max(0, self.hidden - (tag in {"script", "style"}))
        if tag in {"title", "h1", "h2", "h3", "p", "li"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text that is seen."""
        if not self.hidden:
            self.parts.append(data)


def decoded(content: bytes, name: str) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, or GB18030; of an HTML page what is seen.

    Raises
    ------
    InputError
        If it is no text.
    """
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff")) and not content.startswith(b"\xff\xfe\0\0")
    if content.startswith(b"%PDF") or (b"\0" in content[:4000] and not marked):
        kind = "a PDF" if content.startswith(b"%PDF") else "no text"
        raise InputError(Fault(message=f"is {kind}; save the announcement as plain text", file=name))
    text = ""
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030", "big5"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        message = "is neither UTF-8, UTF-16, GB18030 nor Big5 text; save it as UTF-8"
        raise InputError(Fault(message=message, file=name))
    if re.match(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|body|p|div|article)\b", text[:500], re.IGNORECASE):
        tags = _Tags()
        tags.feed(text)
        text = "".join(tags.parts)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_file(name: str) -> bool:
    """Return whether a file has this name; a text that is too long for one has not."""
    try:
        return Path(name).is_file()
    except OSError:
        return False


def given_text(source: Path | str) -> tuple[str, str]:
    """Return the text of an announcement and the name of its file: of a path or ``-`` what stands there, else itself.

    Raises
    ------
    InputError
        If it is an address of the web, cannot be read, or holds no text.
    """
    shown = str(source)
    refuse_address(shown)
    short = "\n" not in shown and len(shown) < 500
    named = isinstance(source, Path) or (
        short and (Path(shown).suffix.lower() in _TEXT_ENDINGS or (" " not in shown and _is_file(shown)))
    )
    if shown == "-" and isinstance(source, Path):
        content = sys.stdin.buffer.read(ANNOUNCEMENT_BYTES + 1)
        if len(content) > ANNOUNCEMENT_BYTES:
            message = f"standard input has more than {ANNOUNCEMENT_BYTES:,} bytes; give the announcement alone"
            raise InputError(message)
        text, name = decoded(content, "<stdin>"), "<stdin>"
    elif named:
        text, name = decoded(read_bytes(source, most_bytes=ANNOUNCEMENT_BYTES), shown), Path(shown).name
    else:
        text, name = shown, ""
    if not text.strip():
        raise InputError(Fault(message="has no text; give the words of an announcement", file=name or "text"))
    return text, name
