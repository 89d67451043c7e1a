"""Blocks of one replica: those that requests hold, the prefix cache, and the host's memory behind both."""

from __future__ import annotations

from jevons.serving.sim._kernels.state import (
    ABSENT,
    BLOCK,
    BLOCKS,
    HOST_BLOCKS,
    HOST_IDLE,
    HOSTED,
    IDLE,
    ISL,
    KEYS,
    ON_HOST,
    PERIOD,
    REQUEST,
    SHARED,
    USED,
    IntArray,
    Slots,
    Work,
    inline,
    rare,
)


@inline
def fill_of(limits: IntArray, tokens: int) -> int:
    """Return cached tokens in decode steps: whole blocks of *period* steps, the room left rounded down to steps."""
    block, period = limits[BLOCK], limits[PERIOD]
    if period == block:
        return tokens
    blocks = (tokens + block - 1) // block
    return blocks * period - (blocks * block - tokens) * period // block


@inline
def hashed_blocks(work: Work, request: int, block_tokens: int) -> int:
    """Return how many whole blocks of a prompt have hashes."""
    return min(
        int(work.hash_start[request + 1] - work.hash_start[request]), int(work.rows[ISL, request] // block_tokens)
    )


@inline
def drop_link(slots: Slots, key: int) -> None:
    """Take a block out of the list it is in."""
    slots.links[1, slots.links[0, key]] = slots.links[1, key]
    slots.links[0, slots.links[1, key]] = slots.links[0, key]


@inline
def link_last(slots: Slots, key: int, head: int) -> None:
    """Make a block the most recently used of a list."""
    last = slots.links[0, head]
    slots.links[1, last], slots.links[0, key] = key, last
    slots.links[1, key], slots.links[0, head] = head, key


@inline
def hold(state: IntArray, slots: Slots, key: int) -> None:
    """Take hold of a block of the prefix cache, fetched from the host where it is there."""
    if slots.holders[key] <= 0:
        if slots.holders[key] == 0:
            state[IDLE] -= 1
            drop_link(slots, key)
        elif slots.holders[key] == ON_HOST:
            state[HOST_IDLE] -= 1
            drop_link(slots, key)
        state[USED] += 1
        slots.holders[key] = 0
    slots.holders[key] += 1


@inline
def share(state: IntArray, slots: Slots, work: Work, slot: int, block_tokens: int) -> None:
    """Put a computed prompt's blocks into the prefix cache, dropping copies of those that another put there first."""
    request = slots.rows[REQUEST, slot]
    start, full = work.hash_start[request], hashed_blocks(work, request, block_tokens)
    for index in range(start + slots.rows[SHARED, slot], start + full):
        hold(state, slots, work.hashes[index])
        state[USED] -= 1
    slots.rows[SHARED, slot] = full


@inline
def release(state: IntArray, slots: Slots, work: Work, slot: int, blocks: int, limits: IntArray) -> None:
    """Give back a request's blocks; those of the prefix cache stay until others need them, the last first."""
    shared = slots.rows[SHARED, slot]
    state[USED] -= blocks - shared
    start = work.hash_start[slots.rows[REQUEST, slot]]
    for index in range(start + shared - 1, start - 1, -1):
        key = work.hashes[index]
        slots.holders[key] -= 1
        if slots.holders[key] == 0:
            link_last(slots, key, limits[KEYS])
            state[IDLE] += 1
            state[USED] -= 1
    slots.rows[SHARED, slot] = 0


@inline
def make_host_room(state: IntArray, slots: Slots, limits: IntArray) -> None:
    """Drop unused blocks of the prefix cache on the host, the least recently used first, until all fit."""
    head = limits[KEYS] + 1
    while state[HOSTED] + state[HOST_IDLE] > limits[HOST_BLOCKS]:
        key = slots.links[1, head]
        drop_link(slots, key)
        slots.holders[key] = ABSENT
        state[HOST_IDLE] -= 1


@rare
def evict(state: IntArray, slots: Slots, limits: IntArray) -> None:
    """Move unused blocks of the prefix cache to the host, the least recently used first, until all fit."""
    head = limits[KEYS]
    while state[USED] + state[IDLE] > limits[BLOCKS]:
        key = slots.links[1, head]
        drop_link(slots, key)
        state[IDLE] -= 1
        if limits[HOST_BLOCKS] > 0:
            slots.holders[key] = ON_HOST
            link_last(slots, key, head + 1)
            state[HOST_IDLE] += 1
            make_host_room(state, slots, limits)
        else:
            slots.holders[key] = ABSENT
