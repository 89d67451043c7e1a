"""The shipped architectures as a list, and what follows from one of them, as results."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from jevons.facts.support import support_of
from jevons.models.spec import ModelSpec
from jevons.models.types import Attention, LayerGroup
from jevons.results import Cell, Column, ListResult, Result, Table, number, table
from jevons.words import Sentence

_FEW = 16
"""Rows of a list that a terminal shows where no details are asked for."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelsResult(ListResult):
    """What `jevons.models.list` returns.

    Parameters
    ----------
    specs : tuple of ModelSpec
        By name.
    """

    kind: ClassVar[str] = "models"

    specs: tuple[ModelSpec, ...]

    def _listed(self) -> dict[str, ModelSpec]:
        return {spec.name: spec for spec in self.specs}

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many there are, and how to bring one's own."""
        return (Sentence("models.count", {"count": f"{len(self.specs)}"}),)

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column("name", "model"),
            Column("parameters_total", "parameters", "bn", scale=1e-9, form=",.2f"),
            Column("parameters_active", "active", "bn", scale=1e-9, form=",.2f"),
            Column("kv_bytes_per_token", "KV cache", "KiB/token", scale=2.0**-10),
            Column("flop_per_token", "work", "GFLOP/token", scale=1e-9, detail=True),
            Column("max_context", "context", "tokens", detail=True),
            Column("architecture", "architecture", detail=True),
            Column("figures", "figures"), Column("error_frac", "median error", "%", scale=100.0),
        )  # fmt: skip
        rows = [
            (
                s.name, s.parameters_total, s.parameters_active, s.kv_bytes_per_token(), s.flop_per_token(),
                s.max_context, s.architecture, support.figures, support.error_frac,
            )
            for s, support in sorted(
                ((s, support_of("models", s.name)) for s in self.specs), key=lambda pair: -pair[1].figures
            )
        ]  # fmt: skip
        yield table("models", "Architectures on file, best validated first", columns, rows, most=_FEW)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {"answer": self.answer, "models": self.tables["models"].records()}


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelResult(Result):
    """What `jevons.models.show` returns.

    Parameters
    ----------
    spec : ModelSpec
        The architecture.
    """

    kind: ClassVar[str] = "model"
    subject: ClassVar[str] = "spec"

    spec: ModelSpec

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Size, cache and work per token."""
        spec = self.spec
        total, active = spec.parameters_total, spec.parameters_active
        values = {
            "name": spec.name, "architecture": spec.architecture, "total": number(total / 1e9),
            "active": f"{active / 1e9:.3g}" if spec.is_moe else None, "total_yi": number(total / 1e8),
            "active_yi": f"{active / 1e8:.4g}" if spec.is_moe else None,
            "cache": f"{spec.kv_bytes_per_token() / 1024:,.3g}", "work": f"{spec.flop_per_token() / 1e9:,.3g}",
        }  # fmt: skip
        return (Sentence("models.one", values),)

    def _tables(self) -> Iterator[Table]:
        spec = self.spec
        columns = (Column("quantity", "quantity"), Column("value", "value", form=",.4g"), Column("unit", "unit"))
        rows: list[tuple[Cell, ...]] = [
            ("Parameters, total", spec.parameters_total / 1e9, "bn"),
            ("Parameters, active per token", spec.parameters_active / 1e9, "bn"),
            ("Weights as shipped", spec.weight_bytes() / 1e9, "GB"),
            ("Precision of the weights", _precision_text(spec), ""),
            ("Precision of the KV cache", spec.kv_precision, ""),
            ("KV cache per token", spec.kv_bytes_per_token() / 2**10, "KiB"),
            ("State per sequence", spec.state_bytes_per_sequence() / 2**20, "MiB"),
            ("Work per token, without context", spec.flop_per_token() / 1e9, "GFLOP"),
            ("Longest context", spec.max_context, "tokens"),
        ]
        yield table("model", f"Architecture of {spec.name}", columns, rows)
        heads = (
            Column("attention", "attention"), Column("feed_forward", "feed-forward"), Column("count", "layers"),
            Column("inner", "inner size"), Column("experts", "experts"),
            Column("experts_per_token", "experts per token"),
        )  # fmt: skip
        layers = [_layer_record(group) for group in spec.layers]
        yield table("layers", "Layers", heads, [tuple(layer[c.name] for c in heads) for layer in layers])

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        spec = self.spec
        return {
            "answer": self.answer, "name": spec.name, "architecture": spec.architecture, "hidden": spec.hidden,
            "vocab": spec.vocab, "max_context": spec.max_context, "parameters_total": spec.parameters_total,
            "parameters_active": spec.parameters_active, "kv_bytes_per_token": spec.kv_bytes_per_token(),
            "state_bytes_per_sequence": spec.state_bytes_per_sequence(), "weight_bytes": spec.weight_bytes(),
            "flop_per_token": spec.flop_per_token(),
            "weight_precision": dataclasses.asdict(spec.weight_precision), "kv_precision": spec.kv_precision,
            "warnings": list(spec.warnings), "layers": [_layer_record(group) for group in spec.layers],
        }  # fmt: skip


def described(spec: ModelSpec) -> ModelResult:
    """Return a model as the result that describes it."""
    return ModelResult(spec=spec)


def _layer_record(group: LayerGroup) -> dict[str, Any]:
    feed = group.feed_forward
    return {
        "count": group.count, "attention": _attention_text(group.attention), "feed_forward": feed.kind,
        "inner": feed.hidden_inner or feed.expert_inner, "experts": feed.experts,
        "experts_per_token": feed.experts_per_token,
    }  # fmt: skip


def _attention_text(attention: Attention) -> str:
    """Return kind, heads and head size in one word each, and what of the context a layer keeps where not all."""
    text = f"{attention.kind} {attention.heads}q/{attention.kv_heads}kv x {attention.head_dim}"
    if attention.window:
        text += f", window {attention.window:,}"
    if attention.compression.stride > 1:
        text += f", one entry for {attention.compression.stride} tokens"
    if attention.indexer.topk:
        text += f", top {attention.indexer.topk:,}"
    return text + (", Mamba beside" if attention.mixer.inner else "")


def _precision_text(spec: ModelSpec) -> str:
    """Return the precision of most matrices, and that of the other classes which the model has, where it differs."""
    stored = dataclasses.asdict(spec.weight_precision)
    present = {
        "experts": spec.is_moe,
        "shared": any(group.feed_forward.shared_inner for group in spec.layers),
        "mixers": any(group.attention.mixer.parameters for group in spec.layers),
        "attention": any(group.attention.heads and not group.attention.mixer.parameters for group in spec.layers),
        "outputs": stored["outputs"] != stored["attention"],
        "dense": any(group.feed_forward.hidden_inner for group in spec.layers),
        "head": not spec.tied_embeddings,
    }
    first = "experts" if spec.is_moe else "dense" if present["dense"] else "mixers"
    others = [f"{name} {kind}" for name, kind in stored.items() if present.get(name, True) and kind != stored[first]]
    return ", ".join([stored[first], *others])
