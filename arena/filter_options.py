"""The options that say which battles count, and the filters they stand for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from arena.errors import OptionError
from arena.options import gathered, split_names

if TYPE_CHECKING:
    from arena.filters import Filter


@dataclass(frozen=True, slots=True)
class Filtering:
    """Which battles count; the filters are used in the order of these fields."""

    since: str | None
    until: str | None
    language: tuple[str, ...]
    multi_turn: str | None
    turns: int | None
    turns_of: Any
    prompt_tokens: str | None
    hard: int | None
    flag: tuple[str, ...]
    no_ties: bool
    no_both_bad: bool
    exclude_models: tuple[str, ...]
    only_models: tuple[str, ...]
    in_category: tuple[str, ...]
    unseen: str | None
    unseen_by: Any
    short: Any
    dedup: str | None
    dedup_tag: bool
    no_repeats: bool
    no_near_repeats: bool
    one_vote: bool
    daily_cap: int | None
    judge_votes: int | None
    drop_anomalous: Any
    min_battles: int | None
    random_share: float | None
    filter_seed: int


filter_options = gathered(
    Filtering,
    click.option("--since", metavar="TIME", help="Battles from this date or time (UTC) on."),
    click.option("--until", metavar="TIME", help="Battles before this date or time."),
    click.option(
        "--language",
        multiple=True,
        metavar="NAMES",
        help="Battles in these languages, by name or code: English,de. 'known' is any known one.",
    ),
    click.option(
        "--multi-turn",
        is_flag=False,
        flag_value="2",
        metavar="[N]",
        help="Battles with at least N user turns; 2 if not said.",
    ),
    click.option(
        "--turns",
        type=click.IntRange(min=1),
        metavar="N",
        help="Battles with exactly N user turns; in MT-Bench's votes, those on turn N.",
    ),
    click.option(
        "--turns-of",
        type=click.Choice(["turns", "session_turns"]),
        default="turns",
        show_default=True,
        help="Those of the conversation judged, or of the whole session so far (140k).",
    ),
    click.option(
        "--prompt-tokens",
        metavar="FROM[:TO]",
        help="Battles whose user turns have so many tokens: 5: or 500: or 1:50.",
    ),
    click.option(
        "--hard",
        is_flag=False,
        flag_value=6,
        type=click.IntRange(1, 7),
        metavar="[N]",
        help="Battles whose prompt meets N of LMSYS' 7 criteria of hard prompts; 6 if not said.",
    ),
    click.option(
        "--flag",
        multiple=True,
        metavar="COLUMN",
        help="Battles for which a column is true, e.g. is_code; no:is_refusal for the opposite.",
    ),
    click.option("--no-ties", is_flag=True, help="Without ties and both-bad."),
    click.option("--no-both-bad", is_flag=True, help="Without both-bad."),
    click.option(
        "--exclude-models",
        multiple=True,
        metavar="NAMES",
        help="Without battles of these models; claude-* names several.",
    ),
    click.option(
        "--only-models", multiple=True, metavar="NAMES", help="Battles among these models only."
    ),
    click.option(
        "--in-category",
        multiple=True,
        metavar="KEYS",
        help="Battles of an LMArena category: coding, hard_6, no_short, …",
    ),
    click.option(
        "--unseen",
        metavar="MATCH",
        help="Battles whose prompt was not found in training data, by a match that arena match "
        "has written.",
    ),
    click.option(
        "--unseen-by",
        type=click.Choice(["battle", "model"]),
        default="battle",
        show_default=True,
        help="Drop every battle on a seen prompt, or only those of models trained on it.",
    ),
    click.option(
        "--short",
        type=click.Choice(["keep", "drop"]),
        default="keep",
        show_default=True,
        help="With --unseen: battles on prompts too short to judge, and stock prompts.",
    ),
    click.option(
        "--dedup",
        is_flag=False,
        flag_value="0.999",
        metavar="[Q]",
        help="LMSYS' rule: prompts more common than the Q-th quantile of counts are sampled down "
        "to it; 0.999 if not said.",
    ),
    click.option(
        "--dedup-tag", is_flag=True, help="The same, by the tag that the log was published with."
    ),
    click.option("--no-repeats", is_flag=True, help="The first battle of each prompt."),
    click.option(
        "--no-near-repeats",
        is_flag=True,
        help="The same, with prompts that say nearly the same taken for one.",
    ),
    click.option("--one-vote", is_flag=True, help="The first vote of each judge on each prompt."),
    click.option(
        "--daily-cap",
        type=click.IntRange(min=1),
        metavar="N",
        help="The first N votes of each judge and day.",
    ),
    click.option(
        "--judge-votes",
        type=click.IntRange(min=1),
        metavar="N",
        help="Votes of judges who cast at least N.",
    ),
    click.option(
        "--drop-anomalous",
        is_flag=False,
        flag_value="fisher",
        type=click.Choice(["fisher", "e-value"]),
        metavar="[RULE]",
        help="Without judges whose votes do not look like the others': fisher or e-value.",
    ),
    click.option(
        "--min-battles",
        type=click.IntRange(min=1),
        metavar="N",
        help="Models with at least N battles among each other.",
    ),
    click.option(
        "--random-share", type=float, metavar="SHARE", help="A random part of the battles."
    ),
    click.option(
        "--filter-seed",
        type=click.IntRange(min=0),
        default=42,
        show_default=True,
        help="Of what --dedup and --random-share draw.",
    ),
)


def filters_of(asked: Filtering) -> "list[Filter]":
    """The filters that the options stand for, in the order in which they are used."""
    from arena import conditions, duplicates, judges
    from arena.categories import category

    seed, found = asked.filter_seed, []
    of = asked.turns_of
    if asked.since is not None:
        found.append(conditions.since(asked.since))
    if asked.until is not None:
        found.append(conditions.until(asked.until))
    languages = split_names("--language", asked.language)
    if languages == ["known"]:
        found.append(conditions.known_language())
    elif languages:
        found.append(conditions.language(*languages))
    if asked.multi_turn is not None:
        found.append(conditions.multi_turn(_turns(asked.multi_turn), of=of))
    if asked.turns is not None:
        found.append(conditions.exactly_turns(asked.turns, of=of))
    if asked.prompt_tokens is not None:
        found.append(conditions.prompt_tokens(*_range(asked.prompt_tokens)))
    if asked.hard is not None:
        found.append(conditions.hard(asked.hard))
    for name in split_names("--flag", asked.flag):
        column = name.removeprefix("no:")
        one = conditions.flagged(column)
        found.append(one if column == name else ~one)
    if asked.no_ties:
        found.append(conditions.no_ties())
    if asked.no_both_bad:
        found.append(conditions.no_both_bad())
    if asked.exclude_models:
        named = split_names("--exclude-models", asked.exclude_models)
        found.append(conditions.exclude_models(*named))
    if asked.only_models:
        found.append(conditions.only_models(*split_names("--only-models", asked.only_models)))
    for key in split_names("--in-category", asked.in_category):
        found.append(category(key).filter)
    if asked.unseen is not None:
        from arena.prompt_match import read_match
        from arena.unseen_filter import unseen

        found.append(unseen(read_match(asked.unseen), asked.unseen_by, asked.short))
    if asked.dedup is not None:
        found.append(duplicates.cap_repeats(_quantile(asked.dedup), seed))
    if asked.dedup_tag:
        found.append(duplicates.dedup_sampled())
    if asked.no_repeats:
        found.append(duplicates.without_exact_duplicates())
    if asked.no_near_repeats:
        found.append(duplicates.without_near_duplicates())
    if asked.one_vote:
        found.append(duplicates.one_vote_per_judge_and_prompt())
    if asked.daily_cap is not None:
        found.append(judges.daily_cap(asked.daily_cap))
    if asked.judge_votes is not None:
        found.append(judges.min_votes(asked.judge_votes))
    if asked.drop_anomalous is not None:
        found.append(judges.drop_anomalous_judges(rule=asked.drop_anomalous))
    if asked.min_battles is not None:
        found.append(conditions.min_battles(asked.min_battles))
    if asked.random_share is not None:
        found.append(conditions.random_share(asked.random_share, seed))
    return found


# Where an option's value may be left out, what follows it is taken for its value.
_SWALLOWED = "if that is a vote file, put it before the options"


def _turns(text: str) -> int:
    if not text.isdecimal():
        raise OptionError(f"--multi-turn: '{text}' is not a number of turns; {_SWALLOWED}")
    return int(text)


def _quantile(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"--dedup: '{text}' is not a quantile such as 0.999; {_SWALLOWED}"
        raise OptionError(message) from None


def _range(text: str) -> tuple[int, int | None]:
    low, _, high = text.partition(":")
    if not (low.isdecimal() or not low) or not (high.isdecimal() or not high) or text in ("", ":"):
        raise OptionError(f"--prompt-tokens: '{text}' is not of the form FROM:TO, e.g. 5: or 1:50")
    return int(low or 0), int(high) if high else None
