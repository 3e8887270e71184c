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


def exact_mcnemar(question: dict) -> dict:
    table = [[question["both"], question["onlyTreatment"]], [question["onlyReference"], question["neither"]]]
    fewer, differing = min(table[0][1], table[1][0]), table[0][1] + table[1][0]
    mid = 2 * stats.binom.cdf(fewer - 1, differing, 0.5) + stats.binom.pmf(fewer, differing, 0.5) if differing else 1.0
    return {"exactP": float(mcnemar(table, exact=True).pvalue), "midP": min(1.0, float(mid))}


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


def t_quantile(question: dict) -> dict:
    return {"quantile": float(stats.t.ppf(question["p"], question["df"]))}


ANSWERS = {f.__name__: f for f in (exact_mcnemar, wilson, holm, cluster, bca, t_quantile)}

json.dump([ANSWERS[question["of"]](question) for question in json.load(sys.stdin)], sys.stdout)
