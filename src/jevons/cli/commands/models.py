"""`jevons models`: the shipped model configurations and what follows from one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jevons.cli.options import Json, Out
from jevons.cli.output import emit, note, table
from jevons.results import number

if TYPE_CHECKING:
    from jevons.models import Attention, ModelSpec

models_app = typer.Typer(help="Read model architectures from config.json files.", no_args_is_help=True)


@models_app.command("list")
def models_list(json: Json = False, out: Out = None) -> None:
    """List the shipped architectures."""
    from jevons import models

    specs = [models.load(name) for name in models.names()]
    records: list[dict[str, Any]] = [
        {
            "name": spec.name, "architecture": spec.architecture, "parameters_total": spec.parameters_total,
            "parameters_active": spec.parameters_active, "kv_bytes_per_token": spec.kv_bytes_per_token(),
            "flop_per_token": spec.flop_per_token(), "max_context": spec.max_context,
        }
        for spec in specs
    ]  # fmt: skip
    rows = [
        (
            str(r["name"]), str(r["architecture"]), f"{r['parameters_total'] / 1e9:,.2f}",
            f"{r['parameters_active'] / 1e9:,.2f}", r["kv_bytes_per_token"] / 1024, r["flop_per_token"] / 1e9,
            r["max_context"],
        )
        for r in records
    ]  # fmt: skip
    columns = (
        "model",
        "architecture",
        "total [10^9]",
        "active [10^9]",
        "KV [KiB/token]",
        "work [GFLOP/token]",
        "context [token]",
    )
    emit({"models": records}, [table("shipped models", columns, rows, text_columns=2)], as_json=json, out=out)


@models_app.command("show")
def models_show(
    model: Annotated[str, typer.Argument(help="Shipped name or path of a config.json.")],
    json: Json = False,
    out: Out = None,
) -> None:
    """Show parameters, cache and work per token of a model."""
    from jevons import models

    spec = models.load(model)
    record: dict[str, Any] = {
        "name": spec.name, "architecture": spec.architecture, "hidden": spec.hidden, "vocab": spec.vocab,
        "max_context": spec.max_context, "parameters_total": spec.parameters_total,
        "parameters_active": spec.parameters_active, "kv_bytes_per_token": spec.kv_bytes_per_token(),
        "state_bytes_per_sequence": spec.state_bytes_per_sequence(), "weight_bytes": spec.weight_bytes(),
        "flop_per_token": spec.flop_per_token(), "weight_precision": dataclasses.asdict(spec.weight_precision),
        "kv_precision": spec.kv_precision, "warnings": list(spec.warnings),
    }  # fmt: skip
    for doubt in spec.warnings:
        note(f"warning: {doubt}")
    layers = [
        {
            "count": group.count,
            "attention": _attention_text(group.attention),
            "feed_forward": group.feed_forward.kind,
            "inner": group.feed_forward.hidden_inner or group.feed_forward.expert_inner,
            "experts": group.feed_forward.experts,
            "experts_per_token": group.feed_forward.experts_per_token,
        }
        for group in spec.layers
    ]
    totals = table(
        spec.name,
        ("quantity", "value", "unit"),
        [
            ("parameters, total", f"{spec.parameters_total / 1e9:,.3f}", "10^9"),
            ("parameters, active per token", f"{spec.parameters_active / 1e9:,.3f}", "10^9"),
            ("weights as shipped", f"{spec.weight_bytes() / 1e9:,.1f}", "GB"),
            ("precision of the weights", _precision_text(spec), ""),
            ("precision of the KV cache", spec.kv_precision, ""),
            ("KV cache per token", number(float(spec.kv_bytes_per_token())), "bytes"),
            ("state per sequence", number(float(spec.state_bytes_per_sequence())), "bytes"),
            ("work per token, no context", f"{spec.flop_per_token() / 1e9:,.2f}", "GFLOP"),
            ("longest context", number(spec.max_context), "tokens"),
        ],
        text_columns=1,
    )
    rows = [
        (f"{r['count']} x", r["attention"], r["feed_forward"], r["inner"], r["experts"], r["experts_per_token"])
        for r in layers
    ]
    shape = table("layers", ("", "attention", "feed-forward", "inner", "experts", "per token"), rows, text_columns=3)
    emit(record | {"layers": layers}, [totals, shape], as_json=json, out=out)


def _attention_text(attention: Attention) -> str:
    """Return kind, heads and head size in one word each, and what of the context a layer keeps where not all."""
    text = f"{attention.kind} {attention.heads}q/{attention.kv_heads}kv x {attention.head_dim}"
    if attention.window:
        text += f", window {attention.window:,}"
    if attention.stride > 1:
        text += f", one entry for {attention.stride} tokens"
    if attention.sparse_topk:
        text += f", top {attention.sparse_topk:,}"
    return text + (", Mamba beside" if attention.mixer_inner else "")


def _precision_text(spec: ModelSpec) -> str:
    """Return the precision of most matrices, and that of the other classes which the model has, where it differs."""
    stored = dataclasses.asdict(spec.weight_precision)
    present = {
        "experts": spec.is_moe,
        "shared": any(group.feed_forward.shared_inner for group in spec.layers),
        "mixers": any(group.attention.mixer_parameters for group in spec.layers),
        "attention": any(group.attention.heads and not group.attention.mixer_parameters for group in spec.layers),
        "dense": any(group.feed_forward.hidden_inner for group in spec.layers),
        "head": not spec.tied_embeddings,
    }
    first = "experts" if spec.is_moe else "dense" if present["dense"] else "mixers"
    others = [f"{name} {kind}" for name, kind in stored.items() if present.get(name, True) and kind != stored[first]]
    return ", ".join([stored[first], *others])
