"""Which deployments can run the steps of their prompts as captured graphs."""

from __future__ import annotations

import math

from jevons.facts.per_facts import per_facts
from jevons.operators.engines import engine_number
from jevons.serving.engine_factors import EngineFactors
from jevons.serving.types import Deployment


def captured_tokens(engine: EngineFactors, most: float) -> float:
    """Return the prompt tokens of the largest step that runs as captured graphs; *most* as of `captured_most`."""
    own = 0.0 if engine.eager else engine.host.captured_tokens
    return min(own, most) if engine.host.captures_text_alone else own


def captured_most(deployment: Deployment) -> float:
    """Return the prompt tokens of the largest step that is captured for plain models of text alone.

    Notes
    -----
    None is where the model reads images, chooses the tokens that it attends to, or drafts, where attention ranks are
    data-parallel or layers lie on stages, and on devices of other makers than NVIDIA. Models with a compressed cache
    have a limit of their own, fact ``captured_latent_tokens`` of the engine; others have none.
    """
    name, model, layout = deployment.engine.name, deployment.model, deployment.layout
    attentions = [group.attention for group in model.layers]
    apart = layout.dp > 1 or layout.pp > 1 or deployment.draft_tokens > 0
    chooses = any(attention.indexer.heads for attention in attentions)
    if apart or chooses or model.vision_parameters > 0 or deployment.accelerator.vendor != "NVIDIA":
        return 0.0
    latent = any(attention.kind == "mla" for attention in attentions)
    return (_latent_tokens(name) or math.inf) if latent else math.inf


def in_pools(engine: EngineFactors) -> EngineFactors:
    """Return an engine as it runs on workers that process prompts alone, where it may capture no prompts."""
    return engine.replace(captured_tokens=0.0) if engine.host.captures_text_alone else engine


@per_facts(64)
def _latent_tokens(name: str) -> float | None:
    return engine_number(name, "captured_latent_tokens")
