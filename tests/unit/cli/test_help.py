"""The help of a command speaks of its flags, not of arguments in Python."""

import re

import pytest
from typer.testing import CliRunner

from jevons.api.compare import compare
from jevons.api.plan import plan
from jevons.api.simulate import simulate
from jevons.cli.app import app
from jevons.cli.build import command


def test_help_names_flags_and_arguments_of_the_command():
    assert "--rate, --rate-stages, --concurrency" in command(simulate).__doc__
    assert "Without B, B is A with the changes of --set" in " ".join(
        command(compare, arguments=("a", "b")).__doc__.split()
    )
    about = command(plan, arguments=("scenario",)).__doc__
    assert re.search("processes|progress", about) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("size --qps 3", "--rate"),
        ("simulate --input-tokens 9", "--isl"),
        ("train --batch-size 9", "--batch"),
        ("size llama-3.1-8b h20", "options are named, such as --gpu NAME"),
    ],
)
def test_other_tools_words_are_answered_with_the_option(line, message):
    answer = CliRunner().invoke(app, line.split())
    assert answer.exit_code == 2
    assert message in answer.output
