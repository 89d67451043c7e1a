"""Published runs as outside checks: no factor is fitted to them. Terms were added since they were first read.

Their options and figures are facts (`training_run.*`); ``jevons train --run NAME`` repeats them. Run with ``-s`` to see
the errors.
"""

import pytest

import jevons
from jevons.api.train_options import runs


@pytest.mark.parametrize("name", ["deepseek-v3", "llama-3.1-405b-8k", "llama-3.1-405b"])
def test_published_runs_are_predicted_within_12_percent(name):
    (figure,) = jevons.train(run=name).published
    scale, unit = (1e-6, f"M {figure.unit}") if figure.published > 1e5 else (1.0, figure.unit)
    shown = f"{scale * figure.predicted:.3g} {unit} predicted, {scale * figure.published:.4g} published"
    print(f"{name}: {shown} ({figure.error:+.0%})")  # noqa: T201
    assert abs(figure.error) < 0.12


def test_every_run_on_file_is_checked():
    assert set(runs()) == {"deepseek-v3", "llama-3.1-405b", "llama-3.1-405b-8k"}
