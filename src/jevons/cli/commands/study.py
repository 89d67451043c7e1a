"""`jevons study`: draws over the whole chain, grids over chosen inputs, and forecasts scored against outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from jevons.api import store, study
from jevons.cli.build import OUTPUT_ENDINGS, command
from jevons.cli.output import note
from jevons.cli.words import Group
from jevons.errors import InputError
from jevons.results import Result

study_app = typer.Typer(
    cls=Group,
    help="Draw, sweep and score: intervals, sensitivities, and forecasts against what happened.",
    no_args_is_help=True,
)

_NO_STORE = {"no_store": Annotated[bool, typer.Option("--no-store", help="Keep nothing on disk.", show_default=False)]}


def _with_store(given: dict[str, Any]) -> None:
    """Keep draws in the user's cache where no other folder is named, and nowhere where that is asked for."""
    if given.pop("no_store"):
        if given["store"] is not None:
            message = "--store and --no-store exclude each other; give one"
            raise InputError(message)
    elif given["store"] is None:
        from jevons.study.draws.places import default_store

        given["store"] = default_store()


def _of_store(result: Any) -> None:
    if result.draws.stored:
        note(f"{result.draws.stored} draws were in the store")


def _stored(function: Callable[..., Result], **how: Any) -> Callable[..., None]:
    """Return the command of a study whose finished draws are kept."""
    return command(
        function, arguments=("scenario",), endings=(*OUTPUT_ENDINGS, ".nc"), counted=True, also=_NO_STORE,
        before=_with_store, after=_of_store, **how,
    )  # fmt: skip


study_app.command("montecarlo")(_stored(study.montecarlo))
study_app.command("sweep")(_stored(study.sweep))
study_app.command("sensitivity")(_stored(study.sensitivity, plots=True))
study_app.command("foresight")(command(study.foresight, arguments=("scenario",), counted=True))
study_app.command("backtest")(command(study.backtest, arguments=("files",), counted=True, plots=True))
study_app.command("growth")(command(study.growth, arguments=("file",)))
study_app.command("yardsticks")(command(study.yardsticks))
study_app.command("open")(command(store.open_, arguments=("store",)))
study_app.command("prune")(command(store.prune, arguments=("store",)))
