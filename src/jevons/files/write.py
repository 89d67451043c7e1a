"""The one writer: a file is written whole or not at all, and nothing is destroyed that is not a file of that kind.

A target must be a regular file or a free name; devices, FIFOs, sockets and folders are refused. A link is followed:
the file that it names is replaced and the link stays; one that leads nowhere is refused. An existing file is replaced
if it is empty or its content is of the kind that its ending says, with most columns or entries of a CSV or JSON file as
they were; any other only by force. The new content is written
without a name where the system can, so that a killed process leaves nothing, flushed to the disk and moved into place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from jevons.errors import Fault, InputError
from jevons.files.alike import other_content
from jevons.limits import NAME_BYTES

_HEAD_BYTES = 2048

FORCE = "to replace it, give --force (in Python, force=True)"
"""Remedy for a file that is not of the kind to be written."""
Inputs = dict[str, str]
"""Names of files, and what each is to what is written; empty where only that it was read is known."""
_INPUTS: ContextVar[Inputs | None] = ContextVar("inputs", default=None)
"""Files read while inputs are kept; None where they are not."""


def _signed(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _text(*beginnings: bytes) -> Callable[[bytes], bool]:
    def is_ours(head: bytes) -> bool:
        return b"\0" not in head and (
            not beginnings or head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(beginnings)
        )

    return is_ours


_KINDS: dict[str, Callable[[bytes], bool]] = {
    ".json": _text(b"{", b"["),
    ".csv": lambda head: _text()(head) and not head.lstrip().startswith((b"{", b"[", b"<", b"#!", b"%")),
    ".html": _text(b"<"),
    ".svg": lambda head: _text(b"<")(head) and b"<svg" in head,
    ".png": _signed(b"\x89PNG"),
    ".pdf": _signed(b"%PDF"),
    ".parquet": _signed(b"PAR1"),
    ".xlsx": _signed(b"PK\x03\x04"),
    ".nc": _signed(b"\x89HDF", b"CDF"),
}
"""How a file of each ending begins; a file of another ending is never taken for ours."""


@contextmanager
def keeping_inputs(known: Inputs | None = None) -> Iterator[Inputs]:
    """Refuse, until the block ends, to write without force over a file that was read in it, or is *known*.

    A command reads files that its line does not name, such as the trace of a load file. Yields what is read, which
    grows; a block inside another one shares its own.
    """
    outer = _INPUTS.get()
    inputs: Inputs = {} if outer is None else outer
    inputs |= {name: what for name, what in (known or {}).items() if not inputs.get(name)}
    mark = _INPUTS.set(inputs)
    try:
        yield inputs
    finally:
        _INPUTS.reset(mark)


def note_input(path: Path | str, what: str = "") -> None:
    """Take note of a file that is read; *what* says what it is to what is written."""
    inputs = _INPUTS.get()
    if inputs is not None:
        name = os.path.realpath(path)
        inputs[name] = what or inputs.get(name, "")


def _as_input(path: Path, status: os.stat_result) -> str | None:
    """Return what a file is to what is written, None where it was not read: by its name, or as the same file."""
    target = os.path.realpath(path)
    for name, what in (_INPUTS.get() or {}).items():
        same = name == target
        with contextlib.suppress(OSError):
            same = same or os.path.samestat(os.stat(name), status)  # noqa: PTH116 - of a name, as it is kept
        if same:
            return what or "the command reads this file"
    return None


def target_problem(path: Path | str, *, force: bool = False) -> str:
    """Return why *path* cannot be written and what would be right, or an empty string.

    Parameters
    ----------
    path : path or str
        File to write.
    force : bool
        Whether a regular file of any content may be replaced.
    """
    try:
        return _problem(Path(path), force=force)
    except ValueError:
        return "the name holds a NUL character; remove it"
    except OSError as error:
        return f"cannot be written: {refused(error, Path(path))}"


def _problem(path: Path, *, force: bool) -> str:
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            return "is a link to a file that does not exist; name the file itself"
        status = None
    parent = Path(os.path.realpath(path)).parent
    if status is not None and not stat.S_ISREG(status.st_mode):
        return f"is a {kind_of_node(status.st_mode)}, not a file; name a file{' in it' if path.is_dir() else ''}"
    if not parent.is_dir():
        return f"the folder {path.parent} does not exist; create it first"
    if not os.access(parent, os.W_OK | os.X_OK):
        return f"the folder {parent} cannot be written; name another"
    if status is None:
        return ""
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        return "the file is read-only; name another, or allow writing to it"
    if not force and (own := _as_input(path, status)):
        return f"{own}; name another; {FORCE}"
    if not force and not _is_ours(path):
        return f"exists, and its content is not that of a {path.suffix or 'new'} file; name another; {FORCE}"
    return ""


def kind_of_node(mode: int) -> str:
    """Return what stands under a name, by its mode."""
    kinds = (
        (stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "device"),
        (stat.S_ISBLK, "device"),
    )  # fmt: skip
    return next((name for is_kind, name in kinds if is_kind(mode)), "file")


def _is_ours(path: Path) -> bool:
    """Return whether a file is empty, or begins as files of its ending do."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    begins = _KINDS.get(path.suffix.lower())
    return not head or (begins is not None and begins(head))


def refused(error: OSError, path: Path) -> str:
    """Return why the system refused, in words for the person who named the file."""
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if longest > NAME_BYTES:
        return f"a name in it has {longest} bytes, and file systems take {NAME_BYTES} at most; shorten it"
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"{error.strerror or error}; free some space, or name a folder with more"
    return f"{error.strerror or error}; name a folder that exists and is writable"


@contextmanager
def writing(path: Path | str, mode: str = "w", *, force: bool = False) -> Iterator[IO[Any]]:
    """Open a file beside *path*, and move it into place when the block ends without an error.

    An existing file keeps its permissions; a new one has those that the user's mask leaves.

    Parameters
    ----------
    path : path or str
        File to write.
    mode : str
        ``w`` for UTF-8 text or ``wb`` for bytes.
    force : bool
        Whether a regular file of any content may be replaced.

    Raises
    ------
    InputError
        If the target is refused, see the module, or the disk is full or cannot be written.
    """
    problem = target_problem(path, force=force)
    if problem:
        raise InputError(Fault(message=problem, file=shown_name(path)))
    target = Path(os.path.realpath(path))
    binary = "b" in mode
    text: dict[str, Any] = {} if binary else {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
    try:
        with _beside(target) as (handle, name):
            with os.fdopen(handle, "w+b" if binary else "w+", closefd=False, **text) as stream:
                yield stream
            os.fsync(handle)
            other = "" if force else _other(target, name or Path(f"/proc/self/fd/{handle}"))
            if other:
                message = f"exists, and holds {other}, which are not those to be written; name another; {FORCE}"
                raise InputError(Fault(message=message, file=shown_name(path)))
            _move(handle, name, target)
    except InputError:
        raise
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise InputError(
            Fault(message=f"cannot be written: {refused(refusal, target)}", file=shown_name(path))
        ) from None


def _other(target: Path, written: Path) -> str:
    """Return what the file under a name holds that the one to be moved there does not; empty where nothing is lost."""
    try:
        return other_content(target, written)
    except FileNotFoundError:
        return ""


def _refusal(error: Exception) -> OSError | None:
    """Return the system's refusal behind an error; libraries hand it on in their own words."""
    if isinstance(error, OSError):
        return error
    number = re.search(r"\(os error (\d+)\)", str(error))
    return None if number is None else OSError(int(number[1]), os.strerror(int(number[1])))


def shown_name(path: Path | str) -> str:
    """Return a file's name for a message: no longer than a line, and quoted where blanks at its ends would be lost."""
    name = str(path)
    name = name if name == name.strip() else repr(name)
    return name if len(name) <= 200 else f"{name[:120]}…{name[-40:]}"


@contextmanager
def _beside(target: Path) -> Iterator[tuple[int, Path | None]]:
    """Yield an open file beside *target* with its permissions, and its name if it needs one; remove it after."""
    handle, name = _unnamed(target), None
    if handle is None:
        name = _part(target)
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with contextlib.suppress(FileNotFoundError):
            status = target.stat()
            with contextlib.suppress(OSError, AttributeError):
                os.fchown(handle, status.st_uid, status.st_gid)
            with contextlib.suppress(AttributeError):
                os.fchmod(handle, status.st_mode & 0o777)
        yield handle, name
    finally:
        os.close(handle)
        if name is not None:
            name.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.parent / f".jevons-{secrets.token_hex(8)}.part"


def _unnamed(target: Path) -> int | None:
    """Return a file without a name, which vanishes with its process; None where the system has none."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(target.parent, os.O_RDWR | os.O_TMPFILE, 0o666)
    except OSError:
        return None


def _move(handle: int, name: Path | None, target: Path) -> None:
    """Give the written file the name of *target*, in place of what had it, and flush the folder."""
    if name is not None:
        name.replace(target)
        return
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        unnamed, part = f"/proc/self/fd/{handle}", _part(target)
        try:
            os.link(unnamed, target.name, dst_dir_fd=folder, follow_symlinks=True)
        except FileExistsError:
            os.link(unnamed, part.name, dst_dir_fd=folder, follow_symlinks=True)
            try:
                part.replace(target)
            except OSError:
                part.unlink(missing_ok=True)
                raise
        with contextlib.suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


def safe_cell(text: str) -> str:
    """Return a text that a spreadsheet shows as text: one that it would take for a formula gets an apostrophe.

    Examples
    --------
    >>> safe_cell("=HYPERLINK(1)"), safe_cell("-1.5"), safe_cell("chat")
    ("'=HYPERLINK(1)", '-1.5', 'chat')
    """
    if not text.startswith(("=", "+", "-", "@", "\t", "\r")) or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"


_NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+|inf|nan)([eE][+-]?\d+)?( ?%)?")


def frame_csv(frame: Any) -> str:
    """Return a table of polars as CSV whose texts are texts in a spreadsheet too."""
    import polars as pl

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    begins = r"^[=+\-@\t\r]"
    risky = [name for name in texts if frame[name].str.contains(begins).any()]
    safe = [pl.col(name).map_elements(safe_cell, return_dtype=pl.String) for name in risky]
    frame = frame.with_columns(safe).rename({name: safe_cell(name) for name in frame.columns})
    return str(frame.write_csv())
