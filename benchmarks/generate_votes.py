"""A vote log of any length, drawn from the shipped Chatbot Arena counts.

    python benchmarks/generate_votes.py votes.parquet --votes 10_000_000

Votes are drawn with replacement, each pair of models as often as it met; which of the two
stands on the left is a coin toss. Columns are text: model_a, model_b, winner. The file is
written a row group at a time, so memory does not grow with its length.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from arena.datasets import shipped

CHUNK = 1_000_000
SCHEMA = pa.schema([(name, pa.string()) for name in ("model_a", "model_b", "winner")])
WINNERS = {"wins_a": "model_a", "wins_b": "model_b", "ties": "tie", "both_bad": "tie (bothbad)"}
MIRRORED = {"model_a": "model_b", "model_b": "model_a"}


def generate_votes(path: str | Path, votes: int, seed: int = 0, chunk: int = CHUNK) -> Path:
    """Write a vote log of so many votes as Parquet.

    Args:
        path: where to.
        votes: how many.
        seed: same seed, same votes.
        chunk: votes in a row group, and in memory at once.
    """
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for table in _tables(votes, np.random.default_rng(seed), chunk):
            writer.write_table(table)
    return Path(path)


def _tables(votes: int, rng: np.random.Generator, chunk: int) -> Iterator[pa.Table]:
    texts, upto = _possible_votes()
    for start in range(0, votes, chunk):
        n = min(chunk, votes - start)
        drawn = pa.array(np.searchsorted(upto, rng.random(n) * upto[-1], side="right"))
        yield texts.take(drawn)


def _possible_votes() -> tuple[pa.Table, np.ndarray]:
    """Every vote there can be, as texts, and its cumulative number; each in both orders."""
    one_order = (
        pl.read_parquet(shipped())
        .unpivot(list(WINNERS), index=["model_a", "model_b"], variable_name="winner")
        .with_columns(pl.col("winner").replace_strict(WINNERS))
    )
    other_order = one_order.select(
        pl.col("model_b").alias("model_a"),
        pl.col("model_a").alias("model_b"),
        pl.col("winner").replace(MIRRORED),
        "value",
    )
    both = pl.concat([one_order, other_order]).filter(pl.col("value") > 0)
    texts = both.select(SCHEMA.names).to_arrow().cast(SCHEMA)
    return texts, both["value"].to_numpy().cumsum()


def main() -> None:
    """Read the arguments, write the file, say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--votes", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    path = generate_votes(options.path, options.votes, options.seed)
    print(f"{path}: {options.votes:,} votes, {path.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
