"""A small world in which some prompts were seen, and the match that says so."""

import numpy as np
import polars as pl

from arena.overlap_rules import OverlapRule
from arena.prompt_match import Match


def world(n_battles=6_000, *, uplift=0.0, exposed="m000", seed=0, n_models=5):
    """Battles on prompts of which a quarter are seen, by a model that gains from that."""
    rng = np.random.default_rng(seed)
    strength = {f"m{i:03d}": gap for i, gap in enumerate(rng.normal(0, 0.5, n_models))}
    names = np.array(list(strength))
    sides = np.array([rng.choice(n_models, 2, replace=False) for _ in range(n_battles)])
    left, right = names[sides].T
    prompt = rng.integers(0, n_battles // 2, n_battles)
    seen = prompt % 4 == 0
    gain = uplift * seen * ((left == exposed) * 1.0 - (right == exposed))
    gap = np.array([strength[a] - strength[b] for a, b in zip(left, right, strict=True)]) + gain
    first = rng.random(n_battles) < 1 / (1 + np.exp(-gap))
    frame = pl.DataFrame(
        {
            "model_a": left,
            "model_b": right,
            "winner": np.where(first, "model_a", "model_b"),
            "prompt": [f"prompt {k:05d}" for k in prompt],
            "seen": seen,
            "seen_a": seen & (left == exposed),
            "seen_b": seen & (right == exposed),
        }
    )
    return frame, strength


def match_of(frame, trained=("m000",)):
    """The match that says of every prompt what the frame does."""
    prompts = frame.select("prompt", "seen").unique().sort("prompt")
    n = prompts.height
    found = prompts.select(
        "prompt",
        battles=pl.lit(1, pl.Int64),
        corpus=pl.lit("corpus"),
        **{"class": pl.when("seen").then(pl.lit("seen")).otherwise(pl.lit("unseen"))},
        stock=pl.lit(False),
    )
    assert found.height == n
    return Match(found, OverlapRule(), "prompt", {"corpus": tuple(trained)}, {"votes": ["frame"]})
