"""What load tests offer, and what their clients see: lengths, loads, pools of workers, outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jevons.serving.step import StepWork
from jevons.serving.types import Deployment, FloatArray

_LONGEST = 12.0  # medians


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How many tokens prompts or answers have.

    Parameters
    ----------
    mean : float
        Mean tokens, >= 1.
    spread : float
        Half-width of a uniform distribution over the mean, in [0, 1]; 0 for all equal.
    sigma : float
        Spread of the logarithm of a lognormal distribution, which then replaces the uniform one.
    most : float
        Longest length of that distribution: longer ones were left out; 0 for none.
    """

    mean: float
    spread: float = 0.0
    sigma: float = 0.0
    most: float = 0.0

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return *count* whole lengths whose mean is the stated one, one from each quantile, in random order."""
        share = (np.arange(count) + 0.5) / count
        if self.sigma > 0.0:
            relative = _lognormal(share, self.sigma, self.most / self.mean)
        else:
            relative = 1.0 + self.spread * (2.0 * share - 1.0)
        lengths: FloatArray = np.maximum(np.round(self.mean * relative), 1.0)
        return rng.permutation(lengths) if self.spread or self.sigma else lengths


def _lognormal(share: FloatArray, sigma: float, most: float) -> FloatArray:
    """Return the quantiles of lognormal lengths over their mean; those above *most* (0 for none) are left out."""
    from scipy.special import ndtr, ndtri

    relative: FloatArray
    if most <= 1.0:
        relative = np.minimum(np.exp(sigma * ndtri(share)), _LONGEST)
        return relative / float(relative.mean())
    low, high = np.log(1.0 / most), 20.0  # logarithm of the median over the mean, as of the lengths that were left in
    for _ in range(60):
        middle = (low + high) / 2.0
        below = ndtr((np.log(most) - middle) / sigma)
        relative = np.exp(middle + sigma * ndtri(share * below))
        low, high = (middle, high) if relative.mean() < 1.0 else (low, middle)
    return relative / float(relative.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests offered to one instance.

    Parameters
    ----------
    isl, osl : Lengths
        Tokens of prompts and of answers.
    requests : int
        How many in all, >= 1.
    users : int
        Closed loop: as many requests are out at once; 0 for none.
    rate_per_s : float
        Open loop: Poisson arrivals; 0 for all at once.
    span_frac : float
        Time from the first arrival of an open loop to the last over that of the stated rate.
    static : bool
        One batch without continuous batching: all prompts in one go, then decode steps of the full batch.
    poll_steps : int
        The scheduler looks for new requests every so many steps while others decode; 0 or 1 for every step.
    wait_steps : int
        Prompts wait up to so many steps for others to come together with, until they fill *wait_frac* of a step.
    wait_frac : float
        Share of a step's prompt tokens.
    stream_tokens : int
        Tokens that the server sends at a time after the first, which comes alone.
    served : bool
        Whether requests come through a server's front end, or straight from a harness in the same process.
    represents : int
        Requests of a longer closed loop that this one stands for: in means over requests, those after the first wave
        of users count for the missing ones too. 0 for none.
    distinct_prompts : int
        Prompts that the client has: requests beyond so many repeat one, which the prefix cache holds but for its last
        token. 0 where each request has its own.
    sent_before : bool
        Whether an earlier run sent all of these prompts to the same server, whose prefix cache still has them where it
        holds a whole run.
    warmed_up : bool
        Whether means and percentiles leave out the first wave of a closed loop.
    first_stall_s : float
        Time by which the first wave of a closed loop waits, for kernels to be compiled [s].
    lags : bool or None
        Whether the engine composes a step as the one before begins; None for what today's version does.
    admit_more_s : float
        Time that the front end spends on each request beyond what the engine's factors say [s].
    token_s : float
        Time that the front end spends on each token that it streams [s].
    """

    isl: Lengths
    osl: Lengths
    requests: int
    users: int = 0
    rate_per_s: float = 0.0
    span_frac: float = 1.0
    static: bool = False
    poll_steps: int = 0
    wait_steps: int = 0
    wait_frac: float = 0.0
    stream_tokens: int = 1
    served: bool = True
    represents: int = 0
    distinct_prompts: int = 0
    sent_before: bool = False
    warmed_up: bool = False
    first_stall_s: float = 0.0
    lags: bool | None = None
    admit_more_s: float = 0.0
    token_s: float = 0.0

    @property
    def most(self) -> int:
        """Most requests that can be out at once."""
        return min(self.users, self.requests) if self.users else self.requests

    def known_prompts(self, kv_tokens: float) -> bool:
        """Return whether a cache of so many tokens still knows all prompts from an earlier run.

        Blocks that were used longest ago go first. A run that comes again in the same order finds all of them or, where
        the cache is smaller than the run, none.
        """
        return self.sent_before and self.requests * (self.isl.mean + self.osl.mean) <= kv_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """How many instances process prompts, and how many decode, where the two are apart.

    Parameters
    ----------
    prefill : Deployment
        Of the instances that process prompts.
    prefill_workers, decode_workers : int
        Instances of each kind.
    prefill_batch : int
        Prompts that one attention rank takes in a step; 0 for as many as its tokens allow.
    prefill_seats : int
        Prompts that one attention rank holds, from their first step until their cache is with the decode worker; 0 for
        no limit.
    frontends : int
        Front ends behind one address, each with a router of its own, >= 1.
    """

    prefill: Deployment
    prefill_workers: int
    decode_workers: int
    prefill_batch: int = 0
    prefill_seats: int = 0
    frontends: int = 1

    @property
    def workers(self) -> tuple[int, int]:
        """Prefill and decode workers."""
        return self.prefill_workers, self.decode_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a benchmark client sees.

    Parameters
    ----------
    ttft_s, tpot_s, itl_s, e2e_s : dict of str to float
        ``mean``, ``p50``, ``p90``, ``p95``, ``p99`` over requests (``itl_s``: over gaps between what comes at a time,
        be it one token, those of a step with drafts or the server's stream interval).
    duration_s : float
        From the first arrival to the last token.
    requests_per_s, output_tok_per_s, input_tok_per_s : float
        Of the whole run, its start and its end included.
    steady_output_tok_per_s : float
        While the machine is full: without the tail after the last request has started.
    batch : float
        Mean requests decoding at once.
    """

    ttft_s: dict[str, float]
    tpot_s: dict[str, float]
    itl_s: dict[str, float]
    e2e_s: dict[str, float]
    duration_s: float
    requests_per_s: float
    output_tok_per_s: float
    input_tok_per_s: float
    steady_output_tok_per_s: float
    batch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Operators' time of the steps that a load needs, ready for any engine factors.

    Built once by `surface`; `outcome` may then be asked again and again with other factors. Steps with prompts lie over
    prompt *tokens* (of the whole instance; of its busiest attention rank in a pool for prompts) and what goes on
    *beside* them: requests that decode, or, in such a pool, the share of the other ranks' work in that of the busiest.
    """

    deployment: Deployment
    load: Load
    pools: Pools | None
    batches: FloatArray
    contexts: tuple[float, float]
    tokens: FloatArray
    beside: FloatArray
    decode: StepWork
    prompts: StepWork
    kv_tokens: float
