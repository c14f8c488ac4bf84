"""Weights for resampling: each function makes tables of votes, and `batch` solves them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.batch import Tables, block_size
from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.errors import OptionError
from arena.problem import problem

Floats = NDArray[np.float64]
DrawBlock = Callable[[np.random.Generator, int], Floats]


def bootstrap_votes(fit: Fit, rounds: int = 1_000, seed: int = 0) -> Tables:
    """Multinomial bootstrap over votes: as many votes, drawn with replacement.

    Efron, Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 7 (1979).
    On counts this is one multinomial draw over all cells and outcomes.
    """
    kinds, weight = _vote_kinds(fit)
    there = np.flatnonzero(kinds.ravel() > 0)
    n_votes = round(kinds.sum())
    p = kinds.ravel()[there] / max(kinds.sum(), 1.0)

    def draw(rng: np.random.Generator, n: int) -> Floats:
        table = np.zeros((kinds.size, n))
        if n_votes:
            table[there] = rng.multinomial(n_votes, p, size=n).T
        return _weighed(table.reshape(*kinds.shape, n), weight)

    return draw_tables(rounds, seed, kinds.shape[1], draw)


def bayesian_votes(fit: Fit, rounds: int = 1_000, seed: int = 0) -> Tables:
    """Bayesian bootstrap over votes: Dirichlet weights in place of multinomial counts.

    Rubin, The Bayesian Bootstrap, Annals of Statistics 9 (1981). No cell that has votes is
    ever empty, so every draw is finite where the fit is.
    """
    kinds, weight = _vote_kinds(fit)

    def draw(rng: np.random.Generator, n: int) -> Floats:
        table = rng.gamma(np.repeat(kinds[:, :, None], n, axis=2))
        table *= kinds.sum() / np.maximum(table.sum(axis=(0, 1)), 1e-300)
        return _weighed(table, weight)

    return draw_tables(rounds, seed, kinds.shape[1], draw)


def bootstrap_clusters(
    fit: Fit, clusters: ClusterCounts, rounds: int = 1_000, seed: int = 0
) -> Tables:
    """Bootstrap over clusters: as many whole clusters, drawn with replacement."""
    g = clusters.n_clusters

    def draw(rng: np.random.Generator, n: int) -> Floats:
        return rng.multinomial(g, np.full(g, 1.0 / g), size=n).T.astype(np.float64)

    return _of_clusters(fit, clusters, rounds, seed, draw)


def bayesian_clusters(
    fit: Fit, clusters: ClusterCounts, rounds: int = 1_000, seed: int = 0
) -> Tables:
    """Bayesian bootstrap over clusters: Dirichlet weights of mean one."""
    g = clusters.n_clusters

    def draw(rng: np.random.Generator, n: int) -> Floats:
        weight = rng.standard_exponential((g, n))
        scaled: Floats = weight * (g / weight.sum(axis=0))
        return scaled

    return _of_clusters(fit, clusters, rounds, seed, draw)


def without_each_cluster(fit: Fit, clusters: ClusterCounts) -> Tables:
    """Leave one cluster out, each in turn."""
    by_kind = cluster_kinds(fit, clusters)
    shape = (3, by_kind.shape[1] // 3)
    total = np.asarray(by_kind.sum(axis=0)).reshape(*shape, 1)
    n = clusters.n_clusters
    block = block_size(shape[1], n)

    def make(number: int) -> Floats:
        part = by_kind[number * block : (number + 1) * block].toarray().T
        # Weights that cancel leave dust, which would look like votes.
        left = total - part.reshape(*shape, -1)
        return np.where(left < 1e-9 * total, 0.0, left)

    return Tables(n, block, make)


def cluster_kinds(fit: Fit, clusters: ClusterCounts) -> csr_array:
    """The clusters' votes in the cells of a fit: sparse [G, 3C].

    Votes on models that are not in the fit fall away.
    """
    task = problem(fit.counts, fit.rule)
    m, n_cells = task.n_models, task.left.size
    left, right = clusters.sides(fit.models)
    low, high = np.minimum(left, right), np.maximum(left, right)
    cells = task.left * m + task.right
    cell = np.minimum(np.searchsorted(cells, low * m + high), n_cells - 1)
    inside = (low >= 0) & (cells[cell] == low * m + high)
    kinds = [0, 1, 2, 2] if fit.rule.counts_ties else [0, 1]
    rows, columns = [], []
    for k, kind in enumerate(kinds):
        turned = np.where(left > right, [1, 0, 2][kind], kind)
        rows.append(4 * np.flatnonzero(inside) + k)
        columns.append((turned * n_cells + cell)[inside])
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (clusters.table.shape[1], 3 * n_cells)
    return clusters.table @ csr_array((np.ones(row.size), (row, column)), shape=shape)


def _of_clusters(
    fit: Fit, clusters: ClusterCounts, rounds: int, seed: int, draw: DrawBlock
) -> Tables:
    by_kind = cluster_kinds(fit, clusters).T.tocsr()
    n_cells = by_kind.shape[0] // 3

    def tables(rng: np.random.Generator, n: int) -> Floats:
        table: Floats = by_kind @ draw(rng, n)
        return table.reshape(3, n_cells, n)

    return draw_tables(rounds, seed, max(n_cells, clusters.n_clusters), tables)


def draw_tables(rounds: int, seed: int, n_cells: int, draw: DrawBlock) -> Tables:
    """Tables drawn at random, each block from a generator of its own.

    Args:
        rounds: how many tables.
        seed: of all of them.
        n_cells: pairs of models, by which the blocks are sized.
        draw: from a generator and a number n to float [3, C, n], as in `Tables`.
    """
    if rounds < 1:
        raise OptionError(f"rounds: {rounds} is not a number of at least 1")
    block = block_size(n_cells, rounds)
    seeds = np.random.SeedSequence(seed).spawn(-(-rounds // block))

    def make(number: int) -> Floats:
        n = min(block, rounds - number * block)
        return draw(np.random.default_rng(seeds[number]), n)

    return Tables(rounds, block, make)


def _weighed(table: Floats, weight: Floats | None) -> Floats:
    if weight is not None:
        table *= weight[:, :, None]
    return table


def _vote_kinds(fit: Fit) -> tuple[Floats, Floats | None]:
    """Votes [3, C] by cell and outcome, and what each weighs [3, C]; None where all weigh one."""
    sums = problem(fit.counts, fit.rule).outcomes
    if not fit.counts.is_weighted:
        return sums, None
    squares = problem(fit.counts, fit.rule, squares=True).outcomes
    weight = np.divide(squares, sums, out=np.ones_like(sums), where=sums > 0)
    return sums / weight, weight
