"""Who wins how often against whom: as seen, as predicted, and how sure the order is."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.bradley_terry import Fit
from arena.counts import PairCounts
from arena.leaderboard import Leaderboard
from arena.ranks import probability_above, probability_best

Floats = NDArray[np.float64]


def battle_matrix(counts: PairCounts) -> Floats:
    """How often each pair met: [m, m], symmetric, zero on the diagonal."""
    matrix = np.zeros((counts.n_models, counts.n_models))
    np.add.at(matrix, tuple(counts.pairs.T), counts.votes.sum(axis=1))
    return matrix + matrix.T


def observed_win_rates(counts: PairCounts, *, counts_ties: bool = True) -> Floats:
    """Share of points of i against j, [m, m]: ties and both-bad half, or left out.

    nan where the two never met, and on the diagonal.
    """
    cells = counts.cells
    tied = cells.outcomes[:, 2:].sum(axis=1) if counts_ties else 0.0
    points = np.full((counts.n_models, counts.n_models), np.nan)
    met = cells.outcomes[:, 0] + cells.outcomes[:, 1] + tied
    with np.errstate(invalid="ignore"):
        points[cells.left, cells.right] = (cells.outcomes[:, 0] + tied / 2) / met
        points[cells.right, cells.left] = (cells.outcomes[:, 1] + tied / 2) / met
    return points


def predicted_win_rates(fit: Fit) -> Floats:
    """Expected share of points of i against j, [m, m]; nan on the diagonal.

    Under a model with ties that is P(win) + P(tie) / 2; under `half` and `drop`, P(win).
    """
    gap = fit.log_odds[:, None] - fit.log_odds[None, :]
    win, _, tie = np.exp(fit.rule.log_p(gap, fit.tie_parameter or 0.0))
    points = win if fit.rule.parameter is None else win + tie / 2
    np.fill_diagonal(points, np.nan)
    rates: Floats = points
    return rates


def draws_of(board: Leaderboard) -> Floats:
    """Draws [B, m] of the log-odds behind a board with intervals."""
    if board.uncertainty is None:
        return board.fit.log_odds[None, :]
    return board.fit.log_odds + board.uncertainty.deviations


def pairs_table(board: Leaderboard) -> pl.DataFrame:
    """One row per ordered pair of rated models, both in the board's order.

    Columns: model_a, model_b, battles, observed (share of points, null if they never met),
    predicted (the same by the fit), p_above (probability that model_a is the stronger; null
    without intervals).
    """
    fit = board.fit
    order = [fit.models.index(model) for model in board.frame["model"] if model in fit.models]
    m = len(order)
    i, j = (side.ravel() for side in np.meshgrid(order, order, indexing="ij"))
    off = i != j
    i, j = i[off], j[off]
    names = pl.Series(fit.models, dtype=pl.String)
    above = probability_above(draws_of(board)) if board.uncertainty else np.full((m, m), np.nan)
    values = {
        "battles": battle_matrix(fit.counts),
        "observed": observed_win_rates(fit.counts, counts_ties=fit.rule.counts_ties),
        "predicted": predicted_win_rates(fit),
        "p_above": above,
    }
    return pl.DataFrame(
        {"model_a": names.gather(i), "model_b": names.gather(j)}
        | {name: matrix[i, j] for name, matrix in values.items()}
    ).with_columns(pl.col("observed", "p_above").fill_nan(None))


def best_models(board: Leaderboard, at_least: float = 0.01) -> dict[str, float]:
    """The models that may be the best, with the probability of it, most probable first."""
    if board.uncertainty is None:
        return {}
    best = probability_best(draws_of(board))
    order = np.argsort(-best, kind="stable")
    return {board.fit.models[i]: float(best[i]) for i in order if best[i] >= at_least}
