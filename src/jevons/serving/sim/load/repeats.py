"""Prompts that clients repeat: which cache blocks requests have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.serving.sim.types import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """How the prompts of a load repeat.

    Parameters
    ----------
    system_tokens : int
        With which every prompt of a group begins, >= 0.
    groups : int
        Groups of prompts with a system prompt of their own, >= 1.
    prompts : int
        Different prompts of each group, >= 1; 0 where each request has its own.
    """

    system_tokens: int = 0
    groups: int = 1
    prompts: int = 0

    @property
    def distinct(self) -> int:
        """Different prompts in all; 0 where each request has its own."""
        return self.groups * self.prompts


def block_hashes(isl: IntArray, repeats: Repeats | None, block_tokens: int) -> tuple[IntArray, IntArray]:
    """Return hashes of prompt blocks, and where those of each request begin; prompts are sent in turn.

    Parameters
    ----------
    isl : ndarray of int, shape (n,)
        Prompt tokens.
    repeats : Repeats or None
        How prompts repeat; None where they have nothing in common.
    block_tokens : int
        Tokens of a block.
    """
    blocks = isl // block_tokens
    start = np.append(0, np.cumsum(blocks)).astype(np.int64)
    hashes = np.arange(start[-1], dtype=np.int64)
    if repeats is None or not len(hashes):
        return hashes, start
    request = np.repeat(np.arange(len(isl)), blocks)
    place = hashes - start[request]
    prompt = request % repeats.distinct if repeats.distinct else request
    of_system = place < repeats.system_tokens // block_tokens
    owner = np.where(of_system, prompt % repeats.groups, repeats.groups + prompt)
    keys = np.unique(owner * (int(blocks.max()) + 1) + place, return_inverse=True)[1]
    return keys.astype(np.int64), start
