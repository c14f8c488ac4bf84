"""What is known of judges, as tables."""

import polars as pl

from arena.anomalous_judges import JudgeEvidence
from arena.display import amount
from arena.influence import JudgeInfluence
from arena.tables import Sheet


def evidence_sheet(told: JudgeEvidence) -> Sheet:
    """The judges tested, the most suspicious first."""
    frame = told.frame
    rule = "Fisher's combined p-values" if told.rule == "fisher" else "e-values"
    title = (
        f"Votes unlike the others' on the same pairs, by {rule}: {amount(frame.height, 'judge')} "
        f"tested, {told.too_short:,} with too few votes"
    )
    flagged, corrected = int(frame["flagged"].sum()), int(frame["flagged_fdr"].sum())
    expected = told.alpha * frame.height
    lines = [
        f"{flagged:,} flagged, each with a chance of at most {told.alpha:g} if innocent; of as "
        f"many innocent judges up to {expected:,.0f} would be.",
        f"{corrected:,} flagged so that at most {told.alpha:.0%} of them are expected to be "
        "innocent (flagged_fdr).",
        "To vote unlike the others is not to vote in bad faith.",
    ]
    measure = "p_value" if told.rule == "fisher" else "e_value"
    # Evidence may be of any size, so it is shown with as many digits as it has.
    shown = pl.Series(measure, [f"{value:.2g}" for value in frame[measure]], dtype=pl.String)
    summary = frame.select(
        "judge",
        "votes",
        "votes_tested",
        "tail",
        "checkpoint",
        pl.col("statistic").round(1),
        shown,
        "flagged",
        "flagged_fdr",
    )
    return Sheet("judges", title, frame, summary, lines, key="judge")


def influence_sheet(told: JudgeInfluence) -> Sheet:
    """What the board would be without each cluster, the most influential first."""
    title = f"The board without each {told.column}: {told.frame.height:,} left out in turn"
    lines = [
        "change: of the rating that moves most, in points; rank_changes: models that it moves."
    ]
    if told.n_alone:
        lines.append(f"{amount(told.n_alone, 'vote')} without a {told.column} are not listed.")
    frame = told.frame.rename({"cluster": told.column})
    summary = frame.select(
        told.column,
        "votes",
        "model",
        pl.col("change").round(2),
        "rank_changes",
        "first_changes",
        "without_estimate",
    )
    return Sheet("influence", title, frame, summary, lines, key=told.column)
