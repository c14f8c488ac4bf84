"""What listing the best of private variants, and retiring models early, does: as tables."""

import polars as pl

from arena.display import amount
from arena.pictures import variant_pictures
from arena.retirement import Retirement
from arena.tables import Sheet
from arena.variants import BestOfN


def variant_sheet(told: BestOfN) -> Sheet:
    """One scenario a row: the gain, what is left of it later, and where clones would stand."""
    frame, options = told.frame, told.options
    level, least = f"{options['level'] * 100:g}%", options["at_least"]
    columns = {name: _plain(frame[name]) for name in _asked(frame)}
    columns |= {
        "error": _points(frame["std_error"]),
        f"gain ({level} of cases)": _spread(frame, "gain"),
        f"p of {least:g}+": _chances(frame["p_at_least"], options.get("rounds")),
    }
    if (frame["true_spread"] > 0).any():
        columns["better"] = _points(frame["better"])
    if (frame["fresh"] > 0).any():
        columns["left of it"] = _spread(frame, "gain_left")
    columns["range"] = _points(frame["range"])
    if told.way == "board":
        ranks = frame.select("rank", "rank_best", "rank_worst").iter_rows()
        columns["rank"] = pl.Series([f"{mean:.1f} ({a} to {b})" for mean, a, b in ranks])
        columns[f"p of top {options['top']}"] = _chances(frame["p_top"], options["rounds"])
        columns["between"] = _points(frame["between"])
    return Sheet(
        "scenarios",
        _title(told),
        frame,
        pl.DataFrame(columns),
        _lines(told),
        dict(options),
        "row",
        variant_pictures(told),
    )


def _asked(frame: pl.DataFrame) -> list[str]:
    """The columns that say what was asked, less those that ask nothing special anywhere."""
    plain = {"sampling": 1.0, "true_spread": 0.0, "fresh": 0.0}
    return ["variants", "votes"] + [
        name for name, usual in plain.items() if (frame[name] != usual).any()
    ]


def _title(told: BestOfN) -> str:
    options = told.options
    if told.way == "formula":
        return (
            "The best of n private variants, against settled opponents of about their strength, "
            f"{options['tie_share']:.0%} ties"
        )
    who = f"like {options['like']}" if options["like"] else f"rated {options['rating']:,.0f}"
    return (
        f"The best of n private variants {who} on this board "
        f"(rank {told.frame['rank_true'][0]}), {amount(options['rounds'], 'draw')}"
    )


def _lines(told: BestOfN) -> list[str]:
    frame = told.frame
    lines = [
        "error: standard error of one variant's rating, in points.",
        "gain: by how much the best variant's rating lies above its own strength: the luck of the "
        "votes. A single variant has none on average.",
    ]
    if (frame["true_spread"] > 0).any():
        lines.append(
            "better: by how much the listed variant's strength lies above the average variant's, "
            "on average; that is no luck."
        )
    if (frame["fresh"] > 0).any():
        lines.append(
            "left of it: of the gain, once the fresh votes are added to the private ones; nothing "
            "is left on average where the private votes are discarded."
        )
    lines.append("range: best rating less worst, if every variant were listed.")
    if told.way == "board":
        error = float(frame["gain_error"].max())  # type: ignore[arg-type]  # a column of floats
        lines.append(
            "between: the board's models that stand between best and worst, if every variant were "
            "listed. A model below all n of them then stands n - 1 places lower than below one."
        )
        lines.append(f"Simulated: a gain has a standard error of {error:.2f} or less.")
    return lines


def retirement_sheet(told: Retirement) -> Sheet:
    """A retired model a row, the shares of new votes one after the other."""
    frame = told.frame
    summary = frame.select(
        pl.col("new_share").map_elements(lambda share: f"{share:.0%}", pl.String),
        "model",
        pl.col("shift").round(1),
        pl.col("rating_sampled").round(1),
        pl.col("rating_retired").round(1),
    ).with_columns(
        _spread(frame, "bias").alias(f"bias ({told.options['level'] * 100:g}% of cases)"),
        frame["rank_sampled"],
        frame["rank_retired"],
    )
    models = frame["model"].n_unique()
    lines = [
        f"{row['new_share']:.0%} new votes: the biases have a root mean square of "
        f"{row['bias_rms']:.1f} points, and {row['rank_moves']} of {row['retired']} models "
        "another rank."
        for row in told.typical.iter_rows(named=True)
    ]
    lines.append(
        "bias: the rating with old votes only, less what it would be had the model been sampled "
        "to the end. shift: what the model gains on the new prompts."
    )
    title = f"{amount(models, 'model')} retired while the prompts change"
    return Sheet("retirement", title, frame, summary, lines, dict(told.options))


def _plain(column: pl.Series) -> pl.Series:
    """Whole numbers where all are."""
    return column.cast(pl.Int64) if (column == column.round()).all() else column


def _points(column: pl.Series) -> pl.Series:
    return pl.Series([f"{value:.1f}" for value in column], dtype=pl.String)


def _spread(frame: pl.DataFrame, name: str) -> pl.Series:
    """The mean, and where most cases lie."""
    rows = frame.select(name, f"{name}_lower", f"{name}_upper").iter_rows()
    texts = [f"{mean:.1f} ({round(low):+d} to {round(high):+d})" for mean, low, high in rows]
    return pl.Series(texts, dtype=pl.String)


def _chances(column: pl.Series, rounds: int | None) -> pl.Series:
    """Probabilities; where they were simulated, with no more digits than the draws carry."""

    def shown(p: float) -> str:
        least = 0.001 if rounds is None else 1.0 / rounds
        if p < least:
            return f"< {least:.2g}"
        return f"> {1 - least:.6g}" if p > 1.0 - least else f"{p:.3f}"

    return pl.Series([shown(p) for p in column], dtype=pl.String)
