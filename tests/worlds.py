"""Small worlds: battles drawn from strengths that the test knows."""

import numpy as np
import polars as pl

from arena.counts import PairCounts
from arena.schema import WINNERS
from arena.tally import count_pairs


def names(n_models: int) -> list[str]:
    """Model names whose order is not the order of strength."""
    return [f"m{(7 * i) % n_models:03d}" if n_models % 7 else f"m{i:03d}" for i in range(n_models)]


def battles(
    n_models: int = 8,
    n_battles: int = 2_000,
    *,
    seed: int = 0,
    spread: float = 1.0,
    tie_share: float = 0.2,
    both_bad_share: float = 0.1,
) -> pl.DataFrame:
    """A vote log: normal strengths, unequal sampling, ties independent of strength."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0.0, spread, n_models)
    share = rng.dirichlet(np.full(n_models, 3.0))
    sides = np.array(
        [rng.choice(n_models, size=2, replace=False, p=share) for _ in range(n_battles)]
    )
    gap = strength[sides[:, 0]] - strength[sides[:, 1]]
    left_wins = rng.random(n_battles) < 1.0 / (1.0 + np.exp(-gap))
    winner = np.where(left_wins, 0, 1)
    kind = rng.random(n_battles)
    winner = np.where(kind < tie_share, 2, winner)
    winner = np.where((kind >= tie_share) & (kind < tie_share + both_bad_share), 3, winner)
    label = np.array(names(n_models))
    return pl.DataFrame(
        {
            "model_a": label[sides[:, 0]],
            "model_b": label[sides[:, 1]],
            "winner": np.array(WINNERS)[winner],
        }
    )


def log(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """A vote log written out: (model_a, model_b, winner)."""
    return pl.DataFrame(rows, schema=["model_a", "model_b", "winner"], orient="row")


def counted(*rows: tuple[str, str, str]) -> PairCounts:
    """The pair counts of a log written out."""
    return count_pairs(log(*rows))


def won(winner: str, loser: str, times: int = 1) -> list[tuple[str, str, str]]:
    """Rows in which one model beats another."""
    return [(winner, loser, "model_a")] * times


def tied(left: str, right: str, times: int = 1) -> list[tuple[str, str, str]]:
    """Rows in which two models tie."""
    return [(left, right, "tie")] * times
