"""What taking votes out does, as tables: doses of seen prompts, and the fewest votes that count."""

import numpy as np
import polars as pl

from arena.display import amount, plain
from arena.dosing import Dose
from arena.pictures import dose_pictures, removal_pictures
from arena.tables import Sheet
from arena.vote_influence import VOTE, FewestVotes

SHOWN_SHARES = 5
"""So many shares are shown on a screen at most."""
EACH = "points each"
RESULTS = {"model_a": "beat", "model_b": "beat", "tie": "tied with"}


# ── dose ───────────────────────────────────────────────────────────────────────────────────


def dose_sheet(told: Dose) -> Sheet:
    """Each model's rating as a growing share of the seen prompts comes in."""
    shares = sorted(set(told.shares))
    title = (
        f"Rating with a growing share of seen prompts: {amount(told.n_seen, 'battle')} of "
        f"{told.fit.all_counts.n_battles:,.0f} on {told.prompts:,} {_plural(told.by)} "
        f"({plain(told.seen)})"
    )
    manifest = {
        "inputs": [reading.described() for reading in told.tally.readings],
        "filters": told.tally.funnel.to_dicts(),
        "options": dict(told.options),
        "counts_sha256": told.fit.all_counts.sha256(),
    }
    summary, lines = _dose_summary(told, shares), _dose_lines(told, shares)
    return Sheet("dose", title, told.frame, summary, lines, manifest, pictures=dose_pictures(told))


def _dose_summary(told: Dose, shares: list[float]) -> pl.DataFrame:
    """One row per model: ranks and ratings along the shares, and what chance makes of the first."""
    places = np.linspace(0, len(shares) - 1, min(SHOWN_SHARES, len(shares)))
    picked = [shares[i] for i in places.astype(int)]
    first, last = (told.frame.filter(pl.col("share") == share) for share in (shares[0], shares[-1]))
    ranks = [
        f"{one:3d} → {other:<3d}" if one is not None else ""
        for one, other in zip(first["rank"], last["rank"], strict=True)
    ]
    columns = {"model": last["model"], "rank": pl.Series(ranks, dtype=pl.String)}
    for share in picked:
        columns[f"{share:.0%} in"] = told.frame.filter(pl.col("share") == share)["rating"].round(1)
    columns[f"{shares[0]:.0%} in, by chance"] = pl.Series(
        [
            f"{low:,.1f} to {high:,.1f}" if None not in (low, high) else ""
            for low, high in first.select("null_lower", "null_upper").iter_rows()
        ],
        dtype=pl.String,
    )
    return pl.DataFrame({name: list(column) for name, column in columns.items()})


def _dose_lines(told: Dose, shares: list[float]) -> list[str]:
    first = told.frame.filter(pl.col("share") == shares[0])
    rating = pl.col("rating")
    outside = first.filter((rating < pl.col("null_lower")) | (rating > pl.col("null_upper")))
    level, orders = told.options["level"], told.options["orders"]
    known = int(first["rating"].is_not_null().sum())
    moved = first.join(
        told.frame.filter(pl.col("share") == shares[-1]), on="model", suffix="_last"
    ).filter(pl.col("rank") != pl.col("rank_last"))
    names = ", ".join(plain(name) for name in outside["model"].head(4))
    more = f" and {outside.height - 4} more" if outside.height > 4 else ""
    return [
        f"{outside.height} of {known} ratings with {shares[0]:.0%} of the seen {_plural(told.by)} "
        f"in lie outside of what chance makes{': ' if names else ''}{names}{more}. By chance alone "
        f"about {(1 - level) * known:.0f} would; the p-values of arena whatif remove allow for "
        "that.",
        f"{amount(moved.height, 'model')} {'has' if moved.height == 1 else 'have'} another rank "
        f"at {shares[0]:.0%} than at {shares[-1]:.0%}.",
        f"x% in: the rating with so many of the seen {_plural(told.by)} counted, the mean over "
        f"{orders:,} random orders in which they come in; ranges over the orders are in the file.",
        f"by chance: the middle {level * 100:g}% of ratings when as many battles of every pair "
        "are left out at random, seen or not: what fewer votes do.",
        "A rating that rises with the dose says that the model does better on these prompts than "
        "on others, not why: they may be of a kind that it is good at anyway.",
    ]


def _plural(column: str) -> str:
    return column if column.endswith("s") else f"{column}s"


# ── influence ──────────────────────────────────────────────────────────────────────────────


def fewest_votes_sheet(told: FewestVotes) -> Sheet:
    """The smallest set found, and what it does."""
    things = _things(told)
    level = told.options["level"] * 100
    standing = (
        f"{plain(told.model)} stands {told.gap:.1f} points above {plain(told.rival)} "
        f"({level:g}% interval {told.gap_lower:+.1f} to {told.gap_upper:+.1f})"
    )
    if told.number is None:
        title = f"No set of up to {told.most:,} of {told.total:,} {things} was found: {standing}"
    else:
        title = (
            f"Without {told.number:,} of {told.total:,} {things} ({_percent(told.number, told)}), "
            f"{plain(told.question)}: {standing}"
        )
    frame = told.frame if told.of == VOTE else told.frame.rename({"cluster": told.of})
    summary = _of_votes(told.frame) if told.of == VOTE else frame.rename({"effect": EACH})
    manifest = {
        "options": dict(told.options),
        "pairs": told.pairs.to_dicts(),
        "random": told.random.to_dicts(),
        "number": told.number,
        "gap": [told.gap_lower, told.gap, told.gap_upper],
        "gap_after": told.gap_after,
        "one_step": told.one_step,
        "predicted": told.predicted,
        "half_at": told.half_at,
    }
    # Rows have no name of their own: the first n of one table are the first n of the other.
    return Sheet(
        "influence",
        title,
        frame,
        summary,
        fewest_votes_lines(told),
        manifest,
        "row",
        removal_pictures(told),
    )


def _of_votes(frame: pl.DataFrame) -> pl.DataFrame:
    """Votes with the winner first."""
    turned = pl.col("winner") == "model_b"
    return frame.select(
        pl.when(turned).then("model_b").otherwise("model_a").alias("model"),
        pl.col("winner").replace_strict(RESULTS, return_dtype=pl.String).alias("result"),
        pl.when(turned).then("model_a").otherwise("model_b").alias("against"),
        "removed",
        pl.col("votes").alias("of"),
        pl.col("effect").alias(EACH),
    )


def fewest_votes_lines(told: FewestVotes) -> list[str]:
    """What was found, in sentences."""
    lines = []
    things, model, rival = _things(told), plain(told.model), plain(told.rival)
    guess = "none are enough" if told.predicted is None else f"{told.predicted:,} are needed"
    if told.gap_after is not None and told.one_step is not None:
        of_votes = "" if told.of == VOTE else f", which hold {amount(told.votes, 'vote')},"
        ahead = f"{abs(told.one_step):.2f} points {'ahead' if told.one_step > 0 else 'behind'}"
        lines.append(
            f"Without these {things}{of_votes} {rival} stands {-told.gap_after:.2f} points above "
            f"{model}: an exact refit. One step from the full board would leave {model} {ahead}, "
            f"and say that {guess}."
        )
    else:
        lines.append(
            f"No set of up to {told.most:,} {things} was found without which "
            f"{plain(told.question)}. One step from the full board says of {rival}: {guess}."
        )
    lines.append(_by_chance(told))
    if told.gap_lower < 0:
        lines.append(
            f"The interval of the gap holds 0: these votes do not settle who of {model} and "
            f"{rival} is better, whichever of them are left out."
        )
    lines.append(_searched(told))
    if told.number is not None:
        lines.append(
            f"The {things} were picked because the order rests on them. That does not make them "
            "wrong, and that they are few says that models are close, not that somebody tampered."
        )
        lines.append(f"{EACH}: how far one {told.of} moves the gap by its removal, by one step.")
    return lines


def _searched(told: FewestVotes) -> str:
    others = told.pairs.filter((pl.col("model") != told.model) | (pl.col("rival") != told.rival))
    more = ", ".join(
        f"{plain(rival)} {number:,}"
        for rival, number in others.drop_nulls("number").select("rival", "number").iter_rows()
    )
    also = f"Of the other pairs searched, these need: {more}. " if more else ""
    pairs = "one pair" if told.pairs.height == 1 else f"{told.pairs.height} pairs"
    return (
        f"{also}{pairs.capitalize()} of models searched. That no smaller set was found does not "
        "prove that there is none."
    )


def _by_chance(told: FewestVotes) -> str:
    things, draws = _things(told), told.options["draws"]
    said = []
    if told.number is not None:
        as_many = told.random.filter(pl.col("number") == told.number)
        said = [
            f"As many removed at random change the order in {p:.1%} of {draws:,} draws "
            f"({lower:.1%} to {upper:.1%})."
            for p, lower, upper in as_many.select("probability", "lower", "upper").iter_rows()
        ]
    if told.half_at is None:
        most, p = told.random.select("number", "probability").row(-1)
        said.append(
            f"With {most:,} of {told.total:,} {things} gone at random it changes in {p:.1%}, and "
            "with fewer never in half of the draws."
        )
    else:
        said.append(
            f"It takes about {told.half_at:,.0f} {things} gone at random, "
            f"{_percent(told.half_at, told)} of all, to change it half of the time."
        )
    return " ".join(said)


def random_removal_sheet(told: FewestVotes) -> Sheet:
    """How often the order changes as votes go at random."""
    things, draws = _things(told), told.options["draws"]
    title = f"How often {plain(told.question)}, of {told.total:,} {things} so many gone at random"
    level = told.options["level"] * 100
    summary = told.random.select(
        "number",
        (100 * pl.col("share")).round(2).alias("% of all"),
        (100 * pl.col("probability")).round(1).alias("% changed"),
        *((100 * pl.col(side)).round(1).alias(f"% {side}") for side in ("lower", "upper")),
    )
    lines = [
        f"{draws:,} draws of each number; lower to upper: Wilson's {level:g}% interval.",
        _by_chance(told),
    ]
    return Sheet(
        "random removal",
        title,
        told.random,
        summary,
        lines,
        key="number",
        pictures=removal_pictures(told),
    )


def _things(told: FewestVotes) -> str:
    return _plural(told.of)


def _percent(number: float, told: FewestVotes) -> str:
    """A share of all, with two digits that say something."""
    return f"{100 * number / told.total:.2g}%"
