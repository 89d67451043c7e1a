"""Draws of the uncertain amounts: Latin hypercube, correlated ranks, one named stream per amount."""

from __future__ import annotations

import zlib

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.study.scenario.scenario import Scenario

BAN = "hardware.devices.{}.ban"
"""Path of the event that a device's export ban comes, among the draws."""


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of that name; a new name never shifts another stream."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def latin_hypercube(seed: int, names: list[str], draws: int) -> Array:
    """Return uniform draws (draws, names), each column stratified, from the column's own stream."""
    uniform = np.empty((draws, len(names)))
    for column, name in enumerate(names):
        rng = stream(seed, name)
        uniform[:, column] = (rng.permutation(draws) + rng.random(draws)) / draws
    return uniform


def correlate(uniform: Array, names: list[str], pairs: dict[tuple[str, str], float], seed: int) -> Array:
    """Return *uniform* with columns reordered so that their rank correlations are those of *pairs*.

    Raises
    ------
    InputError
        If no joint distribution has these correlations; it says by how much to weaken them.

    References
    ----------
    Iman and Conover (1982), A distribution-free approach to inducing rank correlation among input variables.
    """
    if not pairs or uniform.shape[0] < 3:
        return uniform
    columns = sorted({names.index(name) for pair in pairs for name in pair})  # the others keep their order
    matrix = np.eye(len(columns))
    for (first, second), rank in pairs.items():
        i, j = columns.index(names.index(first)), columns.index(names.index(second))
        matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi * rank / 6)
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        shown = ", ".join(f"{a} ~ {b}: {rank:g}" for (a, b), rank in pairs.items())
        message = (
            f"study.correlations: no joint distribution has these rank correlations ({shown}): their matrix is not "
            f"positive definite. Weaken one of them, or multiply all by {weakest_factor(matrix):.2f} or less"
        )
        raise InputError(message) from None
    draws = uniform.shape[0]
    scores = np.stack([stream(seed, f"correlate:{names[c]}").permutation(draws) for c in columns], axis=1)
    target = _whitened(ndtri((scores + 0.5) / draws)) @ factor.T
    out = uniform.copy()
    for place, column in enumerate(columns):
        order = rankdata(target[:, place], method="ordinal").astype(int) - 1
        out[:, column] = np.sort(uniform[:, column])[order]
    return out


def weakest_factor(matrix: Array) -> float:
    """Return the largest factor, rounded down to hundredths, by which off-diagonals keep *matrix* positive definite.

    Notes
    -----
    ``I + f (M - I)`` has eigenvalues ``1 + f (lambda - 1)``: positive for f below ``1 / (1 - least lambda)``.
    """
    least = float(np.linalg.eigvalsh(matrix)[0])
    return 1.0 if least > 0 else float(np.floor(100.0 / (1.0 - least) - 1e-9) / 100.0)


def _whitened(normal: Array) -> Array:
    """Remove the chance correlation of a sample of scores, so that the induced one is exact for small samples."""
    centred = normal - normal.mean(axis=0)
    covariance = np.cov(centred, rowvar=False)
    try:
        return np.asarray(centred @ np.linalg.inv(np.linalg.cholesky(covariance)).T)
    except np.linalg.LinAlgError:
        return normal


def draw_amounts(scenario: Scenario, draws: int, seed: int) -> tuple[list[str], Array]:
    """Return the paths of the uncertain amounts and their drawn values (draws, paths).

    The last columns hold, for each device that may be barred, 1 where its ban comes and 0 where it does not.

    Notes
    -----
    An amount that is made certain keeps its place in correlations, so that its companions are drawn as without the
    change, and draws of two scenarios stay paired.
    """
    whole = scenario.amounts()
    amounts = {path: amount for path, amount in whole.items() if amount.uncertain}
    bans = [name for name, device in scenario.hardware.devices.items() if device.ban_from]
    names = [*amounts, *(BAN.format(name) for name in bans)]
    pairs = {c.between: c.rank.value for c in scenario.study.correlations if set(c.between) <= set(whole)}
    bound = {name for pair in pairs for name in pair}
    drawn = [path for path in whole if path in amounts or path in bound] + names[len(amounts) :]
    uniform = correlate(latin_hypercube(seed, drawn, draws), drawn, pairs, seed)
    uniform = uniform[:, [drawn.index(name) for name in names]]
    values = np.empty_like(uniform)
    for column, amount in enumerate(amounts.values()):
        values[:, column] = amount.quantile(uniform[:, column])
    for offset, name in enumerate(bans):
        path = f"hardware.devices.{name}.ban_probability"
        likely = (
            values[:, names.index(path)] if path in amounts else scenario.hardware.devices[name].ban_probability.value
        )
        column = len(amounts) + offset
        values[:, column] = uniform[:, column] < likely
    return names, values


def rank_correlations(names: list[str], values: Array, outcome: Array) -> list[tuple[str, float]]:
    """Return Spearman's correlation of each input with an outcome, strongest first; constant inputs are left out."""
    varied = np.flatnonzero(np.ptp(values, axis=0) > 0) if values.size else np.zeros(0, int)
    if not varied.size or np.ptp(outcome) == 0:
        return []
    ranks, others = rankdata(values[:, varied], axis=0), rankdata(outcome)
    ranks, others = ranks - ranks.mean(axis=0), others - others.mean()
    size = (others @ ranks) / np.sqrt((ranks**2).sum(axis=0) * (others**2).sum())
    correlations = [(names[column], float(each)) for column, each in zip(varied.tolist(), size, strict=True)]
    return sorted(correlations, key=lambda item: (-abs(item[1]), item[0]))
