"""Prompts that clients repeat: which cache blocks requests have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.errors import InputError
from jevons.limits import PROMPT_BLOCKS
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

    Raises
    ------
    InputError
        If they are more than are kept.
    """
    blocks = isl // block_tokens
    check_blocks("prompts", blocks, "isl, or take fewer requests")
    start = np.append(0, np.cumsum(blocks)).astype(np.int64)
    if repeats is None:
        return np.arange(start[-1], dtype=np.int64), start
    request = np.arange(len(isl), dtype=np.int64)
    prompt = request % repeats.distinct if repeats.distinct else request
    group = prompt % repeats.groups
    common = repeats.system_tokens // block_tokens
    of_system = np.minimum(blocks, common)
    own = np.zeros(int(prompt.max()) + 1, dtype=np.int64)
    np.maximum.at(own, prompt, blocks - of_system)
    own_start = repeats.groups * common + np.append(0, np.cumsum(own))[:-1]
    hashes = ragged(own_start[prompt] - of_system, blocks)
    hashes[ragged(start[:-1], of_system)] = ragged(group * common, of_system)
    return hashes, start


def check_blocks(what: str, blocks: IntArray, remedy: str) -> None:
    """Refuse prompts with more blocks than are kept."""
    if (total := float(blocks.sum(dtype=np.float64))) > PROMPT_BLOCKS:
        message = (
            f"{what}: have {total:.3g} blocks to look up in the prefix cache, and at most {PROMPT_BLOCKS:,} are kept; "
            f"shorten {remedy}"
        )
        raise InputError(message)


def ragged(begins: IntArray, counts: IntArray) -> IntArray:
    """Return the whole numbers from each of *begins* on, as many as its count, one after the other."""
    before = np.cumsum(counts) - counts
    numbers = np.arange(int(counts.sum()), dtype=np.int64)
    numbers += np.repeat(begins - before, counts)
    return numbers
