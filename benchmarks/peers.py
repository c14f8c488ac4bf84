"""Other libraries on our tasks, each used as well as its interface allows; see `measure`.

Each function gets ready and returns the call that is timed. Ratings are returned on the Elo scale;
where they are centred is left to whoever compares them. Some libraries take no tie: a tie is then
half a win for each side, as everywhere here. Some take no vote log: polars counts it for them,
which is the quickest way there is outside this project.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from math import log
from pathlib import Path
from typing import Any

with suppress(ImportError):  # decon's Python may have nothing else
    import numpy as np

PER_LOG_ODDS = 400.0 / log(10.0)
COLUMNS = ["model_a", "model_b", "winner"]
Call = Callable[[], dict[str, Any]]

DISTRIBUTIONS = (
    *("arena-rank", "jax", "evalica", "choix", "scikit-learn", "scipy", "pandas"),
    *("leaderbot", "decontaminate"),
)
"""What is measured, and what it stands on."""


# ── ratings ────────────────────────────────────────────────────────────────────────────────


def arena_rank_board(path: str, frame: bool = False) -> Call:
    """LMArena's library: ratings and sandwich intervals, from pandas."""
    import pandas as pd
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    held = pd.read_parquet(path, columns=COLUMNS) if frame else None

    def call() -> dict[str, Any]:
        votes = pd.read_parquet(path, columns=COLUMNS) if held is None else held
        dataset = PairDataset.from_pandas(votes)
        # A fitted object gives its first answer again, so each call has its own.
        found = BradleyTerry(len(dataset.competitors)).compute_ratings_and_cis(dataset)
        return {
            "models": list(dataset.competitors),
            "ratings": np.asarray(found["ratings"]),
            "std_errors": np.sqrt(np.asarray(found["variances"])),
        }

    return call


def evalica_board(path: str, frame: bool = False) -> Call:
    """The `bradley_terry` of evalica, from lists."""
    import evalica
    import polars as pl

    held = pl.read_parquet(path, columns=COLUMNS) if frame else None

    def call() -> dict[str, Any]:
        votes = pl.read_parquet(path, columns=COLUMNS) if held is None else held
        scores = evalica.bradley_terry(*lists_for_evalica(votes)).scores
        return {
            "models": list(scores.index),
            "ratings": PER_LOG_ODDS * np.log(scores.to_numpy()),
        }

    return call


def choix_board(path: str, frame: bool = False, counting: str = "polars") -> Call:
    """The `ilsr_pairwise_dense` of choix, from the matrix of points that `counting` made."""
    import choix

    points = _points_of(path, frame, counting)

    def call() -> dict[str, Any]:
        models, matrix = points()
        return {"models": models, "ratings": PER_LOG_ODDS * choix.ilsr_pairwise_dense(matrix)}

    return call


def sklearn_board(path: str, frame: bool = False) -> Call:
    """Logistic regression as in LMSYS' notebook: two rows per pair, weighted by their points."""
    from sklearn.linear_model import LogisticRegression

    points = _points_of(path, frame, "polars")

    def call() -> dict[str, Any]:
        models, matrix = points()
        row, column = np.nonzero(np.triu(matrix + matrix.T, 1))
        n = np.arange(row.size)
        design = np.zeros((row.size, len(models)))
        design[n, row], design[n, column] = 1.0, -1.0
        won = np.repeat([1, 0], row.size)
        weight = np.concatenate([matrix[row, column], matrix[column, row]])
        regression = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-6, max_iter=1_000)
        regression.fit(np.vstack([design, design]), won, sample_weight=weight)
        return {"models": models, "ratings": PER_LOG_ODDS * regression.coef_[0]}

    return call


def leaderbot_board(path: str, frame: bool = False) -> Call:
    """The Bradley-Terry model of leaderbot without its covariance factors, as it trains itself."""
    from leaderbot.models import BradleyTerry

    points = _points_of(path, frame, "polars")

    def call() -> dict[str, Any]:
        models, matrix = points()
        row, column = np.nonzero(np.triu(matrix + matrix.T, 1))
        scored = np.column_stack([matrix[row, column], matrix[column, row], np.zeros(row.size)])
        met = np.column_stack([row, column])
        model = BradleyTerry({"models": models, "X": met, "Y": scored}, k_cov=None)
        model.train()
        return {"models": models, "ratings": PER_LOG_ODDS * model.param[: len(models)]}

    return call


def _points_of(path: str, frame: bool, counting: str) -> Callable[[], tuple[list[str], Any]]:
    """A function to the models' names and the points [m, m] of row against column."""
    import polars as pl

    if counting == "pandas":
        import pandas as pd

        held_pandas = pd.read_parquet(path, columns=COLUMNS) if frame else None

        def by_pandas() -> tuple[list[str], Any]:
            votes = pd.read_parquet(path, columns=COLUMNS) if held_pandas is None else held_pandas
            sizes = votes.groupby(COLUMNS, observed=True).size().reset_index(name="n")
            return _points(*(sizes[name].to_numpy() for name in [*COLUMNS, "n"]))

        return by_pandas
    lazy = pl.read_parquet(path, columns=COLUMNS).lazy() if frame else pl.scan_parquet(path)

    def by_polars() -> tuple[list[str], Any]:
        sizes = lazy.group_by(COLUMNS).agg(pl.len().alias("n")).collect()
        return _points(*(sizes[name].to_numpy() for name in [*COLUMNS, "n"]))

    return by_polars


def _points(left: Any, right: Any, winner: Any, n: Any) -> tuple[list[str], Any]:
    names, index = np.unique(np.concatenate([left, right]).astype(str), return_inverse=True)
    a, b = index[: left.size], index[left.size :]
    winner = winner.astype(str)
    won = np.where(winner == "model_a", 1.0, np.where(winner == "model_b", 0.0, 0.5))
    matrix = np.zeros((names.size, names.size))
    np.add.at(matrix, (a, b), won * n)
    np.add.at(matrix, (b, a), (1.0 - won) * n)
    return names.tolist(), matrix


def lists_for_evalica(votes: Any) -> tuple[list[str], list[str], list[Any]]:
    """Three columns as the lists that evalica takes."""
    import evalica

    winner = {"model_a": evalica.Winner.X, "model_b": evalica.Winner.Y}
    winners = [winner.get(vote, evalica.Winner.Draw) for vote in votes["winner"].to_list()]
    return votes["model_a"].to_list(), votes["model_b"].to_list(), winners


# ── resampling ─────────────────────────────────────────────────────────────────────────────


def lbfgs_refit(path: str) -> Call:
    """One round of the published bootstrap: `refit` of the table in a file of arrays."""
    held = np.load(path)
    pairs = np.tile(np.column_stack([held["left"], held["right"]]), (3, 1))
    points = np.repeat([1.0, 0.0, 0.5], held["left"].size)
    weights = held["table"].ravel()
    there = weights > 0

    def call() -> dict[str, Any]:
        found = refit(pairs[there], points[there], weights[there], int(held["n_models"]))
        return {"ratings": PER_LOG_ODDS * found.x}

    return call


def refit(pairs: Any, points: Any, weights: Any, n_models: int) -> Any:
    """Maximise the weighted log-likelihood row by row, as LMSYS published it.

    One row per pair and outcome, and SciPy's L-BFGS-B from zero with an analytic gradient. SciPy's
    own stopping rule would leave it a point short, so it is held to one that gives the board to
    0.1 point.
    """
    from scipy.optimize import minimize

    def loss_and_gradient(strength: Any) -> tuple[float, Any]:
        gap = strength[pairs[:, 0]] - strength[pairs[:, 1]]
        p = 1.0 / (1.0 + np.exp(-gap))
        loss = -((np.log(p) * points + np.log(1.0 - p) * (1.0 - points)) * weights).sum()
        residual = -(points - p) * weights
        gradient = np.zeros(n_models)
        np.add.at(gradient, pairs, residual[:, None] * np.array([1.0, -1.0]))
        return loss, gradient

    options = {"maxiter": 10_000, "maxfun": 100_000, "gtol": 1e-6, "ftol": 1e-13}
    start = np.zeros(n_models)
    return minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options)


# ── online Elo ─────────────────────────────────────────────────────────────────────────────


def evalica_elo(path: str) -> Call:
    """The online Elo of evalica, from a frame in memory."""
    import evalica
    import polars as pl

    votes = pl.read_parquet(path, columns=COLUMNS)

    def call() -> dict[str, Any]:
        found = evalica.elo(*lists_for_evalica(votes), initial=1000, base=10, scale=400, k=4).scores
        return {"models": list(found.index), "ratings": found.to_numpy()}

    return call


# ── style control ──────────────────────────────────────────────────────────────────────────


def arena_rank_style(folder: str, reg: float = 0.0, ftol: float = 1e-9) -> Call:
    """LMArena's style control with its intervals, from numbers in memory."""
    import jax.numpy as jnp
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset

    held = {name: np.load(Path(folder) / f"{name}.npy") for name in STYLE_ARRAYS}
    m = int(held["left"].max()) + 1
    dataset = ContextualPairDataset(
        competitors=[f"m{i:03d}" for i in range(m)],
        pairs=jnp.array(np.column_stack([held["left"], held["right"]])),
        outcomes=jnp.array(held["points"]),
        features=jnp.array(held["covariates"]),
        weights=jnp.ones(held["points"].size),
    )

    def call() -> dict[str, Any]:
        model = ContextualBradleyTerry(m, held["covariates"].shape[1], reg=reg, ftol=ftol)
        found = model.compute_ratings_and_cis(dataset)
        np.asarray(found["variances"])
        return {
            "models": dataset.competitors,
            "ratings": np.asarray(found["ratings"]),
            "coefficients": np.asarray(found["coeffs"]),
        }

    return call


STYLE_ARRAYS = ("left", "right", "points", "covariates")
"""The arrays of a design, as files in a folder: [n], [n], [n] and [n, k]."""


# ── matching ───────────────────────────────────────────────────────────────────────────────


def decon_report(folder: str, threads: int) -> Call:
    """The contamination report of decon, from files to a file, with its own settings.

    Its answer has the rows of the prompts that it found.
    """
    import decon

    inside = Path(folder)
    config = decon.Config(
        str(inside / "corpus"),
        str(inside / "evals"),
        str(inside / "decon"),
        worker_threads=threads,
    )

    def call() -> dict[str, Any]:
        reports = Path(decon.detect(config))

        def found() -> list[int]:
            lines = [
                line
                for report in reports.glob("*.jsonl")
                for line in report.read_text(encoding="utf-8").splitlines()
            ]
            return sorted({int(json.loads(line)["eval_instance_index"]) for line in lines})

        return {"seen": found}

    return call
