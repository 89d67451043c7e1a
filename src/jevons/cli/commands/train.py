"""`jevons train`: a training run on a cluster of one kind of accelerator."""

from __future__ import annotations

from jevons.api.train import train as function
from jevons.cli.build import command

train = command(function, plots=True)
