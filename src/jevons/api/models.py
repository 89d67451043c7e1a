"""`jevons.models.list` and `jevons.models.show`: architectures read from config.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from jevons import options as o

if TYPE_CHECKING:
    from jevons.models.result import ModelResult, ModelsResult


@o.declared
def list_() -> ModelsResult:
    """List the shipped architectures: parameters, KV cache and work per token, context.

    Returns
    -------
    ModelsResult
        A row for each model.

    Raises
    ------
    InputError
        If a shipped config.json cannot be read.

    Examples
    --------
    >>> import jevons
    >>> "qwen3-32b" in jevons.models.list().tables["models"].column("name")
    True
    """
    from jevons import models
    from jevons.models.result import ModelsResult

    return ModelsResult(specs=tuple(models.load(name) for name in models.names()))


@o.declared
def show(model: Annotated[str, o.MODEL]) -> ModelResult:
    """Show parameters, KV cache, work per token and layers of a model.

    Returns
    -------
    ModelResult
        With the architecture as `.spec`.

    Raises
    ------
    InputError
        If the name is unknown, or the config.json cannot be read.

    Examples
    --------
    >>> import jevons
    >>> jevons.models.show("llama-3.1-8b").spec.parameters_total
    8030261248
    """
    from jevons import models
    from jevons.models.result import ModelResult

    return ModelResult(spec=models.load(model))
