"""The front page: every example on it is run, every number on it is printed by what it shows."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from worlds import battles

from arena.datasets import SYNTHETIC_SAMPLE, shipped
from arena.formats import FORMATS
from arena.leaderboard import COLUMNS, FEW_BATTLES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "README.md").read_text("utf-8")
SETUP = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/arena rate",
    'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/pytest',
)


def blocks(language: str, page: str = PAGE) -> list[str]:
    """The fenced blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def section(heading: str, page: str = PAGE) -> str:
    """What stands under a heading, up to the next one."""
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def shown_commands() -> list[tuple[str, list[str]]]:
    """Every `$ command` on the page with the lines shown under it."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def lines_of(text: str) -> list[str]:
    """The lines that hold anything, with runs of spaces as one."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def first_missing(shown: list[str], printed: list[str]) -> str | None:
    """The first line shown that is not what was printed at that place; `...` stands for any lines."""
    at, gap = 0, False
    for line in shown:
        if line == "...":
            gap = True
            continue
        found = printed.index(line, at) if line in printed[at:] else None
        if found is None or (found != at and not gap):
            return line
        at, gap = found + 1, False
    return None if gap or at == len(printed) else f"(not shown) {printed[at]}"


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command as typed into a shell in which `arena` is installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    hidden = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"PATH": path, "PYTHONUTF8": "1"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def folder(tmp_path, seen):
    """A folder with the vote logs that the page speaks of."""
    (tmp_path / "votes.csv").write_text(blocks("csv")[0])
    other = "left,right,choice\namber,birch,left\nbirch,amber,left\namber,birch,draw\n"
    (tmp_path / "other.csv").write_text(other)
    diary().write_csv(tmp_path / "log.csv")
    shutil.copy(seen, tmp_path)
    shutil.copy(shipped(SYNTHETIC_SAMPLE), tmp_path / "votes.parquet")
    (tmp_path / "chats").mkdir()
    shutil.copy(shipped("synthetic_corpus.parquet"), tmp_path / "chats")
    return tmp_path


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The match of the shipped sample with its corpus."""
    folder = tmp_path_factory.mktemp("match")
    assert run("arena match --quiet -o seen.parquet", folder).returncode == 0
    return folder / "seen.parquet"


def diary() -> pl.DataFrame:
    """A log with judges, times, and how long and how marked up the answers were."""
    rng = np.random.default_rng(0)
    frame = battles(6, 3_000, seed=1)
    styles = {
        f"{count}_{side}": pl.Series(rng.poisson(mean, frame.height))
        for count, mean in (("tokens", 300), ("headers", 2), ("lists", 5), ("bold", 4))
        for side in "ab"
    }
    days = pl.Series(np.sort(rng.integers(0, 240, frame.height)))
    start = pl.datetime(2024, 1, 1, time_zone="UTC")
    return frame.with_columns(
        judge=pl.format("judge-{}", pl.Series(rng.integers(0, 200, frame.height))),
        tstamp=start + pl.duration(days=days),
        **styles,
    )


def test_page_begins_with_two_commands():
    """One command installs and rates, the other installs and tests; each stands alone."""
    assert tuple(block.strip() for block in blocks("sh")[:2]) == SETUP


def test_checks_run_the_commands_of_the_page():
    """What .ci/run takes from the page is the two commands, as they stand there."""
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("a source distribution has no .ci")

    told = subprocess.run(["bash", script, "--show"], capture_output=True, text=True, check=True)

    assert tuple(told.stdout.splitlines()) == SETUP


@pytest.mark.parametrize(("command", "shown"), shown_commands(), ids=lambda value: str(value)[:60])
def test_command_prints_what_the_page_shows(command, shown, folder):
    """A command on the page prints every line shown under it, and no others."""
    done = run(command, folder)

    printed = lines_of(done.stderr) + lines_of(done.stdout)
    assert done.returncode in (0, 2)
    assert first_missing(lines_of("\n".join(shown)), printed) is None


@pytest.mark.parametrize(
    "command", [c for block in blocks("sh")[2:] for c in block.splitlines() if c[:6] == "arena "]
)
def test_command_without_output_succeeds(command, folder):
    """A command that the page gives without its output works."""
    done = run(command, folder)

    assert done.returncode == 0, done.stderr


def test_commands_are_found():
    """The page shows commands of each kind, and none is overlooked because of how it is set."""
    commands = [command for command, _ in shown_commands()]

    assert len(commands) >= 5
    assert len(commands) == len(re.findall(r"^\$ ", PAGE, re.MULTILINE))
    assert all(command.startswith("arena ") for command in commands)
    assert {"sh", "console", "csv", "python"} == set(re.findall(r"^```(\w+)$", PAGE, re.MULTILINE))


def test_python_on_the_page_gives_what_it_shows():
    """The Python blocks, read from top to bottom as one session, print what stands there."""
    session = doctest.DocTestParser().get_doctest(
        "\n".join(blocks("python")), {}, "README.md", "README.md", 0
    )
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)

    result = runner.run(session)

    assert result.attempted >= 10
    assert result.failed == 0


def test_formats_on_the_page_are_those_read():
    """The page's table of formats says what arena itself says of them."""
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", section("What it reads"), re.M)

    found = [
        (name, said, tuple(re.findall(r"`(\w+)`", told)), notes) for name, said, told, notes in rows
    ]

    assert found[2:] == [(f.name, f.published_as, f.tell_tale, f.notes) for f in FORMATS]


def test_every_column_is_explained():
    """The page explains the columns of a leaderboard, all of them in their order."""
    named = re.findall(r"^\| (`.*?) \|", section("What the columns mean"), re.MULTILINE)

    assert re.findall(r"`(\w+)`", " ".join(named)) == list(COLUMNS)
    assert f"Below {FEW_BATTLES} battles" in PAGE


def test_picture_shows_the_ratings_of_today(tmp_path):
    """Drawn anew, the picture names the same models with the same ratings and intervals."""
    script, picture = ROOT / "data" / "draw_readme_board.py", ROOT / "data" / "readme_board.svg"
    subprocess.run([sys.executable, script, tmp_path / "new.svg"], check=True)

    old, new = (path.read_text("utf-8") for path in (picture, tmp_path / "new.svg"))

    told = re.compile("<dc:description>(.*?)</dc:description>", re.DOTALL)
    assert told.findall(old) == told.findall(new)
    assert len(told.findall(old)[0].split("; ")) == 25
    for model in re.findall(r"(?:^|; )(\S+) ", told.findall(old)[0]):
        assert f">{model}<" in old


def test_speed_is_that_of_the_benchmarks():
    """Every time, size and ratio under Speed was measured, and stands among the results."""
    measured = (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8")
    found = set(re.findall(r"[\d,]*\d(?:\.\d+)?", measured))

    told = section("Speed").partition("```")[0]
    in_cells = re.findall(r"(?<=\| )[\d.]+(?= \|)", told)
    in_text = re.findall(r"([\d.]+) (?:s|MB|times)\b", told)

    assert len(in_cells) >= 8
    assert len(in_text) >= 5
    assert [claim for claim in in_cells + in_text if claim not in found] == []


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "data/README.md"],
)
def test_links_lead_somewhere(page):
    """Every link within the repository is to a file that is there."""
    text = (ROOT / page).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]

    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]

    assert missing == []


def test_page_knows_no_machine():
    """No path of somebody's machine stands on the page."""
    assert re.findall(r"(?<![\w.])/(?:home|tmp|work|usr|root|Users)/", PAGE) == []
