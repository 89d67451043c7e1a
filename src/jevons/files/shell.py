"""Commands in a shell text: what scripts and people write, read into words, with variables and arrays in place."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jevons.errors import InputError
from jevons.files.read import read_text

_ENDS = frozenset({"\n", ";", "&", "&&", "|", "||", "<", ">", ">>", ">&", "&>", "(", ")", "|&", "2>&1", "2>"})
_MARKS = ";&|()<>\n"
_ASSIGNED = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_ARRAY = re.compile(r"(?<![\w$])([A-Za-z_]\w*)(\+?)=\(([^()]*)\)")
_LONGEST_ARRAY = 20_000
_LONGEST_PATH = 1024
_ARRAY_USED = re.compile(r"\"?\$\{(\w+)\[[@*]\](?:[:+-][^}]*)?\}\"?")
_SUBSTITUTED = re.compile(r"\$\([^()]*(?:\([^()]*\)[^()]*)*\)")
_PUNCTUATION = "();&|<>\n \"'"
_HIDDEN = {ord(mark): chr(0xE000 + place) for place, mark in enumerate(_PUNCTUATION)}
_SHOWN = {ord(other): chr(mark) for mark, other in _HIDDEN.items()}
"""What a command that stands for its output holds that would end the one around it."""
_TYPED = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " "})
"""Quotes and blanks that an editor or a page has put in place of those that were typed."""


def as_typed(text: str) -> str:
    """Return a text with the quotes, blanks and dashes that were typed, in place of those that an editor made of them.

    Examples
    --------
    >>> as_typed("vllm serve “Qwen/Qwen3-8B” —max-model-len 8192")
    'vllm serve "Qwen/Qwen3-8B" --max-model-len 8192'
    """
    return re.sub(r"(?<!\S)[‐‑‒–—―−]-?(?=[A-Za-z])", "--", text.translate(_TYPED))


def _file_meant(text: str) -> Path | None:
    """Return the file that a text is the path of; None where it is a line with flags, or no such file is there."""
    plain = text.strip()
    if "\n" in plain or " --" in plain or len(plain) >= _LONGEST_PATH:
        return None
    path = Path(plain)
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def text_or_file(given: str | Path, option: str, *, most: int, endings: str, instead: str) -> tuple[str, Path]:
    """Return a text that an option was given, read where it is the path of a file, and the folder of its own files.

    Parameters
    ----------
    given : str or path
        The text, or the path.
    option : str
        Such as ``--serve``; begins each message.
    most : int
        Characters that a text may have.
    endings : str
        Those of files that are meant even where none is there, as a regular expression, such as ``sh|txt``.
    instead : str
        What else may be given, for the message.

    Raises
    ------
    InputError
        If the text is too long, or names a file that is not there or cannot be read.
    """
    text = str(given)
    if len(text) > most:
        message = f"{option}: has {len(text):,} characters; at most {most:,} are read"
        raise InputError(message)
    plain = text.strip()
    path = _file_meant(plain)
    if path is not None:
        return read_text(path), path.parent
    if re.fullmatch(rf"\S{{1,1023}}\.(?:{endings})", plain):
        message = f"{option} {plain}: no such file; give its path, or {instead}"
        raise InputError(message)
    if re.fullmatch(r"[^\s\0]{1,1023}", plain) and os.path.lexists(plain):
        message = f"{option} {plain}: is a folder or device, not a file; give its path, or {instead}"
        raise InputError(message)
    return text, Path()


def shell_commands(text: str, option: str) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Yield the words of each command of a shell text that *option* was given, and the variables set so far.

    Raises
    ------
    InputError
        If quotes do not close, or an array is too long.
    """
    text = re.sub(r"\\[ \t]*\r?\n", " ", text.replace("\r\n", "\n"))
    text = re.sub(r"`[ \t]*\n|\^[ \t]*\n", " ", text)  # PowerShell's and cmd's
    text = re.sub(r"(?m)^[ \t]*[$>#][ \t]+(?=\S)", "", text) if re.match(r"[ \t]*[$>#] ", text) else text
    text = _with_arrays(text, option)
    text = _SUBSTITUTED.sub(lambda match: match[0].translate(_HIDDEN), text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_MARKS)
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError as error:
        raise unclosed(text, error, option) from None
    variables: dict[str, str] = {}
    part: list[str] = []
    for place, token in enumerate(tokens):
        if token.strip(" ") and not token.strip("\n") and place + 1 < len(tokens) and tokens[place + 1].startswith("-"):
            continue  # a wrapped line goes on
        if token in _ENDS or not token.strip(_MARKS):
            yield expanded_words(part, variables), dict(variables)
            part = []
            continue
        if token.startswith("#"):
            part.append("\0")
        part.append(token.translate(_SHOWN))
    yield expanded_words(part, variables), dict(variables)


def unclosed(text: str, error: ValueError, option: str) -> InputError:
    """Return the error of a text in which quotes do not close."""
    return InputError(f"--{option} {' '.join(text.split())[:60]}: quotes do not close ({error}); mend the line")


def _with_arrays(text: str, option: str) -> str:
    """Return a shell text with the words of its arrays where ``"${NAME[@]}"`` stands for them."""
    arrays: dict[str, str] = {}
    for name, added, listed in _ARRAY.findall(text):
        words = " ".join(re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", listed).split("\n"))
        words = _ARRAY_USED.sub(lambda match: arrays.get(match[1], match[0]), words)
        arrays[name] = f"{arrays.get(name, '')} {words}" if added else words
        if len(arrays[name]) > _LONGEST_ARRAY:
            message = f"--{option}: the array {name} has more than {_LONGEST_ARRAY:,} characters; give the line itself"
            raise InputError(message)
    if not arrays:
        return text
    return _ARRAY_USED.sub(lambda match: arrays.get(match[1], match[0]), _ARRAY.sub("", text))


def expanded_words(words: Sequence[str], variables: dict[str, str]) -> list[str]:
    """Return the words of a command with variables in place, up to a comment; note the variables that it sets."""
    expanded: list[str] = []
    leading = True
    for word in words:
        if word == "\0":
            break
        value = VARIABLE.sub(lambda m: variables.get(m[1] or m[3], m[2] if m[2] is not None else m[0]), word)
        assigned = _ASSIGNED.match(value)
        if assigned and (leading or (expanded and expanded[-1] in {"-e", "--env"})):
            variables[assigned[1]] = assigned[2]
            if expanded and expanded[-1] in {"-e", "--env"}:
                expanded.append(value)
            continue
        if word not in {"export", "env", "set", "sudo"}:
            leading = False
            several = value != word and " " in value and "{" not in value and "$(" not in value
            expanded += value.split() if several else [value]
    return expanded
