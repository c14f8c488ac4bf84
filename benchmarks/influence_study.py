"""How few votes hold up a first place, on real votes.

    python benchmarks/influence_study.py human.jsonl

The file is the human votes of lmsys/mt_bench_human_judgments (CC-BY-4.0), which is not shipped;
the other log is the shipped Chatbot Arena one. Every set is judged by an exact refit.
"""

import argparse
from pathlib import Path

import polars as pl

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.datasets import shipped
from arena.removal_report import fewest_votes_lines
from arena.tally import tally_votes
from arena.vote_influence import FewestVotes, fewest_votes

PUBLISHED = 92
"""Of MT-Bench's 3,355 human votes: Huang, Shen, Wei and Broderick (2025)."""
SHARES = (0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 0.98)


def page(mt_bench: Path, draws: int) -> str:
    """The whole report."""
    battles = read_battles(mt_bench)
    fit = fit_bradley_terry(tally_votes(battles).counts)
    of_votes = fewest_votes(fit, draws=draws)
    clusters = {name: count_clusters(battles, name) for name in ("prompt", "judge")}
    told = {
        "MT-Bench, votes": of_votes,
        **{
            f"MT-Bench, {name}s": fewest_votes(fit_bradley_terry(one.counts), one, draws=draws)
            for name, one in clusters.items()
        },
        "Chatbot Arena, votes": fewest_votes(
            fit_bradley_terry(tally_votes(read_battles(shipped())).counts), draws=draws
        ),
    }
    assert of_votes.total == 3_355
    assert of_votes.number is not None
    assert of_votes.number <= PUBLISHED
    rows = [_row(name, one) for name, one in told.items()]
    curve = [_curve(name, one) for name, one in told.items()]
    heads = " | ".join(f"{share:.0%}" for share in SHARES)
    return "\n".join(
        [
            "# How few votes hold up a first place",
            "",
            f"`python benchmarks/influence_study.py human.jsonl --draws {draws}` · seed 0",
            "",
            "The smallest set found whose removal puts another model first, by exact refits, and "
            "how many removed at random do so half of the time.",
            "",
            "| log | first, and next | points between | smallest set | of | by one step | at random |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            f"A published analysis of MT-Bench reports {PUBLISHED} of 3,355 votes.",
            f"{of_votes.number} are enough: without them the ratings of an exact refit are "
            f"{abs(of_votes.gap_after or 0.0):.2f} points apart the other way round.",
            "That no smaller set was found does not prove that there is none.",
            "",
            "## Removed at random",
            "",
            "Share of draws in which another model comes to stand first, when so much of all is "
            "removed at random.",
            "",
            f"| log | {heads} |",
            "| --- |" + " ---: |" * len(SHARES),
            *curve,
            "",
            "## MT-Bench in words",
            "",
            *(f"- {line}" for line in fewest_votes_lines(of_votes)),
            "",
        ]
    )


def _row(name: str, told: FewestVotes) -> str:
    found = "none" if told.number is None else f"{told.number:,}"
    step = "none" if told.predicted is None else f"{told.predicted:,}"
    half = "never" if told.half_at is None else f"{told.half_at:,.0f}"
    return (
        f"| {name} | {told.model}, {told.rival} | {told.gap:.1f} | {found} | {told.total:,} | "
        f"{step} | {half} |"
    )


def _curve(name: str, told: FewestVotes) -> str:
    near = [told.random.sort((pl.col("share") - share).abs())["probability"][0] for share in SHARES]
    return f"| {name} | " + " | ".join(f"{p:.1%}" for p in near) + " |"


def main() -> None:
    """Write the report beside this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mt_bench", type=Path)
    parser.add_argument("--draws", type=int, default=1_000)
    given = parser.parse_args()
    text = page(given.mt_bench, given.draws)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
