"""One self-contained HTML page on vote logs: it loads nothing, and runs nothing but its own script.

The page forbids all else by a Content-Security-Policy that names the hashes of its style sheet
and its script, so that text from a log could not act even if it came through as markup.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from arena.comparison_report import SURE
from arena.comparison_report import manifest as comparison_manifest
from arena.datasets import is_synthetic
from arena.display import amount
from arena.html_boards import SHADES, battles_view, board_axis, board_view, win_rate_view
from arena.html_contamination import (
    KINDS,
    VERDICT,
    comparison_view,
    examples,
    kinds_table,
    kinds_view,
    parts_view,
)
from arena.html_data import PageData
from arena.html_suppositions import SHARES, UPLIFTS, packed
from arena.html_tables import (
    DRAWN,
    TableView,
    environment,
    shown,
    spreadsheet_csv,
)
from arena.html_votes import funnel_view
from arena.outputs import check_output, write_whole
from arena.report import SYNTHETIC, rated, shown_rows, title
from arena.winrates import best_models, pairs_table

SUFFIXES = (".html", ".htm")
"""Of files that hold a page."""


@dataclass(frozen=True, slots=True)
class BoardPart:
    """One board of the switch: its key, what it is of, the table, and its rows as CSV."""

    key: str
    name: str
    view: TableView
    csv: str


def render_page(data: PageData) -> str:
    """The page as text; the same data give the same text.

    Args:
        data: what `gather_page` has computed.
    """
    env = environment()
    style = env.get_template("page.css").render(shades=range(1, SHADES + 1)).strip()
    script = env.get_template("page.js").render().strip()
    names = [Path(reading.source.name).name for reading in data.tally.readings]
    return (
        env.get_template("page.html").render(
            title=shown(", ".join(names), 120),
            synthetic=any(is_synthetic(name) for name in names),
            synthetic_words=SYNTHETIC,
            head=shown(title(data.board), 1000),
            facts=_facts(data),
            boards=_board_parts(data),
            rates=win_rate_view(data.board),
            battles=battles_view(data.board),
            pairs_csv=spreadsheet_csv(_of_first(data)),
            match=_match_part(data),
            comparison=_comparison_part(data),
            suppositions=_json(packed(data.suppositions, _first_supposed(data)))
            if data.suppositions
            else None,
            shares=SHARES,
            uplifts=UPLIFTS,
            funnel=funnel_view(data.tally, data.board),
            left_out=[shown(reason, 600) for reason in data.left_out],
            level=f"{data.board.interval.level * 100:g}",
            scale=data.board.scale,
            rule=data.board.fit.rule,
            manifest=json.dumps(page_manifest(data), indent=1, ensure_ascii=False, default=str),
            style=style,
            script=script,
            policy=_policy(style, script),
            drawn=DRAWN,
            kinds=KINDS,
        )
        + "\n"
    )


def write_page(data: PageData, path: str | Path) -> None:
    """Write the page to a file, all of it or nothing.

    Raises:
        OptionError: if the path cannot be written to, or is none of HTML.
    """
    target = check_output(path, SUFFIXES)
    page = render_page(data)
    write_whole(target, lambda file: file.write_text(page, encoding="utf-8", newline="\n"))


def page_manifest(data: PageData) -> dict[str, Any]:
    """What is needed to make the page's numbers again."""
    found: dict[str, Any] = {"board": dict(data.board.manifest)}
    found["boards"] = {
        key: {
            "of": data.told[key],
            "counts_sha256": board.fit.all_counts.sha256(),
            "init": board.scale.init,
        }
        for key, board in data.boards.items()
    }
    if data.match is not None:
        found["match"] = dict(data.match.manifest)
        found["trained"] = {name: list(models) for name, models in data.match.trained.items()}
    if data.comparison is not None:
        found["comparison"] = comparison_manifest(data.comparison)
    found["suppositions"] = {"shares": SHARES, "uplifts": UPLIFTS}
    return found


def _policy(style: str, script: str) -> str:
    """What the page may do: use its own style sheet and script, and nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _json(values: Mapping[str, object]) -> str:
    """Values as JSON that cannot end the script element it stands in."""
    from jinja2.utils import htmlsafe_json_dumps

    dumps = partial(json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return htmlsafe_json_dumps(values, dumps=dumps)


# ── parts ──────────────────────────────────────────────────────────────────────────────────


def _first_supposed(data: PageData) -> str:
    """Whom the what-if panel begins with: a model trained on what was seen, or one in the middle."""
    trained = (
        [one for models in data.match.trained.values() for one in models] if data.match else []
    )
    names = [one.model for one in data.suppositions]
    return next((name for name in names if name in trained), names[len(names) // 3])


def _facts(data: PageData) -> list[tuple[str, str, str]]:
    """The figures at the top: each with what it is, and a word on it."""
    board = data.board
    fit = board.fit
    days = "" if data.days is None else f"{data.days[0]} to {data.days[1]}"
    left_out = f"{len(fit.left_out)} more not rated" if fit.left_out else ""
    facts = [
        (f"{fit.counts.n_battles:,.0f}", "votes counted", days),
        (f"{len(fit.models):,}", "models rated", left_out),
    ]
    best = list(best_models(board).items())
    if best:
        name, chance = best[0]
        facts.append((shown(name, 60), "rated first", f"with probability {min(chance, 0.999):.1%}"))
    else:
        facts.append((shown(rated(board, 1)["model"][0], 60), "rated first", ""))
    if data.match is not None:
        battles = dict(kinds_table(data.match).select("prompts", "battles").iter_rows())
        share = battles["seen"] / max(sum(battles.values()), 1)
        note = amount(battles["seen"], "battle")
        facts.append((f"{share:.1%}", "on prompts seen in training data", note))
    if data.comparison is not None:
        moved = data.comparison.frame["p_adjusted"].drop_nulls()
        note = f"of {len(moved)}, by leaving out seen prompts"
        facts.append((str((moved < SURE).sum()), "ratings move more than chance would", note))
    return facts


def _board_parts(data: PageData) -> list[BoardPart]:
    axis = board_axis(data.boards)
    parts = []
    for key, board in data.boards.items():
        votes = amount(board.fit.counts.n_battles, "vote")
        view = board_view(
            board,
            caption=f"{data.told[key]}: {votes}, {amount(len(board.fit.models), 'model')}",
            axis=axis,
            beside=None if board is data.board else data.board,
        )
        parts.append(BoardPart(key, data.names[key], view, spreadsheet_csv(shown_rows(board))))
    return parts


def _of_first(data: PageData) -> Any:
    """The win rates of the models in the heat maps."""
    names = rated(data.board, 25)["model"].implode()
    pairs = pairs_table(data.board)
    return pairs.filter(pairs["model_a"].is_in(names) & pairs["model_b"].is_in(names))


def _match_part(data: PageData) -> dict[str, Any] | None:
    if data.match is None or data.found is None:
        return None
    return {
        "kinds": kinds_view(data.match, data.found.title, tuple(data.found.lines[1:])),
        "parts": parts_view(data.found),
        "examples": examples(data.match),
    }


def _comparison_part(data: PageData) -> dict[str, Any] | None:
    if data.comparison is None:
        return None
    match = data.match
    trained = frozenset(m for models in match.trained.values() for m in models) if match else ()
    view = comparison_view(data.comparison, frozenset(trained))
    return {
        "against": data.comparison.against,
        "said": view.lines[:VERDICT],
        "view": replace(view, lines=view.lines[VERDICT:]),
        "csv": spreadsheet_csv(data.comparison.frame),
    }
