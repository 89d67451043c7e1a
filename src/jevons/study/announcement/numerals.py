"""Numbers as announcements write them: digits, words, Chinese numerals, magnitudes, and vague ones as ranges."""

from __future__ import annotations

import re

from jevons.units import INDIAN, LARGE, MYRIADS, SCALE_LETTERS

_ZH_DIGITS = dict(zip("零〇一二三四五六七八九", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)) | {
    "两": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9,
}  # fmt: skip
_ZH_SMALL = {"十": 10.0, "百": 100.0, "千": 1000.0, "拾": 10.0, "佰": 100.0, "仟": 1000.0}
_ZH_LARGE = {char: float(size) for size, char in MYRIADS if len(char) == 1} | {"兆": 1e12}
_VAGUE = {"几", "数", "若干"}
VAGUE_LOW, VAGUE_HIGH = 2.0, 9.0
"""What ``几`` and ``数`` stand for: from two to nine."""

_EN_SMALL = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90, "half": 0.5, "couple": 2, "dozen": 12.0,
}  # fmt: skip
_DOZEN = 12.0
MAGNITUDES = {
    **{word: float(size) for size, short, long in LARGE for word in (short, long)},
    **{letter.lower(): float(size) for letter, size in SCALE_LETTERS.items() if letter != "G"},
    "hundred": 100.0, "quadrillion": 1e15, "mln": 1e6, "bln": 1e9, "trn": 1e12,
    **{word + end: float(size) for size, word in INDIAN for end in ("", "s")}, "cr": 1e7,
    "mrd": 1e9, "mld": 1e9, "mio": 1e6, "milliard": 1e9, "milliards": 1e9, "milliarden": 1e9, "milliarde": 1e9,
    "miljard": 1e9,
    "miljoen": 1e6, "millionen": 1e6, "millions": 1e6, "millones": 1e6, "milioni": 1e6, "miliardi": 1e9, "bio": 1e12,
}  # fmt: skip

ZH_CHARACTERS = "零〇一二两三四五六七八九十百千万亿兆壹贰叁肆伍陆柒捌玖拾佰仟"
_EUROPEAN = r"(?:mrd|mld|mio|milliards?|milliarden?|miljard|miljoen|millionen|millones|milioni|miliardi)"
DECIMAL_COMMA = rf"(?:\d{{1,3}}(?:\.\d{{3}})*,\d{{1,2}}(?=\s?(?:{_EUROPEAN}(?![a-z])|%|prozent|€|euro)))"
"""A number with a comma before its decimals, as the unit after it tells."""
DIGITS = (
    rf"(?:{DECIMAL_COMMA}|" + r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?|\d+(?:\.\d+)?)"
)
ZH = (
    rf"(?:(?:{DIGITS}|[{ZH_CHARACTERS}])(?:(?![千兆][瓦克米卡])[ ]?[{ZH_CHARACTERS}]|"
    rf"(?<=[亿兆万])\d{{1,3}}(?:,\d{{3}})+|\d|个(?=[万亿]))*)"
)
VAGUE_ZH = r"(?:[几数](?:十|百|千|万|亿)*)"
_EN_WORD = "|".join(sorted(set(_EN_SMALL) - {"a", "an"}, key=len, reverse=True))
_LARGE = "hundred|thousand|million|billion|trillion|quadrillion|mln|bln|mn|bn|tn|trn"
_EN_MAG = rf"(?:lakh[ ]crore|lakhs?|crores?|cr|{_EUROPEAN}|{_LARGE})"
EN_WORDS = (
    rf"(?:(?<![a-z0-9])(?:{_EN_WORD}|an?(?=[ -](?:{_EN_MAG}|dozen|couple)(?![a-z])))"
    rf"(?:[ -](?:{_EN_WORD}))?(?:[ -](?:a[ ])?{_EN_MAG})*(?![a-z]))"
)
VAGUE_EN = (
    r"(?:(?:tens|hundreds|dozens)[ ]of[ ](?:thousands|millions|billions|trillions)"
    r"|(?:a[ ]few|several)(?:[ ](?:lakh|crore|hundred|thousand|million|billion|trillion)(?![a-z]))*)"
)
_SHARES = {"half": 2.0, "halves": 2.0, "third": 3.0, "quarter": 4.0, "fifth": 5.0, "tenth": 10.0}
FRACTION_EN = (
    r"(?:(?<![a-z0-9])(?:(?:an?|one|two|three|four)[ ](?:halves|half|third|quarter|fifth|tenth)s?|half)[ ]of[ ]an?[ ]"
    r"(?:million|billion|trillion)(?![a-z]))"
)
"""A share of a large number, such as ``three quarters of a trillion``."""
NUMBER = (
    rf"(?:{FRACTION_EN}|{DIGITS}(?:[ -]?{_EN_MAG}(?:[ ](?:million|billion|trillion))?(?![a-z])|[kmbt](?![a-z0-9]))"
    rf"|{ZH}|{VAGUE_ZH}|{VAGUE_EN}|{EN_WORDS})"
)
"""A number in any of these spellings, of plain text."""


def value_of(text: str) -> tuple[float, float]:
    """Return the least and the greatest value of a number that `NUMBER` found; both alike where it is exact.

    Examples
    --------
    >>> value_of("3800亿"), value_of("三千八百亿"), value_of("80 billion"), value_of("几")
    ((380000000000.0, 380000000000.0), (380000000000.0, 380000000000.0), (80000000000.0, 80000000000.0), (2.0, 9.0))
    """
    text = text.strip()
    if text and text[0] in _VAGUE:
        scale = 1.0
        for char in text[1:]:
            scale *= _ZH_SMALL.get(char) or _ZH_LARGE.get(char) or 1.0
        return VAGUE_LOW * scale, VAGUE_HIGH * scale
    match = re.fullmatch(r"(?:([a-z]+) )?(\w+?)s? of an? (million|billion|trillion)", text)
    if match and match[2] in _SHARES:
        exact = _EN_SMALL.get(match[1] or "a", 1) / _SHARES[match[2]] * MAGNITUDES[match[3]]
        return exact, exact
    match = re.match(r"(tens|hundreds|dozens) of (thousand|million|billion|trillion)s", text)
    if match:
        base = {"tens": 10.0, "hundreds": 100.0, "dozens": 12.0}[match[1]] * MAGNITUDES[match[2]]
        return VAGUE_LOW * base, VAGUE_HIGH * base
    if re.match(r"a few|several", text):
        scale = 1.0
        for word in re.findall(r"[a-z]+", text)[1:]:
            scale *= MAGNITUDES.get(word, 1.0)
        return VAGUE_LOW * scale, VAGUE_HIGH * scale
    exact = _chinese(text) if re.search(f"[{ZH_CHARACTERS}]", text) else _english(text)
    return exact, exact


def magnitude_of(text: str) -> float:
    """Return the factor of the magnitude that a number ends with, such as 1e9 for ``80 billion``; 1 for none.

    Examples
    --------
    >>> magnitude_of("80 billion"), magnitude_of("3800亿"), magnitude_of("64")
    (1000000000.0, 100000000.0, 1.0)
    """
    scale = 1.0
    rest = text.strip()
    while rest and (rest[-1] in _ZH_LARGE or rest[-1] in _ZH_SMALL):
        scale *= _ZH_LARGE.get(rest[-1]) or _ZH_SMALL[rest[-1]]
        rest = rest[:-1]
    if scale != 1.0:
        return scale
    for word in re.findall(r"[a-z]+", text):
        scale *= MAGNITUDES.get(word, 1.0)
    return scale


def _english(text: str) -> float:
    total, number = 0.0, None
    if re.search(r"\d,\d{1,2}(?![\d,])", text):
        text = text.replace(".", "").replace(",", ".")
    for token in re.findall(r"\d[\d,]*(?:\.\d+)?|[a-z]+", text):
        if token[0].isdigit():
            number = float(token.replace(",", ""))
        elif token in MAGNITUDES:
            number = (1.0 if number is None else number) * MAGNITUDES[token]
        elif token in _EN_SMALL:
            small = float(_EN_SMALL[token])
            if token in {"a", "an"} and number is not None:
                continue
            number = small if number is None else number * small if small == _DOZEN else number + small
    return total + (0.0 if number is None else number)


def _chinese(text: str) -> float:
    text = text.replace(" ", "").replace("个", "")
    digits = re.fullmatch(r"[零〇一二三四五六七八九]{2,}", text)
    if digits:
        return float("".join(str(_ZH_DIGITS[char]) for char in text))
    whole, total, section, number = 0.0, 0.0, 0.0, None
    for token in re.findall(r"\d[\d,]*(?:\.\d+)?|.", text):
        if token[0].isdigit() and token[0] not in _ZH_DIGITS:
            number = float(token.replace(",", ""))
        elif token in _ZH_DIGITS:
            number = float(_ZH_DIGITS[token])
        elif token in _ZH_SMALL:
            section += (1.0 if number is None else number) * _ZH_SMALL[token]
            number = None
        elif token in _ZH_LARGE:
            below = section + (0.0 if number is None else number)
            if token == "兆":  # noqa: S105 - a numeral
                whole += (total + below if total + below > 0 else 1.0) * _ZH_LARGE[token]
                total = 0.0
            elif token == "亿":  # noqa: S105 - a numeral
                total = (total + below if total + below > 0 else 1.0) * _ZH_LARGE[token]
            else:
                total += (below if below > 0 else 1.0) * _ZH_LARGE[token]
            section, number = 0.0, None
    return whole + total + section + (0.0 if number is None else number)
