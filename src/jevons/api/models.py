"""`jevons.models.list` and `jevons.models.show`: architectures read from config.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.api.reading import warn_of_file
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.models import ModelSpec
    from jevons.models.result import ModelResult, ModelsResult


@o.declared
def list_(words: Annotated[str, o.WORDS] = "") -> ModelsResult:
    """List the shipped architectures: parameters, KV cache and work per token, context.

    Returns
    -------
    ModelsResult
        A row for each model.

    Raises
    ------
    InputError
        If none has the words in its name, or a shipped config.json cannot be read.

    Examples
    --------
    >>> import jevons
    >>> "qwen3-32b" in jevons.models.list().tables["models"].column("name")
    True
    """
    from jevons import models
    from jevons.models.result import ModelsResult

    wanted = words.lower().split()
    names = [name for name in models.names() if all(word in name for word in wanted)]
    if not names:
        message = f"--words {words}: no model has these in its name; `jevons models list` shows all"
        raise InputError(message)
    return ModelsResult(specs=tuple(models.load(name) for name in names))


@o.declared
def model(model: Annotated[str, o.MODEL], *, name: str | None = None) -> ModelSpec:
    """Return one architecture: layers, parameters, and bytes and work per token.

    Returns
    -------
    ModelSpec
        With `.parameters_total`, `.parameters_active`, `.n_layers`, `.kv_bytes_per_token()`, `.weight_bytes()` and
        more; called by *name* where one is given.

    Raises
    ------
    InputError
        If the name is unknown, or the config.json cannot be read.

    Examples
    --------
    >>> import jevons
    >>> jevons.model("qwen3-32b")
    <qwen3-32b: 32.8 bn parameters, 32 bn active, KV 262,144 bytes/token, context 40,960 tokens>
    """
    from jevons import models

    warn_of_file(model)
    return models.load(model, name=name)


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

    warn_of_file(model)
    return ModelResult(spec=models.load(model))
