"""The help of a command speaks of its flags, not of arguments in Python."""

import re

from jevons.api.compare import compare
from jevons.api.plan import plan
from jevons.api.simulate import simulate
from jevons.cli.build import command


def test_help_names_flags_and_arguments_of_the_command():
    assert "--rate, --rate-stages, --concurrency" in command(simulate).__doc__
    assert "Without B, B is A with the changes of --set" in " ".join(
        command(compare, arguments=("a", "b")).__doc__.split()
    )
    about = command(plan, arguments=("scenario",)).__doc__
    assert re.search("processes|progress", about) is None
