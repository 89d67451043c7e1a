"""Formulas of the market: who finds a call worth its price, how adoption spreads, how list prices move.

References
----------
Bass (1969), A new product growth for model consumer durables, Management Science 15(5): adoption by innovation and
imitation. Lognormal task values: heterogeneity of willingness to pay, so that the elasticity of adoption is an outcome
(the hazard of the value distribution at the price) rather than a parameter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtr

from jevons.arrays import Array

_TINY = 1e-12


def adopting_frac(threshold_cur: ArrayLike, value_cur: ArrayLike, value_sigma: ArrayLike) -> Array:
    """Return the share of callers whose value per call exceeds a threshold.

    Parameters
    ----------
    threshold_cur : array
        Price of a call plus integration cost per call [currency], >= 0.
    value_cur, value_sigma : array
        Median and log standard deviation of the lognormal value, > 0.

    Returns
    -------
    ndarray
        In 0..1; 1 at a threshold of zero.
    """
    threshold = np.maximum(np.asarray(threshold_cur, float), _TINY)
    score = (np.log(threshold) - np.log(np.asarray(value_cur, float))) / np.asarray(value_sigma, float)
    return np.asarray(ndtr(-score))


def mean_value_cur(threshold_cur: ArrayLike, value_cur: ArrayLike, value_sigma: ArrayLike) -> Array:
    """Return the mean value of a call over those whose value exceeds a threshold [currency].

    Parameters
    ----------
    threshold_cur : array
        Price of a call plus integration cost per call, >= 0.
    value_cur, value_sigma : array
        Median and log standard deviation of the lognormal value, > 0.
    """
    sigma, median = np.asarray(value_sigma, float), np.asarray(value_cur, float)
    score = (np.log(np.maximum(np.asarray(threshold_cur, float), _TINY)) - np.log(median)) / sigma
    above = np.exp(log_ndtr(sigma - score) - log_ndtr(-score))
    return np.asarray(median * np.exp(sigma**2 / 2) * above)


def extensive_elasticity(
    price_cur: ArrayLike, integration_cur: ArrayLike, value_cur: ArrayLike, value_sigma: ArrayLike
) -> Array:
    """Return the elasticity of the adopting share to the price of a call, <= 0.

    Parameters
    ----------
    price_cur, integration_cur : array
        Price and integration cost per call [currency].
    value_cur, value_sigma : array
        Lognormal value.

    Notes
    -----
    ``-(p / (p + I)) phi(z) / (sigma (1 - Phi(z)))`` with ``z = (ln(p + I) - ln v) / sigma``: large where few find the
    call worth its price, and falling to zero as the price does.
    """
    price = np.maximum(np.asarray(price_cur, float), _TINY)
    threshold = price + np.asarray(integration_cur, float)
    sigma = np.asarray(value_sigma, float)
    score = (np.log(threshold) - np.log(np.asarray(value_cur, float))) / sigma
    density = np.exp(-0.5 * score**2) / np.sqrt(2 * np.pi)
    return np.asarray(-(price / threshold) * density / (sigma * np.maximum(ndtr(-score), 1e-300)))


def bass_step(adopted_frac: ArrayLike, bass_p: ArrayLike, bass_q: ArrayLike) -> Array:
    """Return the adopted share of the potential one quarter later.

    Parameters
    ----------
    adopted_frac : array
        Share at the start of the quarter, 0..1.
    bass_p, bass_q : array
        Innovation and imitation per quarter, >= 0.

    Notes
    -----
    The exact solution of ``dF/dt = (p + q F)(1 - F)`` over one quarter, so that no step overshoots.
    """
    share = np.clip(np.asarray(adopted_frac, float), 0.0, 1.0)
    p, q = np.asarray(bass_p, float), np.asarray(bass_q, float)
    decay = np.exp(-(p + q))
    # with g = (1 - F) / (p + q F), g decays exponentially
    ratio = (1.0 - share) / np.maximum(p + q * share, _TINY) * decay
    after = np.clip((1.0 - p * ratio) / (1.0 + q * ratio), 0.0, 1.0)
    return np.asarray(np.where(p + q * share > 0, np.maximum(after, share), share))


def posted_price(posted: ArrayLike, wanted: ArrayLike, step_frac: ArrayLike) -> Array:
    """Return the price on the list: it moves to the one wanted once the two differ by more than a step.

    Parameters
    ----------
    posted, wanted : array
        Price on the list, and the one that would be asked if changing it cost nothing; >= 0.
    step_frac : array
        Least change, as a share of the posted price, that is worth a new list, >= 0; with 0 every change is posted.

    Notes
    -----
    A menu cost as a band without action, in the manner of an (S, s) rule that returns to the target.

    References
    ----------
    Sheshinski and Weiss (1977), Inflation and costs of price adjustment, Review of Economic Studies 44(2).
    """
    listed, goal, step = np.asarray(posted, float), np.asarray(wanted, float), np.asarray(step_frac, float)
    return np.asarray(np.where(np.abs(goal - listed) > step * listed, goal, listed))


def next_price(price: ArrayLike, target: ArrayLike, inertia: ArrayLike) -> Array:
    """Return the posted price one quarter later: part of the gap to the target closes, in logarithms.

    Parameters
    ----------
    price, target : array
        Posted and target price, >= 0.
    inertia : array
        Share of the (logarithmic) gap that is left, 0..1.
    """
    before = np.log(np.maximum(np.asarray(price, float), _TINY))
    goal = np.log(np.maximum(np.asarray(target, float), _TINY))
    return np.asarray(np.exp(goal + (before - goal) * np.asarray(inertia, float)))
