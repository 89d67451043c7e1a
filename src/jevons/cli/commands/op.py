"""`jevons op`: the time of one operator, its interval and what bounds it; and what fills a device's memory."""

from __future__ import annotations

from collections.abc import Callable

import typer

from jevons import operators
from jevons.api.memory import memory
from jevons.cli.build import command
from jevons.cli.words import Group
from jevons.results import Result

op_app = typer.Typer(cls=Group, help="Time one operator on one kind of accelerator.", no_args_is_help=True)

_COMMANDS: dict[str, tuple[Callable[..., Result], tuple[str, ...]]] = {
    "gemm": (operators.gemm, ("m", "n", "k")),
    "attention": (operators.attention, ("batch", "tokens")),
    "mla": (operators.mla, ("batch", "tokens")),
    "moe": (operators.moe, ("tokens",)),
    "allreduce": (operators.all_reduce, ("message",)),
    "allgather": (operators.all_gather, ("message",)),
    "reducescatter": (operators.reduce_scatter, ("message",)),
    "alltoall": (operators.all_to_all, ("message",)),
    "sendrecv": (operators.point_to_point, ("message",)),
}
_ALSO = {
    "all-reduce": "allreduce", "all-gather": "allgather", "reduce-scatter": "reducescatter", "all-to-all": "alltoall",
    "point-to-point": "sendrecv",
}  # fmt: skip

for name, (function, arguments) in _COMMANDS.items():
    op_app.command(name)(command(function, arguments=arguments))
op_app.command("memory")(command(memory, arguments=()))
for other, name in _ALSO.items():
    function, arguments = _COMMANDS[name]
    op_app.command(other, hidden=True)(command(function, arguments=arguments))
