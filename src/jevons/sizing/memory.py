"""What fills an accelerator's memory when a model is served, and how many tokens its cache holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jevons import models
from jevons.checks import check_sum
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.intervals import SURE
from jevons.results import Column, Result, Table, number, table
from jevons.serving import Deployment, Layout, MemoryUse
from jevons.serving.calibration import engine_for
from jevons.serving.memory import (
    check_layout,
    draft_weight_bytes,
    kv_cache_tokens,
    max_concurrency,
    memory_plan,
    start_shortage,
)
from jevons.serving.memory_spread import cache_ends, cache_spread, start_chance
from jevons.serving.precisions import multiplied_in
from jevons.sizing.service import released, told
from jevons.words import Sentence

_PARTS = {
    "weights_bytes": "weights", "activations_bytes": "activations of the largest step",
    "other_bytes": "runtime context and communication buffers", "graphs_bytes": "captured graphs",
    "kv_bytes": "KV cache", "unused_bytes": "not for the engine to use",
}  # fmt: skip
_RESERVE = "runtime context, captured graphs and communication buffers"
_STEP = 1024


@dataclass(frozen=True, kw_only=True, repr=False)
class MemoryResult(Result):
    """What `jevons.memory` returns; all bytes are per accelerator of the fullest pipeline stage.

    Parameters
    ----------
    deployment : Deployment
        Model, accelerator, layout and engine.
    use : MemoryUse
        Parts of the memory.
    max_model_len : int
        Longest sequence [tokens].
    shortage : str
        Why it does not fit, with a remedy; empty where it does.
    """

    kind: ClassVar[str] = "memory"

    deployment: Deployment
    use: MemoryUse
    max_model_len: int
    shortage: str

    def check(self) -> None:
        """Check that the parts make up the device's memory, or more where a step or graphs do not fit beside them."""
        super().check()
        if self.use.kv_bytes >= 0:
            whole = max(self.deployment.accelerator.hbm_bytes, self.use.room_bytes + self._outside_bytes)
            check_sum("parts of the memory", self._bytes().values(), whole)

    @property
    def fits(self) -> bool:
        """Whether the engine starts: weights, work space and the cache that it asks for fit."""
        return not self.shortage

    @property
    def longest_request(self) -> int:
        """Tokens of the longest request that is served; 0 where it does not fit."""
        if not self.fits:
            return 0
        return self.max_model_len if self.max_concurrency >= 1.0 else min(self.kv_tokens, self.max_model_len)

    @property
    def kv_bytes(self) -> float:
        """KV cache [bytes]."""
        return max(self.use.kv_bytes, 0.0)

    @property
    def kv_tokens(self) -> int:
        """Cache of one attention rank in tokens, as the engine logs it."""
        return kv_cache_tokens(self.deployment)

    @property
    def max_concurrency(self) -> float:
        """Sequences of the greatest length that the cache of one attention rank holds at once."""
        return max_concurrency(self.deployment)

    @property
    def margin_frac(self) -> float:
        """Share of the cache's room that one sequence of the greatest length leaves; below zero where it does not fit.

        Without room for a cache: what is missing, over the device's memory.
        """
        if self.use.kv_bytes <= 0.0:
            return self.use.kv_bytes / self.deployment.accelerator.hbm_bytes
        return 1.0 - 1.0 / self.max_concurrency if self.max_concurrency > 0.0 else -1.0

    @property
    def p_fits(self) -> float:
        """Probability that the engine starts, given how far logged caches lie from predicted ones."""
        return start_chance(self.deployment, starts=self.fits)

    @property
    def tight(self) -> bool:
        """Whether it is predicted to start, but does not surely."""
        return self.fits and self.p_fits < SURE

    def ends(self) -> dict[str, tuple[float, float]]:
        """Return the ends of the 80 % interval of the cache: bytes, tokens and sequences of the greatest length."""
        return _ends(self.deployment, self.use)

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Whether it fits, and how many tokens the cache holds."""
        chance = {"chance": self.p_fits}
        if not self.fits:
            refusal = Sentence("memory.does_not_fit", {"why": self.shortage})
            return (refusal, *([Sentence("memory.may_fit", chance)] if self.p_fits > 1.0 - SURE else []))
        low, high = self.ends()["kv_tokens"]
        values = {
            "deployment": str(self.deployment), "kv": f"{self.kv_bytes / 1e9:.1f} GB", "tokens": self.kv_tokens,
            "least": number(low, 3), "most": number(high, 3), "longest": self.max_model_len,
            "concurrency": self.max_concurrency,
        }  # fmt: skip
        if self.longest_request < self.max_model_len:
            said = Sentence("memory.fits_shorter", {**values, "served": self.longest_request})
        else:
            said = Sentence("memory.fits", values)
        return (said, *([Sentence("memory.tight", chance)] if self.tight else []))

    @property
    def _outside_bytes(self) -> float:
        """Captured graphs that lie outside the engine's share."""
        return 0.0 if self.use.graphs_inside else self.use.graphs_bytes

    def _bytes(self) -> dict[str, float]:
        use, device = self.use, self.deployment.accelerator
        return {
            "weights_bytes": use.weights_bytes, "activations_bytes": use.activations_bytes,
            "other_bytes": use.reserved_bytes, "graphs_bytes": use.graphs_bytes, "kv_bytes": self.kv_bytes,
            "unused_bytes": max(device.hbm_bytes - use.room_bytes - self._outside_bytes, 0.0),
        }  # fmt: skip

    def _tables(self) -> Iterator[Table]:
        total = self.deployment.accelerator.hbm_bytes
        columns = (
            Column(name="part", label="part"),
            Column(name="bytes", label="memory", unit="GB", scale=1e-9),
            Column(name="share_frac", label="of the device", unit="%", scale=100.0),
        )
        labels = _PARTS if self._told_apart else {**_PARTS, "other_bytes": _RESERVE}
        if self.draft_bytes:
            labels = {**labels, "weights_bytes": f"weights, {self.draft_bytes / 1e9:.2f} GB of what drafts included"}
        shown = {name: value for name, value in self._bytes().items() if self._told_apart or name != "graphs_bytes"}
        rows = [(labels[name], value, value / total) for name, value in shown.items()]
        yield table("memory", f"Memory of one {self.deployment.accelerator.id}", columns, rows)

    @property
    def draft_bytes(self) -> float:
        """Weights of what drafts, part of all weights [bytes]; 0 without drafts."""
        return draft_weight_bytes(self.deployment)

    @property
    def _told_apart(self) -> bool:
        return self.deployment.engine.memory.paged

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object; graphs are null where ``other_bytes`` holds them."""
        return {
            **self.answer_record(), "model": self.deployment.model.name, "gpu": self.deployment.accelerator.id,
            "layout": str(self.deployment.layout), "engine": self.deployment.engine.name, **self._bytes(),
            "graphs_bytes": self.use.graphs_bytes if self._told_apart else None, "kv_tokens": self.kv_tokens,
            "max_model_len": self.max_model_len, "max_concurrency": self.max_concurrency,
            "longest_request": self.longest_request, "margin_frac": self.margin_frac, "draft_bytes": self.draft_bytes,
            **_certainty(self.deployment, self.use, starts=self.fits),
        }  # fmt: skip


def _ends(deployment: Deployment, use: MemoryUse) -> dict[str, tuple[float, float]]:
    both = cache_ends(deployment, use)
    return {
        "kv_bytes": (both[0].kv_bytes, both[1].kv_bytes),
        "kv_tokens": (kv_cache_tokens(deployment, both[0]), kv_cache_tokens(deployment, both[1])),
        "max_concurrency": (max_concurrency(deployment, use=both[0]), max_concurrency(deployment, use=both[1])),
    }


def _certainty(deployment: Deployment, use: MemoryUse, *, starts: bool) -> dict[str, Any]:
    """Return whether a server starts and how surely, and the 80 % interval of its cache and what that rests on."""
    spread, chance, ends = cache_spread(deployment), start_chance(deployment, starts=starts), _ends(deployment, use)
    return {
        "fits": starts, "tight": starts and chance < SURE, "p_fits": chance,
        **{f"{name}_low": low for name, (low, _) in ends.items()},
        **{f"{name}_high": high for name, (_, high) in ends.items()},
        "interval": {"nearness": spread.nearness, "rows": spread.rows, "why": spread.why},
    }  # fmt: skip


def memory_record(deployment: Deployment, tokens: int) -> dict[str, Any]:
    """Return the memory of one accelerator by part, tokens of its cache, concurrency at two lengths, and the fit.

    Also how surely it fits, and the 80 % interval of the cache, by the names that `MemoryResult` has in JSON.
    """
    use, paged = memory_plan(deployment), deployment.engine.memory.paged
    return {
        "weights_bytes": use.weights_bytes, "activations_bytes": use.activations_bytes,
        "other_bytes": use.reserved_bytes, "graphs_bytes": use.graphs_bytes if paged else None,
        "kv_bytes": max(use.kv_bytes, 0.0), "kv_tokens": kv_cache_tokens(deployment, use),
        "request_tokens": tokens, "request_concurrency": max_concurrency(deployment, tokens, use),
        "max_model_len": deployment.longest, "max_concurrency": max_concurrency(deployment, use=use),
        **_certainty(deployment, use, starts=not start_shortage(deployment)),
    }  # fmt: skip


def longest_told(deployment: Deployment, least: int) -> int:
    """Return the longest sequence that a server is told; 0 for the model's own, which its cache surely holds.

    The least cache of the 80 % interval holds it, unless the requests are longer.

    Parameters
    ----------
    deployment : Deployment
        The server.
    least : int
        Tokens of the requests, which it takes at any rate.
    """
    fewest, _ = cache_ends(deployment, memory_plan(deployment))
    tokens, longest = kv_cache_tokens(deployment, fewest), deployment.max_model_len
    if not longest and tokens < deployment.longest:
        longest = max(tokens // _STEP * _STEP, least)
    return longest


def start_note(deployment: Deployment) -> tuple[Sentence, ...]:
    """Return why the engine does not start so, with a remedy, or how surely it does; nothing where it surely does."""
    why = start_shortage(deployment)
    chance = {"chance": start_chance(deployment, starts=not why)}
    values = {"engine": deployment.engine.name, "gpu": deployment.accelerator.id}
    if not why:
        return () if chance["chance"] >= SURE else (Sentence("memory.tight_start", values | chance),)
    refusal = Sentence("memory.does_not_start", values | {"why": why})
    return (refusal, *([Sentence("memory.may_fit", chance)] if chance["chance"] > 1.0 - SURE else []))


_LOOKUP = {"ngram", "ngrams", "suffix", "lookup"}


def _drafter(name: str | None, tokens: int) -> models.ModelSpec | None:
    """Return the model that drafts, where one is named."""
    if name is None or name.lower() in _LOOKUP:
        return None
    if not tokens:
        message = f"--draft-model {name}: has no effect without --draft-tokens; add it"
        raise InputError(message)
    return models.load(name)


def memory_of(
    model: str,
    gpu: str,
    layout: Mapping[str, int],
    *,
    dp_attention: bool,
    precision: str,
    kv_precision: str,
    engine: str,
    engine_version: str,
    eager: bool,
    max_model_len: int | None,
    memory_frac: float | None,
    max_num_seqs: int | None,
    max_num_batched_tokens: int | None,
    calibration: Path | None,
    on: dt.date | None,
    draft_tokens: int = 0,
    draft_model: str | None = None,
    kv_tokens: int | None = None,
    changed: Iterable[tuple[str, float | str]] = (),
) -> MemoryResult:
    """Return what fills the memory of an accelerator.

    Raises
    ------
    InputError
        As `jevons.memory` says.
    """
    spec = models.load(model)
    degrees = Layout(**layout, dp_attention=dp_attention)
    if dp_attention and degrees.dp == 1:
        message = "--dp-attention: has no effect without --dp above 1; add it"
        raise InputError(message)
    check_layout(spec, degrees)
    device = accelerator(gpu, on=on)
    factors = engine_for(released(engine, engine_version), calibration, on)
    factors = told(factors, device, max_batch=max_num_seqs, step_tokens=max_num_batched_tokens, changed=changed)
    longest = max_model_len or spec.max_context
    if not longest:
        message = f"--max-model-len: {spec.name} states no context length; give one"
        raise InputError(message)
    if spec.max_context and longest > spec.max_context:
        message = (
            f"--max-model-len {longest}: must be at most the {spec.max_context:,} tokens that {spec.name} reads; "
            f"{spec.stretched_to(longest)}"
        )
        raise InputError(message)
    deployment = Deployment(
        model=spec, accelerator=device, layout=degrees, precision=precision, kv_precision=kv_precision,
        engine=factors, memory_frac=memory_frac, max_model_len=longest, eager=eager,
        draft_tokens=draft_tokens, drafter=_drafter(draft_model, draft_tokens),
        draft_by_lookup=(draft_model or "").lower() in _LOOKUP, kv_tokens=kv_tokens or 0,
    )  # fmt: skip
    if precision != "native":
        multiplied_in(deployment, precision)
    return MemoryResult(
        deployment=deployment,
        use=memory_plan(deployment),
        max_model_len=longest,
        shortage=start_shortage(deployment),
    )
