"""Filters on who voted: how often a judge counts, and judges who vote unlike all others.

Votes without a judge are nobody's: what is said of judges is not said of them.
"""

import numpy as np
import polars as pl

from arena.anomalous_judges import JudgeTest, Rule, Tails, evidence_of, votes_in_time
from arena.battles import PLACE, Battles
from arena.errors import OptionError
from arena.filters import Filter, count_rows, keep_places
from arena.sources import collect


def daily_cap(most: int, column: str = "judge") -> Filter:
    """At most so many votes per judge and UTC day, the first ones in time.

    FastChat's ``limit_user_votes``, which takes the day of its own clock's time zone; 5 is the
    cap of LMArena's category ``overall_limit_5_user_vote``. Votes of one time count in the log's
    order. Votes without a judge are kept; of a judge's votes, those without a time are dropped
    as unknown, for nothing tells their day.

    Args:
        most: votes per judge and day.
        column: what tells judges apart, such as ``session`` in a log without judges.
    """
    if most < 1:
        raise OptionError(f"daily-cap: {most} is not a number of votes of at least 1")
    name = f"at most {most:,} {'vote' if most == 1 else 'votes'} per {column} and day"

    def first_of_day(battles: Battles) -> pl.Expr:
        votes = votes_in_time(battles, [pl.col(column).alias("judge")], name)
        turn = pl.int_range(pl.len()).over("judge", pl.col("tstamp").dt.date())
        late = votes.drop_nulls().filter(turn >= most)
        kept = np.ones(count_rows(battles), dtype=np.bool_)
        kept[late[PLACE].to_numpy()] = False
        tells = pl.col(column).is_null() | pl.col("tstamp").is_not_null()
        return pl.when(tells).then(keep_places(kept))

    return Filter(name, tuple(dict.fromkeys((column, "tstamp"))), first_of_day)


def min_votes(at_least: int, column: str = "judge") -> Filter:
    """Votes of judges who cast at least so many; of votes without a judge that is unknown.

    Args:
        at_least: votes.
        column: what tells judges apart.
    """
    if at_least < 1:
        raise OptionError(f"min-votes: {at_least} is not a number of votes of at least 1")

    def of_diligent(battles: Battles) -> pl.Expr:
        n = pl.col("votes").sum() if "votes" in battles.columns else pl.len()
        counts = battles.frame.group_by(pl.col(column).alias("judge")).agg(n=n).drop_nulls()
        diligent = counts.filter(pl.col("n") >= at_least).select("judge")
        return pl.col(column).is_in(collect(diligent, battles.sources)["judge"].implode())

    return Filter(f"{column} with >= {at_least:,} votes", (column,), of_diligent)


def drop_anomalous_judges(
    *,
    alpha: float = 0.05,
    rule: Rule = "fisher",
    tails: Tails = "both",
    seed: int = 0,
    most: int = 100,
    at_least: int = 5,
    fdr: bool = False,
) -> Filter:
    """Votes of all judges but the anomalous; see `judge_evidence`.

    Votes without a judge, and of judges with too few votes to be tested, are kept.

    Args:
        alpha: as for `judge_evidence`, like those that follow.
        rule: see there.
        tails: see there.
        seed: see there.
        most: see there.
        at_least: see there.
        fdr: drop the judges `flagged_fdr`, instead of those `flagged`.
    """
    test = JudgeTest(alpha, rule, tails, seed, most, at_least)

    def ordinary(battles: Battles) -> pl.Expr:
        found = evidence_of(battles, test).frame
        anomalous = found.filter("flagged_fdr" if fdr else "flagged")["judge"]
        return ~pl.col("judge").is_in(anomalous.implode()).fill_null(False)

    return Filter(test.name + (", FDR" if fdr else ""), ("judge",), ordinary)
