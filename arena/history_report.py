"""Ratings over time as a table: where each model stands, and the way there as a line of bars."""

import polars as pl

from arena.history import History


def history_summary(history: History, *, unicode: bool = True) -> pl.DataFrame:
    """One row per model of the latest board: rating, ±, change, and the way there as a line."""
    frame = history.frame
    ends = frame["end"].unique().sort()
    latest = frame.filter(pl.col("end") == ends[-1]) if len(ends) else frame
    path = frame.sort("end").group_by("model").agg("end", "rating")
    paths = {model: dict(zip(at, r, strict=True)) for model, at, r in path.iter_rows()}
    rows = [paths[model] for model in latest["model"]]
    return latest.select(
        "rank",
        "model",
        "rating",
        ((pl.col("rating_upper") - pl.col("rating_lower")) / 2).round(1).alias("±"),
        pl.Series(
            "since the first", [list(row.values())[-1] - next(iter(row.values())) for row in rows]
        ),
        pl.Series(
            f"{ends[0]:%Y-%m-%d} to {ends[-1]:%Y-%m-%d}" if len(ends) else "time",
            [sparkline([row.get(end) for end in ends], unicode=unicode) for row in rows],
            dtype=pl.String,
        ),
        pl.col("battles").cast(pl.Int64),
    )


def sparkline(values: list[float | None], width: int = 32, *, unicode: bool = True) -> str:
    """Values as a line of bars between their least and their greatest; gaps stay empty.

    >>> sparkline([1.0, None, 2.0, 3.0])
    '▁ ▅█'
    >>> sparkline([1000.0, 1000.0 + 1e-12])
    '▁▁'
    """
    bars = "▁▂▃▄▅▆▇█" if unicode else "_.-=+*#@"
    if len(values) > width:
        values = [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]
    there = [value for value in values if value is not None]
    low, high = (min(there), max(there)) if there else (0.0, 0.0)
    # Equal ratings differ by rounding, which is no movement.
    step = (high - low) / (len(bars) - 1) if high - low > 1e-6 else 1.0
    return "".join(" " if v is None else bars[round((v - low) / step)] for v in values)
