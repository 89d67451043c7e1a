"""Blocks of prompts that repeat: which are the same, and how many are kept."""

import itertools

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.serving.sim import Load, Repeats, Trace, from_trace, generate
from jevons.serving.sim.load.repeats import block_hashes, ragged


def test_ragged_numbers_run_on_from_each_beginning():
    assert ragged(np.array([5, 9, 0]), np.array([2, 0, 3])).tolist() == [5, 6, 0, 1, 2]


@pytest.mark.parametrize(("system", "groups", "prompts"), [(0, 1, 3), (40, 1, 0), (40, 2, 3), (1000, 2, 2)])
def test_blocks_are_equal_where_prompts_are(system, groups, prompts):
    """Judged by the texts themselves: a block is known by all tokens up to its end."""
    repeats = Repeats(system_tokens=system, groups=groups, prompts=prompts)
    isl = np.resize(np.array([100, 33, 70, 16, 5, 64]), 12)
    hashes, start = block_hashes(isl, repeats, 16)
    seen: dict[tuple[object, int], int] = {}
    for request, (first, stop) in enumerate(itertools.pairwise(start)):
        assert stop - first == isl[request] // 16
        prompt = request % repeats.distinct if repeats.distinct else request
        for place, block in enumerate(hashes[first:stop].tolist()):
            of_system = place < system // 16
            key = (("system", prompt % groups) if of_system else prompt, place)
            assert seen.setdefault(key, block) == block
    assert len(set(seen.values())) == len(seen)


def test_prompts_of_too_many_blocks_are_refused_before_they_are_made():
    with pytest.raises(InputError, match="at most 100,000,000 are kept"):
        generate(Load(requests=100_000, isl=30_000, osl=1, repeats=Repeats(prompts=3)))
    count = np.array([100, 100])
    trace = Trace(
        arrival_s=np.array([0.0, 1.0]), isl=count * 16, osl=count, name="t", make="test",
        hashes=np.arange(200), hash_start=np.array([0, 100, 200]), hash_tokens=16,
    )  # fmt: skip
    with pytest.raises(InputError, match="take fewer requests"):
        from_trace(trace, requests=2_000_000, prefixes=True)
