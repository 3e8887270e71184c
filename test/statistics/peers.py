"""Answers on stdin's questions by scipy and statsmodels; JSON in, JSON out, one answer a question."""

from __future__ import annotations

import json
import sys

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import test_poisson_2indep


def exact_mcnemar(question: dict) -> dict:
    table = [[question["both"], question["onlyTreatment"]], [question["onlyReference"], question["neither"]]]
    return {"exactP": float(mcnemar(table, exact=True).pvalue), "midP": mid_p(table[0][1], table[1][0])}


def mid_p(one: int, other: int) -> float:
    """That of statsmodels where both are equal; it takes half of one side alone from any other, so there all outcomes are added up."""
    if one + other == 0:
        return 1.0
    if one == other:
        return float(test_poisson_2indep(one, 1, other, 1, method="cond-midp").pvalue)
    chances = stats.binom.pmf(np.arange(one + other + 1), one + other, 0.5)
    as_likely = np.isclose(chances, chances[one], rtol=1e-9, atol=0)
    rarer = (chances < chances[one]) & ~as_likely
    return float(chances[rarer].sum() + chances[as_likely].sum() / 2)


def wilson(question: dict) -> dict:
    low, high = proportion_confint(question["passed"], question["n"], alpha=question["alpha"], method="wilson")
    return {"low": float(low), "high": float(high)}


def holm(question: dict) -> dict:
    return {"adjusted": [float(p) for p in multipletests(question["p"], method="holm")[1]]}


def cluster(question: dict) -> dict:
    """Mean by least squares, and its error from the fits with each family left out."""
    values = np.concatenate([np.array(items, dtype=float) for items in question["families"]])
    groups = np.repeat(np.arange(len(question["families"])), [len(items) for items in question["families"]])


    def mean_of(kept: np.ndarray) -> float:
        return float(sm.OLS(values[kept], np.ones(kept.sum())).fit().params[0])

    mean = mean_of(groups >= 0)
    changes = [mean_of(groups != left_out) - mean for left_out in range(len(question["families"]))]
    error = float(np.sqrt(np.sum(np.square(changes))))
    half = stats.t.ppf(1 - question["alpha"] / 2, len(question["families"]) - 1) * error
    return {"difference": mean, "standardError": error, "low": mean - half, "high": mean + half}


def bca(question: dict) -> dict:
    sums = np.array([sum(items) for items in question["families"]], dtype=float)
    sizes = np.array([len(items) for items in question["families"]], dtype=float)
    interval = stats.bootstrap(
        (sums, sizes),
        lambda x, y, axis: x.sum(axis=axis) / y.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=question["resamples"],
        confidence_level=1 - question["alpha"],
        method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    return {"low": float(interval.low), "high": float(interval.high)}


def newcombe(question: dict) -> dict:
    """Method 10 by statsmodels' intervals of the two rates, and the correlation with its correction for continuity."""
    table = np.array([[question["both"], question["onlyTreatment"]], [question["onlyReference"], question["neither"]]])
    n = table.sum()
    treated, referred = table[0, 0] + table[0, 1], table[0, 0] + table[1, 0]
    bounds = [proportion_confint(count, n, alpha=question["alpha"], method="wilson") for count in (treated, referred)]
    determinant = np.linalg.det(table)
    if determinant > 0:
        determinant = max(determinant - n / 2, 0)
    margins = np.prod(table.sum(axis=0)) * np.prod(table.sum(axis=1))
    phi = determinant / np.sqrt(margins) if margins > 0 else 0.0

    def arm(x: float, y: float) -> float:
        return float(np.sqrt(max(0.0, np.array([x, -y]) @ np.array([[1, phi], [phi, 1]]) @ np.array([x, -y]))))

    difference = (treated - referred) / n
    low = difference - arm(treated / n - bounds[0][0], bounds[1][1] - referred / n)
    high = difference + arm(bounds[0][1] - treated / n, referred / n - bounds[1][0])
    return {"low": float(max(-1, low)), "high": float(min(1, high))}


def cost_ratio(question: dict) -> dict:
    """The logarithm's t interval from least squares on what each item adds to it, its error robust to families."""
    items = np.array([item for family in question["families"] for item in family], dtype=float)
    groups = np.repeat(np.arange(len(question["families"])), [len(family) for family in question["families"]])
    spent, solved, spent_before, solved_before = items.T
    ratio = (spent.sum() / solved.sum()) / (spent_before.sum() / solved_before.sum())
    added = [one / one.mean() for one in (spent, solved, spent_before, solved_before)]
    fit = sm.OLS(added[0] - added[1] - added[2] + added[3], np.ones(len(items))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}
    )
    half = stats.t.ppf(1 - question["alpha"] / 2, len(question["families"]) - 1) * float(fit.bse[0])
    return {"ratio": float(ratio), "low": float(ratio * np.exp(-half)), "high": float(ratio * np.exp(half))}


def variance_parts(question: dict) -> dict:
    """Mean squares of a one-way analysis of variance, the between one from scipy's F."""
    scores = np.array(question["scores"], dtype=float)
    within = float(np.mean(np.var(scores, axis=1, ddof=1)))
    between = float(stats.f_oneway(*scores).statistic) * within
    return {"within": within, "between": max(0.0, (between - within) / scores.shape[1])}


def non_inferior(question: dict) -> dict:
    """Independent differences against the margin: the t interval, and what the two one-sided tests say."""
    values, margin, alpha = np.array(question["values"]), question["margin"], question["alpha"]
    interval = stats.ttest_1samp(values, 0).confidence_interval(1 - alpha)
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue < alpha / 2
    below = stats.ttest_1samp(values, -margin, alternative="less").pvalue < alpha / 2
    outcome = "passed" if above else "failed" if below else "inconclusive"
    return {"low": float(interval.low), "high": float(interval.high), "outcome": outcome}


def bets(question: dict) -> dict:
    """Wealth as a product over the pairs, each forecast a posterior mean under Beta(1/2, 1/2), never below one half."""
    wins = np.array(question["wins"], dtype=float)
    before = np.concatenate([[0], np.cumsum(wins)[:-1]])
    forecasts = np.maximum(0.5, stats.beta(before + 0.5, np.arange(len(wins)) - before + 0.5).mean())
    return {"better": [float(wealth) for wealth in np.cumprod(2 * np.where(wins == 1, forecasts, 1 - forecasts))]}


def t_quantile(question: dict) -> dict:
    return {"quantile": float(stats.t.ppf(question["p"], question["df"]))}


ASKED = (exact_mcnemar, wilson, holm, cluster, bca, newcombe, cost_ratio, variance_parts, non_inferior, bets, t_quantile)
ANSWERS = {f.__name__: f for f in ASKED}

json.dump([ANSWERS[question["of"]](question) for question in json.load(sys.stdin)], sys.stdout)
