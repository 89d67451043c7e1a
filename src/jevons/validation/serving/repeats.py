"""Prompts that a load's clients repeat: what notes say of them, and which cache blocks they have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from jevons.serving.sim.types import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How the prompts of a load repeat.

    Parameters
    ----------
    system_tokens : int
        With which every prompt of a group begins.
    groups, prompts : int
        Groups with a system prompt of their own, and different prompts of each.
    warm : bool
        Whether an earlier stage of the load has sent all of them before.
    """

    system_tokens: int
    groups: int
    prompts: int
    warm: bool = False

    @property
    def distinct(self) -> int:
        """Different prompts in all."""
        return self.groups * self.prompts


def repeats_of(notes: str) -> Repeats | None:
    """Return how prompts repeat, as in ``100 shared system + 447 question tokens, 9x5 distinct prompts``, or None."""
    told = re.search(r"(\d{1,6})\s*x\s*(\d{1,6}) distinct prompts", notes)
    if told is None or not int(told[1]) or not int(told[2]):
        return None
    system = re.search(r"(\d{1,7}) shared system", notes)
    stage = re.search(r"\bstage (\d{1,4}) of \d", notes)
    return Repeats(
        system_tokens=int(system[1]) if system else 0,
        groups=int(told[1]),
        prompts=int(told[2]),
        warm=stage is not None and int(stage[1]) > 0,
    )


def block_hashes(isl: IntArray, repeats: Repeats | None, block_tokens: int) -> tuple[IntArray, IntArray]:
    """Return hashes of prompt blocks, and where those of each request begin; prompts are sent in turn.

    Parameters
    ----------
    isl : ndarray of int, shape (n,)
        Prompt tokens.
    repeats : Repeats or None
        How prompts repeat; None where each differs from all others.
    block_tokens : int
        Tokens of a block.
    """
    blocks = isl // block_tokens
    start = np.append(0, np.cumsum(blocks)).astype(np.int64)
    hashes = np.arange(start[-1], dtype=np.int64)
    if repeats is None or not len(isl):
        return hashes, start
    request = np.repeat(np.arange(len(isl)), blocks)
    place = hashes - start[request]
    prompt = request % repeats.distinct
    system_blocks = repeats.system_tokens // block_tokens
    longest = int(blocks.max())
    owner = np.where(place < system_blocks, prompt % repeats.groups, repeats.groups + prompt)
    _, hashes = np.unique(owner * (longest + 1) + place, return_inverse=True)
    return hashes.astype(np.int64), start
