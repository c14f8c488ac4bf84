"""What is known of prompts, as tables."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from arena.battles import Battles
from arena.display import amount
from arena.overlap_rules import OverlapRule
from arena.pictures import match_pictures
from arena.prompt_match import Match
from arena.prompt_survey import PromptSurvey
from arena.sources import collect
from arena.tables import Sheet
from arena.unseen_filter import seen_prompts, short_prompts

LENGTHS = {"1 to 4": 1, "5 to 9": 5, "10 to 24": 10, "25 to 99": 25, "100 or more": 100}
MOST_LANGUAGES = 8
SHOWN_TEXT = 300


def rule_text(rule: OverlapRule) -> str:
    """A rule in words."""
    whole = "all texts together" if rule.union else "one text"
    unit = "characters" if rule.unit == "characters" else "tokens"
    of = f"{rule.n}-grams" if rule.of == "ngrams" else f"tokens by {rule.n}-grams"
    least = "more than" if rule.above else "at least"
    said = f"{least} {rule.threshold:.0%} of a prompt's {of} of {unit} in {whole}"
    if rule.jaccard is not None:
        said += (
            f", or {rule.jaccard_share:.0%} and a token-multiset Jaccard with it of at least "
            f"{rule.jaccard:g}"
        )
    return f"{said}, or equal"


def match_sheet(match: Match, battles: Battles) -> Sheet:
    """How many battles are on prompts seen, unseen, too short, or stock; by what kind they are."""
    by_prompt = _classes(match)
    rows = _battles(match, battles).join(by_prompt, on="prompt", how="left")
    parts = [_counted(rows, pl.lit("all"), "all")]
    parts += [
        _counted(rows.filter(pl.col(f"in {corpus}")), pl.lit(corpus), "seen in corpus")
        for corpus in match.trained
    ]
    length = pl.lit("0")
    for name, least in LENGTHS.items():
        length = pl.when(pl.col("tokens") >= least).then(pl.lit(name)).otherwise(length)
    parts.append(_counted(rows, length, "tokens"))
    if "language" in rows.columns:
        common = rows["language"].value_counts(sort=True)["language"].head(MOST_LANGUAGES)
        shown = pl.col("language").is_in(common.implode())
        parts.append(
            _counted(
                rows,
                pl.when(shown).then("language").otherwise(pl.lit("others")),
                "language",
            )
        )
    table = pl.concat(parts)
    texts = sum(corpus["texts"] for corpus in match.manifest["corpora"])
    title = (
        f"{amount(match.manifest['prompts'], 'distinct prompt')} held against "
        f"{amount(texts, 'training text')}; seen: {rule_text(match.rule)}"
    )
    return Sheet(
        "match",
        title,
        table,
        table,
        _lines(match),
        dict(match.manifest),
        key="value",
        pictures=match_pictures(match),
    )


def _classes(match: Match) -> pl.DataFrame:
    """One row per prompt: its class over all corpora, its tokens, and which corpora had it."""
    seen, short = seen_prompts(match), short_prompts(match)
    prompt = pl.col("prompt")
    stock = match.frame.filter("stock")["prompt"].unique()
    # A prompt that one corpus has and another has not is seen.
    kind = (
        pl.when(prompt.is_in(stock.implode()))
        .then(pl.lit("stock"))
        .when(prompt.is_in(seen.implode()))
        .then(pl.lit("seen"))
        .when(prompt.is_in(short.implode()))
        .then(pl.lit("short"))
        .otherwise(pl.lit("unseen"))
    )
    had = {
        f"in {corpus}": prompt.is_in(seen_prompts(match, corpus).implode())
        for corpus in match.trained
    }
    return match.frame.group_by("prompt").agg(pl.col("tokens").max()).with_columns(**had, kind=kind)


def _battles(match: Match, battles: Battles) -> pl.DataFrame:
    columns = [pl.col(match.text).alias("prompt")]
    if "language" in battles.columns:
        columns.append(pl.col("language"))
    return collect(battles.frame.select(columns).drop_nulls("prompt"), battles.sources)


def _counted(rows: pl.DataFrame, value: pl.Expr, by: str) -> pl.DataFrame:
    """Battles by class for each value."""
    kinds = ("seen", "unseen", "short", "stock")
    counts = {kind: (pl.col("kind") == kind).sum().cast(pl.Int64) for kind in kinds}
    table = rows.group_by(value.cast(pl.String).alias("value")).agg(
        pl.len().cast(pl.Int64).alias("battles"), **counts
    )
    judged = pl.col("seen") + pl.col("unseen")
    return table.select(
        pl.lit(by).alias("by"),
        "value",
        "battles",
        *kinds,
        share_seen=pl.when(judged > 0).then(pl.col("seen") / judged),
    ).sort("battles", "value", descending=[True, False])


def _lines(match: Match) -> list[str]:
    lines = [
        "short: too few tokens to judge; stock: so common in the log that to find it says "
        "nothing; share_seen is of the others."
    ]
    for corpus in match.manifest["corpora"]:
        skipped = corpus["skipped"]
        models = ", ".join(match.trained[corpus["name"]]) or "nobody is said to be trained on it"
        lines.append(f"{corpus['name']}: {amount(corpus['texts'], 'text')}; {models}.")
        lines += [f"Left out: {reason}" for reason in skipped]
    return lines


def borderline(match: Match, n: int) -> list[str]:
    """The n pairs of prompt and text that a slightly other threshold would judge otherwise."""
    rule = match.rule
    share = pl.col("union_share" if rule.union else "share")
    beyond = share - rule.threshold
    if rule.jaccard is not None:
        alike = pl.min_horizontal(
            pl.col("jaccard") - rule.jaccard, pl.col("share") - rule.jaccard_share
        )
        beyond = pl.max_horizontal(beyond, alike)
    pairs = (
        match.frame.filter(
            ~pl.col("exact"), pl.col("excerpt").is_not_null(), pl.col("tokens") >= rule.n
        )
        .sort(beyond.abs(), "prompt")
        .head(n)
    )
    return [line for row in pairs.iter_rows(named=True) for line in _pair(row)]


def _pair(row: Mapping[str, object]) -> list[str]:
    jaccard = "none" if row["jaccard"] is None else f"{row['jaccard']:.2f}"
    return [
        f"{row['class']}: share {row['share']:.2f}, Jaccard {jaccard}; {Path(str(row['file'])).name}, row {row['row']}",
        f"  prompt  {_short(row['prompt'])}",
        f"  text    {_short(row['excerpt'])}",
        "",
    ]


def _short(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= SHOWN_TEXT else line[: SHOWN_TEXT - 1] + "…"


def survey_sheet(told: PromptSurvey, part: str) -> Sheet:
    """One part of a survey: repeats, repeated, freshness, distribution or drift."""
    without = f"; {amount(told.n_without, 'battle')} without" if told.n_without else ""
    head = f"{amount(told.n_battles, 'battle')} with a prompt{without}"
    said = {
        "repeats": "how prompts repeat; near: with prompts that say nearly the same taken for one",
        "repeated": "the prompts asked most often, near duplicates together",
        "freshness": "the share of battles on prompts that no earlier day had",
        "distribution": "what the prompts are",
        "drift": "distance of each period from the whole log, and what chance alone would make",
    }
    frame: pl.DataFrame = getattr(told, part)
    summary = frame
    if part == "freshness" and not frame.is_empty():
        summary = frame.filter(pl.col("every") == "week")
    keys = {"repeats": "measure", "repeated": "prompt"}
    return Sheet(part, f"{head}: {said[part]}", frame, summary, key=keys.get(part, ""))
