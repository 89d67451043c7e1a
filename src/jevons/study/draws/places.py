"""Where a store lies: a folder of this machine, or one that fsspec reaches, such as a bucket of an object store.

Both give the same few operations. A file appears whole or not at all; a second run of the same study is kept out.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from jevons.errors import InputError
from jevons.files import writing

try:
    import fcntl
except ImportError:  # pragma: no cover - not on Windows, where two runs of one store are not kept apart
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
KEPT = "Draws that were stored are kept; the same command goes on from them."
"""What to know where a store can no longer be written."""

_RENEWED_S, _STALE_S = 5.0, 20.0
"""How often the holder of a bucket's lock rewrites it, and for how long one that stays as it is counts as held."""


class Place(Protocol):
    """A folder of files."""

    @property
    def name(self) -> str:
        """The place in words."""

    def inside(self, name: str) -> Place:
        """Return the folder *name* in it."""

    def make(self) -> int:
        """Make the folder where it does not exist, and return how many of its path had to be made."""

    def folders(self) -> list[str]:
        """Return the names of the folders in it, in order."""

    def sizes(self) -> dict[str, int]:
        """Return the size of each file in it by name, in order of names; what is no file has the size -1."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None where there is none that can be read."""

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, on the disk before this returns."""

    def move(self, name: str, other: str) -> None:
        """Rename a file."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def remove_folder(self, count: int = 1) -> None:
        """Remove the folder itself and those around it, *count* in all, as far as they are empty."""

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keep a second run out; see `Store.locked`."""

    def busy(self) -> bool:
        """Return whether a run holds it."""


def default_store() -> Path:
    """Return the folder of the store where none is named.

    Raises
    ------
    InputError
        If there is no home folder.
    """
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        message = "--store: there is no home folder to keep draws in; name a folder, or give --no-store"
        raise InputError(message) from None
    return Path(root) / "jevons" / "study"


def place_of(store: Path | str) -> Place:
    """Return the place that a path or an address such as ``s3://bucket/folder`` names.

    Raises
    ------
    InputError
        If the address cannot be used.
    """
    if isinstance(store, Path) or "://" not in store:
        return Folder(Path(store))
    if store.startswith("file://"):
        return Folder(Path(store.removeprefix("file://")))
    return Bucket.at(store)


class Folder:
    """A folder of this machine, perhaps shared by several."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def inside(self, name: str) -> Folder:
        """Return the folder *name* in it."""
        return Folder(self.path / name)

    def make(self) -> int:
        """Make the folder where it does not exist, and return how many of its path had to be made.

        Raises
        ------
        InputError
            If it cannot be made; what was made of its path goes away again.
        """
        missing: list[Path] = []
        try:
            missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(parents=True, exist_ok=True)
            return len(missing)
        except (OSError, ValueError) as error:
            for path in missing:
                with contextlib.suppress(OSError):
                    path.rmdir()
            reason = getattr(error, "strerror", None) or error
            message = f"--store {self.path.parent}: {reason}; name a folder that can be written"
            raise InputError(message) from None

    def folders(self) -> list[str]:
        """Return the names of the folders in it, in order."""
        try:
            return sorted(entry.name for entry in self.path.iterdir() if entry.is_dir() and not entry.is_symlink())
        except OSError:
            return []

    def sizes(self) -> dict[str, int]:
        """Return the size of each file in it by name, in order of names; what is no file has the size -1."""
        try:
            entries = sorted(self.path.iterdir())
        except OSError:
            return {}
        plain = {entry.name: entry.is_file() and not entry.is_symlink() for entry in entries}
        return {entry.name: entry.stat().st_size if plain[entry.name] else -1 for entry in entries}

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None where there is none that can be read."""
        path = self.path / name
        try:
            return path.read_bytes() if path.is_file() and not path.is_symlink() else None
        except OSError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, on the disk before this returns."""
        with writing(self.path / name, "wb", force=True) as stream:
            stream.write(content)

    def move(self, name: str, other: str) -> None:
        """Rename a file."""
        (self.path / name).rename(self.path / other)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.path / name).unlink(missing_ok=True)

    def remove_folder(self, count: int = 1) -> None:
        """Remove the folder itself and those around it, *count* in all, as far as they are empty."""
        with contextlib.suppress(OSError):
            for path in (self.path, *self.path.parents)[:count]:
                path.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out; the lock ends with the process, however that ends.

        Raises
        ------
        InputError
            If another process holds it, or it is no file.
        """
        path = self.path / LOCK
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            message = f"{path}: cannot be locked ({error.strerror}); remove it, or use another --store"
            raise InputError(message) from None
        with os.fdopen(descriptor, "w") as handle:
            if fcntl is not None and not _flock(handle):
                raise InputError(_held(self.name))
            yield

    def busy(self) -> bool:
        """Return whether a run holds it."""
        path = self.path / LOCK
        if fcntl is None or path.is_symlink() or not path.is_file():
            return False
        try:
            with path.open("r") as handle:
                return not _flock(handle)
        except OSError:
            return False


def _held(name: str) -> str:
    return f"{name}: another run is filling this store; wait for it or use another --store"


def _flock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Bucket:
    """A folder that fsspec reaches.

    An object store has no lock that ends with its holder. The holder rewrites the lock every few seconds; whoever finds
    one watches it, by a clock that does not jump, and takes it over when it stays as it is.
    """

    def __init__(self, system: Any, path: str, address: str) -> None:
        self.system, self.path, self.address = system, path.rstrip("/"), address.rstrip("/")

    @classmethod
    def at(cls, address: str) -> Bucket:
        """Return the folder at an address.

        Raises
        ------
        InputError
            If fsspec or the package for its kind of address is missing, or the address makes no sense to it.
        """
        try:
            import fsspec
        except ImportError:
            message = f"--store {address}: an address needs fsspec; install it with `pip install 'jevons[ray]'`"
            raise InputError(message) from None
        try:
            system, path = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            message = f"--store {address}: {reason.rstrip('.')}; name a folder, or s3://BUCKET/FOLDER and the like"
            raise InputError(message) from None
        return cls(system, path, address)

    @property
    def name(self) -> str:
        """The address."""
        return self.address

    def inside(self, name: str) -> Bucket:
        """Return the folder *name* in it."""
        return Bucket(self.system, f"{self.path}/{name}", f"{self.address}/{name}")

    @contextmanager
    def _answers(self, doing: str) -> Iterator[None]:
        """Turn what the file system and its network raise into one line."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            message = f"--store {self.address}: cannot {doing}: {reason.rstrip('.')}; check address and rights. {KEPT}"
            raise InputError(message) from error

    def make(self) -> int:
        """Make the folder where it does not exist, and return 1 if it had to be made."""
        with self._answers("be made"):
            missing = not self.system.exists(self.path)
            self.system.makedirs(self.path, exist_ok=True)
            return int(missing)

    def _listed(self) -> list[dict[str, Any]]:
        with self._answers("be listed"):
            self.system.invalidate_cache(self.path)
            try:
                return list(self.system.ls(self.path, detail=True))
            except FileNotFoundError:
                return []

    def folders(self) -> list[str]:
        """Return the names of the folders in it, in order."""
        return sorted(_last(entry["name"]) for entry in self._listed() if entry["type"] == "directory")

    def sizes(self) -> dict[str, int]:
        """Return the size of each file in it by name, in order of names; what is no file has the size -1."""
        return {
            _last(entry["name"]): int(entry["size"] or 0) if entry["type"] == "file" else -1
            for entry in sorted(self._listed(), key=lambda entry: entry["name"])
            if _last(entry["name"]) != _last(self.path)
        }

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None where there is none that can be read."""
        with self._answers(f"read {name}"):
            try:
                return bytes(self.system.cat_file(f"{self.path}/{name}"))
            except (FileNotFoundError, IsADirectoryError):
                return None

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all: object stores write so, others through another name."""
        with self._answers(f"be written ({name})"):
            part = f"{self.path}/.jevons-{secrets.token_hex(8)}.part"
            self.system.pipe_file(part, content)
            self.system.mv(part, f"{self.path}/{name}")

    def move(self, name: str, other: str) -> None:
        """Rename a file."""
        with self._answers(f"rename {name}"):
            self.system.mv(f"{self.path}/{name}", f"{self.path}/{other}", recursive=True)

    def remove(self, name: str) -> None:
        """Remove a file."""
        with self._answers(f"remove {name}"), contextlib.suppress(FileNotFoundError):
            self.system.rm(f"{self.path}/{name}")

    def remove_folder(self, count: int = 1) -> None:  # noqa: ARG002 - an object store has no folders around it
        """Remove the folder itself if it is empty."""
        with contextlib.suppress(Exception):
            self.system.rmdir(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out; a lock whose holder was killed is taken over after some seconds.

        Raises
        ------
        InputError
            If another run holds it.
        """
        if self.busy():
            raise InputError(_held(self.name))
        mine = secrets.token_hex(8)
        self._renew(mine, 0)
        time.sleep(min(1.0, _RENEWED_S / 5))  # of two that found no lock, the last to write keeps it
        if not self._owned(mine):
            raise InputError(_held(self.name))
        ended = threading.Event()

        def renew() -> None:
            count = 0
            while not ended.wait(_RENEWED_S):
                count += 1
                with contextlib.suppress(InputError):
                    self._renew(mine, count)

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_RENEWED_S)
            with contextlib.suppress(InputError):
                if self._owned(mine):
                    self.remove(LOCK)

    def _renew(self, mine: str, count: int) -> None:
        with self._answers("be locked"):
            self.system.pipe_file(f"{self.path}/{LOCK}", f"{mine} {count}\n".encode())

    def _owned(self, mine: str) -> bool:
        return (self.read(LOCK) or b"").startswith(mine.encode())

    def busy(self) -> bool:
        """Return whether a run holds it: whether its lock changes while it is watched."""
        before = self.read(LOCK)
        start = time.monotonic()
        while before is not None and time.monotonic() - start < _STALE_S:
            time.sleep(_RENEWED_S / 5)
            now = self.read(LOCK)
            if now is None:
                return False
            if now != before:
                return True
        return False


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
