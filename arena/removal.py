"""What if seen battles had not been fought: the board without them, beside that of all."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from arena.battles import Battles
from arena.comparison import Comparison, compare
from arena.errors import OptionError
from arena.exposure import SEEN, SIDES, flag, refuse_scores
from arena.filters import Filter, need_one_of
from arena.leaderboard import Scale
from arena.prompt_match import Match
from arena.unseen_filter import Choice, unseen

Scope = Literal["battle", "model"]

SCOPES = ("battle", "model")


def remove_seen(
    battles: Battles,
    match: Match | None = None,
    *,
    scope: Scope = "battle",
    short: Choice = "keep",
    within: Sequence[str] = (),
    cluster: str | None = None,
    draws: int = 1_000,
    rounds: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
    ties: str = "half",
    scale: Scale | None = None,
) -> Comparison:
    """Hold the board without battles on seen prompts against that of all.

    Each change comes with its placebo: what leaving out as many battles of every pair at random
    does. A change that is more than that says that seen prompts are of another kind; it does not
    say that to have seen them is why.

    Args:
        battles: the votes; conditions that they have already hold for both boards.
        match: which prompts training corpora had; None if the log has `seen_a` and `seen_b`.
        scope: ``battle`` leaves out every battle on a seen prompt, whoever fights, so that no
            model is judged on other kinds of prompts than its opponents; ``model`` only those
            in which a model that was trained on the prompt takes part, so that battles among
            the others stay. See `unseen_only` for logs with columns of their own.
        short: ``keep`` or ``drop`` battles on prompts that are too short to judge, or stock.
        within: see `compare`.
        cluster: see `compare`; e.g. ``prompt``.
        draws: random removals.
        rounds: bootstrap resamples.
        level: coverage of the intervals.
        seed: of all that is drawn.
        ties: as for `fit_bradley_terry`.
        scale: the rating scale.

    Raises:
        ColumnError: a log without a match and without `seen_a` and `seen_b`, or with scores in them.
        OptionError: an option that cannot be, or a log in which no prompt was seen.
        UserError: as `compare`.
    """
    return compare(
        battles,
        unseen_only(match, scope=scope, short=short),
        within=within,
        cluster=cluster,
        draws=draws,
        rounds=rounds,
        level=level,
        seed=seed,
        ties=ties,
        scale=scale,
    )


def unseen_only(
    match: Match | None = None, *, scope: Scope = "battle", short: Choice = "keep"
) -> Filter:
    """Battles on prompts that nobody had seen, by a match or by a log's own columns.

    Without a match, the columns `seen_a` and `seen_b` say whether each side had seen the prompt,
    and `seen`, if there is one, whether anybody had. With ``scope="model"`` battles are dropped
    in which either side had seen it, with ``scope="battle"`` all those that any of the columns
    marks. A row that does not tell is dropped, too, and counted as unknown.

    Raises:
        OptionError: an option that cannot be, or `short` without a match.
    """
    if match is not None:
        return unseen(match, by=scope, short=short)
    if scope not in SCOPES:
        raise OptionError(f"scope: '{scope}' is not one of {', '.join(SCOPES)}")
    if short != "keep":
        raise OptionError("short: says what to do with the prompts of a match, and there is none")
    of = "" if scope == "battle" else " by its models"
    name = f"unseen{of} (by the log's own columns)"

    def keeps(battles: Battles) -> pl.Expr:
        for column in SIDES:
            need_one_of(battles, (column,), name)
        there = [*SIDES, *([SEEN] if scope == "battle" and SEEN in battles.columns else [])]
        flags = {column: flag(battles, column) for column in there}
        refuse_scores(battles.frame, flags, battles.sources)
        return ~pl.any_horizontal(one == 1.0 for one in flags.values())

    return Filter(name, SIDES, keeps)
