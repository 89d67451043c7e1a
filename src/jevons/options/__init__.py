"""The options of functions and commands, each declared once: meaning, unit, bounds, and how text becomes a value.

A public function states its options in its signature, ``rate: Annotated[float | None, RATE] = None``. `declared` checks
and parses what a caller gives and writes the parameters into the docstring; `jevons.cli.build` makes the command of the
same name from the same signature. Messages name an option as ``--max-num-seqs``; to callers of the library they name
the argument, ``max_num_seqs``.

Options that several functions share stand in a group, a ``TypedDict``: a function has all of them by
``**server: Unpack[Server]``. The files of options are named for what they are about: `machine`, `load`, `fleet`,
`money`, `training`, `run`.
"""

from jevons.options.declare import answered as answered
from jevons.options.declare import as_argument as as_argument
from jevons.options.declare import call_parsed as call_parsed
from jevons.options.declare import declared as declared
from jevons.options.declare import parameters as parameters
from jevons.options.fleet import *
from jevons.options.load import *
from jevons.options.machine import *
from jevons.options.money import *
from jevons.options.option import Declared as Declared
from jevons.options.option import Default as Default
from jevons.options.option import Option as Option
from jevons.options.parse import *
from jevons.options.run import *
from jevons.options.training import *
