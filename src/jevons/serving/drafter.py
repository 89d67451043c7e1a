"""What drafts for a model and its memory: layers of its own for further tokens, a one-layer head, another model."""

from __future__ import annotations

from dataclasses import replace

from jevons.facts import default_facts
from jevons.models import LayerGroup, ModelSpec
from jevons.models.types import FeedForward, WeightPrecision
from jevons.serving.types import Deployment


def _drafting(quantity: str) -> float:
    """Return what facts state of drafting heads."""
    return default_facts().get(f"drafting.{quantity}").number


def drafter_of(deployment: Deployment) -> ModelSpec | None:
    """Return the model that drafts: the one given, the model's own layers for further tokens, or a one-layer head."""
    if not deployment.draft_tokens or deployment.draft_by_lookup:
        return None
    if deployment.drafter is not None:
        return deployment.drafter
    model = deployment.model
    attending = [group for group in model.layers if group.attention.cached_elements_per_token]
    full = [group for group in attending if group.attention.window is None] or attending
    if not full:
        return None
    last = full[-1]
    if _own_layers(model):
        return replace(model, layers=(replace(last, count=_own_layers(model)),), mtp_layers=0)
    inner = max((g.feed_forward.hidden_inner for g in model.layers), default=0) or round(
        _drafting("inner_ratio") * model.hidden
    )
    head = LayerGroup(1, last.attention, FeedForward(kind="dense", hidden_inner=inner))
    return replace(model, layers=(head,), weight_precision=WeightPrecision(), vocab=int(_drafting("eagle3_vocab")))


def _own_layers(model: ModelSpec) -> int:
    """Return the layers for further tokens in a checkpoint; Qwen3-Next has one that its file does not count."""
    return model.mtp_layers or int(model.architecture.startswith("Qwen3Next"))


def joining_bytes(deployment: Deployment) -> float:
    """Return what a head has beside its layers on one device: the product that joins its inputs, and its own head.

    A drafting model has none of it. Embeddings are the target's.
    """
    model = deployment.model
    if not deployment.draft_tokens or deployment.draft_by_lookup or deployment.drafter is not None:
        return 0.0
    if _own_layers(model):
        return 2.0 * _drafting("mtp_states") * model.hidden**2 * _own_layers(model)
    head = _drafting("eagle3_vocab") * model.hidden / deployment.layout.tp
    return 2.0 * (_drafting("eagle3_states") * model.hidden**2 + head)


def as_deployment(deployment: Deployment, drafter: ModelSpec) -> Deployment:
    """Return the drafting model in its target's place: the same devices, its own weights as they are shipped."""
    precision = deployment.precision if drafter.weight_precision == deployment.model.weight_precision else "native"
    layout = replace(deployment.layout, pp=1, redundant_experts=deployment.layout.redundant_experts)
    if not drafter.is_moe:
        layout = replace(layout, ep=1, redundant_experts=0)
    return replace(
        deployment, model=drafter, draft_tokens=0, drafter=None, precision=precision, layout=layout
    )  # fmt: skip
