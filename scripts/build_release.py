"""Build wheel and sdist of what git tracks, the same bytes each time: times, owners and modes are those of no machine.

Run: python scripts/build_release.py FOLDER
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("src/", "README", "LICENSE", "pyproject")
BUILD = "from setuptools import build_meta as b; import sys; to = sys.argv[1]; b.build_sdist(to); b.build_wheel(to)"


def main(folder: Path) -> int:
    """Write both files into *folder*; what git says of a commit's time is theirs, unless SOURCE_DATE_EPOCH is set."""
    folder.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)
    moment = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory() as scratch:
        source, built = Path(scratch, "source"), Path(scratch, "built")
        built.mkdir()
        for name in filter(None, _git("ls-files", "-z").split("\0")):
            if name.startswith(SHIPPED) and (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_bytes((ROOT / name).read_bytes())
        environment = {**os.environ, "SOURCE_DATE_EPOCH": moment, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            [sys.executable, "-c", BUILD, str(built)], cwd=source, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return 1
        for path in sorted(built.iterdir()):
            content = path.read_bytes()
            (folder / path.name).write_bytes(plain(content, int(moment)) if path.name.endswith(".gz") else content)
            print(folder / path.name)
    return 0


def plain(archive: bytes, moment: int) -> bytes:
    """Return a tar.gz of the same files in order of names, all of one time and of no owner."""
    tar = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as before,
        tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda member: member.name):
            entry = tarfile.TarInfo(member.name)
            entry.type, entry.size, entry.mtime = member.type, member.size, moment
            entry.mode = 0o755 if member.isdir() else 0o644
            after.addfile(entry, before.extractfile(member) if member.isfile() else None)
    return gzip.compress(tar.getvalue(), mtime=moment)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder that takes wheel and sdist: python scripts/build_release.py FOLDER")
    sys.exit(main(Path(sys.argv[1])))
