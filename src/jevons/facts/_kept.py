"""Keeps the facts that ship, once read, beside the compiled modules: their YAML takes most of a short command."""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from jevons.errors import InputError
from jevons.facts.types import Facts
from jevons.files import writing

_PACKAGE = Path(__file__).parent.parent
_READERS = ("facts/read.py", "facts/types.py", "schema.py", "units.py", "options/declare.py")
"""Modules that decide what is made of a file."""


_UNREADABLE = (
    OSError, pickle.PickleError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
)  # fmt: skip
"""What comes of a file that is missing, cut or of another make."""


def kept(data: Path, read: Callable[[], Facts], folder: Path | None = None) -> Facts:
    """Return the facts of a folder as they were read before, or read them and keep them for the next process.

    Parameters
    ----------
    data : path
        Folder of the YAML files.
    read : callable
        Reads them.
    folder : path, optional
        Where they are kept; the folder of this module's compiled code by default, which is trusted as much.

    Notes
    -----
    What is kept is found by names, sizes and times of the files and of the modules that read them, so that any change
    makes it anew. Where nothing can be written, each process reads the files.
    """
    folder = folder or Path(__file__).parent / "__pycache__"
    path = folder / f"facts-{_state(data)}.pickle"
    with contextlib.suppress(*_UNREADABLE):
        facts = pickle.loads(path.read_bytes())  # noqa: S301 - lies with the compiled modules, and is trusted like them
        if isinstance(facts, Facts):
            return facts
    facts = read()
    with contextlib.suppress(OSError, InputError, pickle.PickleError):
        folder.mkdir(exist_ok=True)
        with writing(path, "wb", force=True) as stream:
            pickle.dump(facts, stream, protocol=pickle.HIGHEST_PROTOCOL)
        for older in set(folder.glob("facts-*.pickle")) - {path}:
            older.unlink(missing_ok=True)
    return facts


def _state(data: Path) -> str:
    """Return a digest of names, sizes and times of the files that the facts are made of."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for file in _files(data):
        about = file.stat()
        digest.update(f"{file} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _files(data: Path) -> Iterator[Path]:
    yield from sorted(data.rglob("*.yaml"))
    yield from (_PACKAGE / name for name in _READERS)
