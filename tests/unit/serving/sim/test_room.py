"""A load that finds no room in memory is refused before it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from jevons.errors import InputError
from jevons.serving import sim
from jevons.serving.sim.load import room


def test_a_load_that_memory_cannot_hold_is_refused_with_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda: 1_000_000_000)
    with pytest.raises(InputError, match=r"requests = 20000000: take some 5 GB, and 1 GB .* at most 4,000,000"):
        sim.generate(sim.Load(rate_req_per_s=100.0, requests=20_000_000, isl=10, osl=10), 0)
    assert sim.generate(sim.Load(rate_req_per_s=100.0, requests=2000, isl=10, osl=10), 0).count == 2000


@pytest.mark.parametrize("text", ["", "MemAvailable: x kB", "MemTotal: 5 kB\n"])
def test_a_system_that_does_not_say_refuses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    status = tmp_path / "meminfo"
    status.write_text(text)
    monkeypatch.setattr(room, "_STATUS", status)
    assert room.free_bytes() is None
    room.check_room(10**12)
    monkeypatch.setattr(room, "_STATUS", status.with_name("none"))
    assert room.free_bytes() is None
