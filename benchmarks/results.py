"""How fast, and how far it goes: `arena` beside other libraries, and beside what is unavoidable.

    python benchmarks/results.py --scratch FOLDER

measures everything, and writes `RESULTS.md` and `growth.svg`. It needs an idle machine, `pip
install ".[test,bench]"`, and 3 GB of room in the scratch folder. A library that is missing is said
to be; one that is installed elsewhere is used there with `--peers-python PATH`. `--only boards,elo`
measures these sections again; the others are taken from the run before, which left them in the
scratch folder.

No time counts before its answer has been held against `reference.py`. Limits are ratios within
one run. Each task runs in processes of its own, which take turns; see `measure.py`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import NoReturn

from log_sections import boards, shards
from measure import Task, machine, race, versions
from peers import DISTRIBUTIONS
from plan import FULL, TINY, Plan
from results_page import Section, draw, render, sections_from_json, sections_to_json
from task_sections import bootstraps, elo, matching, models, style

OUR_DISTRIBUTIONS = ("arena-ratings", "numpy", "polars", "pyarrow", "numba", "distributed")
SECTIONS: tuple[Callable[[Plan], Section], ...] = (
    *(boards, shards, models, bootstraps),
    *(elo, style, matching),
)
SECTION_NAMES = tuple(section.__name__ for section in SECTIONS)


def run(
    plan: Plan, only: Sequence[str], before: Mapping[str, Section], made: Mapping[str, str]
) -> list[Section]:
    """Measure sections; one that fails says so, and the others are measured all the same.

    Args:
        plan: what is measured, and with what.
        only: the names of the sections to measure.
        before: name → what was measured before, which stands for those that are not.
        made: what all of them were made with.
    """
    found = dict(before)
    for section in SECTIONS:
        name, start = section.__name__, perf_counter()
        if name not in only:
            continue
        try:
            found[name] = section(plan)
        except Exception as error:
            found[name] = Section(name, f"Not measured: {type(error).__name__}: {error}.")
        took = perf_counter() - start
        found[name] = replace(found[name], seconds=took)
        print(f"{name}: {took:.0f} s", file=sys.stderr, flush=True)
        kept_at(plan).write_text(sections_to_json(found, made), encoding="utf-8")
    absent = {
        name: Section(name, f"Not measured; `--only {name}` does.")
        for name in SECTION_NAMES
        if name not in found
    }
    return [(found | absent)[name] for name in SECTION_NAMES]


def kept_at(plan: Plan) -> Path:
    """Where sections stand that have been measured."""
    return plan.scratch / "results.json"


def made_on(plan: Plan) -> dict[str, str]:
    """What sections on one page have in common: sizes, machine, versions."""
    known = {**versions(*OUR_DISTRIBUTIONS), **plan.versions}
    return {"sizes": repr(plan.sizes), **machine(), **known}


def measured_before(plan: Plan) -> tuple[dict[str, Section], dict[str, str]]:
    """Name → section, of the run before in the same scratch folder, and what it was made with.

    Raises:
        SystemExit: if it was made in another way, so that one page cannot have both.
    """
    if not kept_at(plan).exists():
        return {}, {}
    try:
        found, made = sections_from_json(kept_at(plan).read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError):
        refuse(f"--only: {kept_at(plan)} cannot be read; run without --only")
    now = made_on(plan)
    other = [name for name in now if made.get(name, now[name]) != now[name]]
    if other:
        refuse(
            f"--only: {kept_at(plan)} was made with other {', '.join(other)}; run without --only"
        )
    return found, made


def refuse(message: str) -> NoReturn:
    """End with one line."""
    print(f"results.py: {message}", file=sys.stderr)
    raise SystemExit(2)


def find_peers(elsewhere: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Which Python has each library, and its version there: this one, or the first that does."""
    here = versions(*DISTRIBUTIONS)
    python, version = dict.fromkeys(here, sys.executable), dict(here)
    for path in elsewhere:
        task = Task("versions", "measure", "versions_task", {"names": DISTRIBUTIONS}, path)
        (there,) = race([task], 1)
        if there.why_not:
            refuse(f"--peers-python {path}: {there.why_not}")
        for name, number in there.answer.items():
            python.setdefault(name, path)
            version.setdefault(name, number)
    return python, version


def names_of(given: str | None) -> tuple[str, ...]:
    """The sections that `--only` names; all, if it is not given."""
    if given is None:
        return SECTION_NAMES
    names = tuple(name.strip() for name in given.split(","))
    unknown = [name for name in names if name not in SECTION_NAMES]
    if unknown:
        refuse(f"--only: no section '{unknown[0]}'; there are {', '.join(SECTION_NAMES)}")
    return names


def main() -> None:
    """Read the arguments, measure, write the page and the chart."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for vote logs")
    parser.add_argument(
        "--only",
        metavar="SECTION,...",
        help=f"measure these, and take the others from the run before: {', '.join(SECTION_NAMES)}",
    )
    parser.add_argument(
        "--peers-python",
        action="append",
        default=[],
        metavar="PATH",
        help="a Python that has libraries which this one lacks; may be given again",
    )
    parser.add_argument("--tiny", action="store_true", help="small sizes, to try the script")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("RESULTS.md"))
    options = parser.parse_args()
    only = names_of(options.only)
    for folder in (options.scratch, options.output.parent):
        folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(TINY if options.tiny else FULL, options.scratch, *find_peers(options.peers_python))
    before, made = measured_before(plan) if options.only else ({}, {})
    made = made | made_on(plan)
    sections = run(plan, only, before, made)
    known = {name: made[name] for name in (*OUR_DISTRIBUTIONS, *DISTRIBUTIONS) if name in made}
    missing = [name for name in DISTRIBUTIONS if name not in known]
    curves = list(chain.from_iterable(section.curves for section in sections))
    draw(curves, options.output.with_name("growth.svg"))
    page = render(sections, curves, machine(), known, missing)
    options.output.write_text(page, encoding="utf-8")
    print(page)
    measured = [one for section in sections for _, rows in section.rows for one in rows]
    wrong = any(one.why_not for one in measured if one.task.module == "ours")
    if wrong or not all(section.rows for section in sections):
        raise SystemExit("some answers of ours are wrong or missing: see the page")


if __name__ == "__main__":
    main()
