"""What `benchmarks/results.py` is made of: its reference, its checks, its clock, its page."""

import dataclasses
import math
import platform
import sys
import xml.etree.ElementTree as ElementTree
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from arena.datasets import shipped
from arena.existence import largest_group
from arena.tally import count_pairs

FOLDER = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = (
    *("generate_votes", "generate_prompts", "measure", "reference", "vote_logs", "peers", "ours"),
    *("results_page", "plan", "log_sections", "task_sections", "results"),
)


@pytest.fixture(scope="module", autouse=True)
def scripts():
    """The scripts of the benchmarks, by their paths, for as long as these tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SCRIPTS:
            spec = spec_from_file_location(name, FOLDER / f"{name}.py")
            patch.setitem(sys.modules, name, module_from_spec(spec))
            spec.loader.exec_module(sys.modules[name])
        yield


def script(name):
    """One of them."""
    return sys.modules[name]


def task(function, **options):
    """Something quick that a process can do."""
    measure = script("measure")
    return measure.Task(function, "measure", function, options)


# ── the reference ──────────────────────────────────────────────────────────────────────────


def test_reference_of_two_models_is_a_logarithm():
    """Seven points against three are odds of 7 to 3; its error is that of a mean of votes."""
    names, ratings, errors = script("reference").rate_groups(
        np.array(["x", "x", "y"]),
        np.array(["y", "y", "x"]),
        np.array(["model_a", "tie", "model_a"]),
        np.array([6.0, 2.0, 2.0]),
    )

    assert names == ["x", "y"]
    elo = 400 / math.log(10)
    np.testing.assert_allclose(ratings, elo * np.array([0.5, -0.5]) * math.log(7 / 3), atol=1e-12)
    spread = math.sqrt(6 * 0.3**2 + 2 * 0.2**2 + 2 * 0.7**2) / (10 * 0.7 * 0.3)
    np.testing.assert_allclose(errors, elo * spread / 2, rtol=1e-12)


def test_reference_agrees_with_choix():
    """On the shipped counts, to what choix can do."""
    choix = pytest.importorskip("choix")
    counts = count_pairs(shipped())
    left, right = counts.pairs.T
    half = counts.outcomes[:, 2:].sum(axis=1) / 2
    points = np.zeros((counts.n_models, counts.n_models))
    np.add.at(points, (left, right), counts.outcomes[:, 0] + half)
    np.add.at(points, (right, left), counts.outcomes[:, 1] + half)

    ratings = script("reference").rate_points(points)

    theirs = script("reference").PER_LOG_ODDS * choix.ilsr_pairwise_dense(points, tol=1e-12)
    np.testing.assert_allclose(ratings, theirs - theirs.mean(), rtol=0, atol=1e-7)


def test_reference_is_one_dense_or_sparse(monkeypatch):
    """Conjugate gradients and Cholesky end at the same ratings."""
    reference, counts = script("reference"), script("vote_logs").many_counts(60, 20_000)
    won, lost = counts.outcomes[:, :2].T + counts.outcomes[:, 2:].sum(axis=1) / 2
    dense = reference.rate_pairs(*counts.pairs.T, won, lost, 60)
    monkeypatch.setattr(reference, "DENSE_MOST", 10)

    sparse = reference.rate_pairs(*counts.pairs.T, won, lost, 60)

    np.testing.assert_allclose(sparse, dense, rtol=0, atol=1e-10)


# ── logs ───────────────────────────────────────────────────────────────────────────────────


def test_shipped_counts_as_votes(tmp_path):
    """Counted again, the expanded votes are the shipped counts, to the last vote."""
    path = script("vote_logs").real_votes(tmp_path / "real.parquet")

    assert count_pairs(path).sha256() == count_pairs(shipped()).sha256()


def test_all_models_of_a_small_log_can_be_rated(tmp_path):
    """Votes on the others are left out, which are few."""
    counts = count_pairs(script("vote_logs").drawn_votes(tmp_path / "few.parquet", 2_000))

    assert largest_group(counts).kept.size == counts.n_models
    assert 1_500 < counts.n_battles <= 2_000


def test_shards_that_would_take_too_long_are_links(tmp_path):
    """So many are drawn as there is time for; the others are these once more, and that is said."""
    made = script("vote_logs").sharded_votes(tmp_path, 3_000, 3, most_seconds=0.0)

    assert made.n_drawn == 1
    assert [pl.scan_parquet(path).select(pl.len()).collect().item() for path in made.paths] == [
        *(1_000, 1_000, 1_000)
    ]


def test_counts_as_a_file(tmp_path):
    """What is loaded is what was saved."""
    logs = script("vote_logs")
    counts = logs.many_counts(30, 500)

    loaded = logs.load_counts(logs.save_counts(tmp_path / "counts.npz", counts))

    assert loaded.models == counts.models
    assert loaded.sha256() == counts.sha256()


def test_planted_prompts_stand_within_texts(tmp_path):
    """A tenth of the prompts, word for word, once, and no text equals one; decon has the same."""
    made = script("vote_logs").corpus_beside_prompts(tmp_path, 150, 100)
    texts = [
        text
        for file in sorted((tmp_path / "corpus").iterdir())
        for text in pl.read_ndjson(file)["text"]
    ]
    prompts = pl.read_ndjson(tmp_path / "votes.jsonl")["prompt"].to_list()
    evals = pl.read_ndjson(tmp_path / "evals" / "prompts.jsonl")

    within = [sum(f"\n\n{prompts[row]}\n\n" in text for text in texts) for row in made.rows]

    assert within == [1] * 10
    assert len(texts) == 150
    assert made.n_bytes == sum(len(text.encode()) for text in texts)
    assert not set(texts) & set(prompts)
    assert evals["question"].to_list() == prompts
    assert evals["eval_instance_index"].to_list() == list(range(100))


# ── the clock ──────────────────────────────────────────────────────────────────────────────


def test_a_task_has_rounds_a_peak_and_an_answer():
    """One warm call is not counted; a cold call is a process."""
    measure = script("measure")

    (found,) = measure.race([task("versions_task", names=["numpy"])], rounds=2, cold_rounds=2)

    assert not found.why_not
    assert (len(found.warm), len(found.cold)) == (2, 2)
    assert found.answer == {"numpy": np.__version__}
    assert 0 < found.seconds < found.cold_seconds
    assert 5 < found.peak_mb < 200


def test_a_long_task_is_counted_twice(monkeypatch):
    """Beside the first call, which compiles and is never counted."""
    measure = script("measure")
    monkeypatch.setattr(measure, "LONG", 0.0)

    (found,) = measure.race([task("versions_task", names=[])], rounds=5, cold_rounds=5)

    assert (len(found.warm), len(found.cold)) == (2, 2)


def test_a_task_may_be_counted_less_often():
    """As often as it says at most, while the others go on."""
    measure = script("measure")
    one = task("versions_task", names=[])

    few, all_of_them = measure.race([dataclasses.replace(one, rounds=2), one], rounds=3)

    assert (len(few.warm), len(all_of_them.warm)) == (2, 3)


def test_what_stands_in_no_target_takes_fewer_rounds():
    """Other libraries if nobody is named, or who is named; ours are cold as before."""
    measure, in_no_target = script("measure"), script("plan").in_no_target
    tasks = [measure.Task("a", "ours", "x"), measure.Task("b", "peers", "x", cold_rounds=1)]

    others = in_no_target(tasks, cold_rounds=0)
    named = in_no_target(tasks, "a")

    assert others == [tasks[0], dataclasses.replace(tasks[1], rounds=3, cold_rounds=0)]
    assert named == [dataclasses.replace(tasks[0], rounds=3), tasks[1]]


def test_a_task_that_cannot_be_done_says_why():
    """A missing library, a mistake, the end of a process: the others are measured all the same."""
    measure = script("measure")
    tasks = [
        measure.Task("absent", "no_such_library", "board"),
        task("versions_task", wrong=1),
        task("versions_task", names=[]),
        measure.Task("no Python", "measure", "versions_task", {}, "/nowhere/python"),
    ]

    absent, mistaken, good, none = measure.race(tasks, rounds=1)

    assert absent.why_not == "no_such_library is not installed"
    assert mistaken.why_not.startswith("TypeError: ")
    assert not good.why_not
    assert none.why_not == "its process cannot be started"


# ── answers ────────────────────────────────────────────────────────────────────────────────


def checked(ratings, names=("x", "y"), **answer):
    """What the check says of ratings that should be 10 and -10, with errors of 2."""
    measure = script("measure")
    measured = measure.Measured(task("t"), answer={"models": names, "ratings": ratings, **answer})
    right = np.array([10.0, -10.0])
    return script("plan").check(
        measured, ["x", "y"], right, script("plan").RIGHT, np.array([2.0, 2.0])
    )


def test_right_ratings_pass_wherever_they_are_centred():
    """In any order, about any mean."""
    found = checked([990.0, 1010.0], ("y", "x"), std_errors=[2.0, 2.0])

    assert not found.why_not
    assert found.answer["error"] < 1e-9


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"ratings": [10.001, -10.0]}, "wrong by 0.0005 points"),
        ({"ratings": [10.0, math.nan]}, "wrong by nan points"),
        ({"ratings": [10.0, -10.0], "names": ("x", "z")}, "it rates other models"),
        ({"ratings": [10.0, -10.0], "std_errors": [2.0, 2.1]}, "its standard errors are 1.000"),
    ],
)
def test_wrong_answers_are_found(answer, why):
    """Their times do not count."""
    assert checked(**answer).why_not.startswith(why)


def test_a_ratio_with_a_wrong_answer_is_none():
    """Nothing is claimed of it."""
    measure = script("measure")
    good = measure.Measured(task("good"), warm=(2.0, 4.0, 3.0))
    wrong = measure.Measured(task("wrong"), warm=(1.0,), why_not="wrong by 2 points")

    assert script("plan").ratio(good, good) == 1.0
    assert math.isnan(script("plan").ratio(good, wrong))
    assert math.isnan(script("plan").ratio(None, good))


def test_others_are_right(tmp_path):
    """Each library that is installed here gives the reference's ratings, to one point."""
    peers = script("peers")
    path = str(script("vote_logs").drawn_votes(tmp_path / "votes.parquet", 6_000))
    names, ratings, errors = script("plan").reference_of([path])
    adapters = {
        "evalica_board": "evalica",
        "choix_board": "choix",
        "sklearn_board": "sklearn",
        "leaderbot_board": "leaderbot",
    }
    installed = [name for name, package in adapters.items() if script_there(package)]

    answers = {name: getattr(peers, name)(path)() for name in installed}
    answers["ours"] = script("ours").board([path])()

    for name, answer in answers.items():
        measured = script("measure").Measured(task(name), answer=answer)
        most = script("plan").RIGHT if name == "ours" else script("plan").CLOSE
        assert not script("plan").check(measured, names, ratings, most, errors).why_not, name


def test_planted_prompts_have_to_be_found(tmp_path):
    """Ours finds all that are long enough, and nothing else; if it missed one, no time counts."""
    sections, measure = script("task_sections"), script("measure")
    sizes = dataclasses.replace(script("plan").TINY, repeats=(1, 0))
    plan = script("plan").Plan(sizes, tmp_path, {"decontaminate": sys.executable})

    _, (own, peer), text = sections.beside_decon(plan)

    planted = script("vote_logs").corpus_beside_prompts(tmp_path / "x", *plan.sizes.beside).rows
    assert not own.why_not
    assert set(planted) <= {*own.answer["seen"], *own.answer["short"]}
    assert len(own.answer["seen"]) < 1.5 * len(planted)
    assert "finds 18 of the 18 planted prompts" in text
    if not script_there("decon"):
        assert peer.why_not == "decon is not installed"
        assert math.isnan(script("plan").ratio(peer, own))
    answer = {"seen": own.answer["seen"][1:], "short": own.answer["short"]}
    missing = dataclasses.replace(own, answer=answer)
    absent = measure.Measured(task("decon"), why_not="decon is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "race", lambda *_: [missing, absent])
        _, (found, _), _ = sections.beside_decon(plan)
    assert found.why_not == "it misses 1 of 18 planted prompts"


def script_there(package):
    """Whether a package is installed."""
    from importlib.util import find_spec

    return find_spec(package) is not None


# ── the page ───────────────────────────────────────────────────────────────────────────────


def test_exponents_are_powers():
    """What takes n² has two; what does not grow has none."""
    page = script("results_page")
    points = [page.Point("x", n, 3e-6 * n**2, 80.0) for n in (10, 100, 1_000)]

    assert page.exponent(points, "seconds") == pytest.approx(2.0)
    assert page.exponent(points, "peak_mb") == pytest.approx(0.0)
    assert math.isnan(page.exponent(points[:1], "seconds"))


@pytest.mark.parametrize(
    ("found", "side", "verdict"),
    [
        (2.0, "most", "met"),
        (2.1, "most", "**missed**"),
        (1.9, "least", "**missed**"),
        (2.0, "least", "met"),
        (math.nan, "most", "not measured"),
    ],
)
def test_a_target_is_met_missed_or_not_measured(found, side, verdict):
    """What could not be measured is never met."""
    assert script("results_page").Target(1, "x", found, 2.0, side).verdict == verdict


def a_section(results_page, measure):
    """A section with one of everything."""
    measured = measure.Measured(
        measure.Task("arena, x", "ours", "x", {"paths": ["a"]}),
        warm=(2.0, 1.0),
        cold=(3.0,),
        peak_mb=50.0,
        answer={"error": 1e-9, "ratings": [1.0, 2.0], "models": ("a", "b")},
    )
    points = (
        results_page.Point("arena, x", 10, 1.0, 9.0),
        results_page.Point("arena, x", 90, 3.0, 9.0),
    )
    return results_page.Section(
        "Title",
        "A text.",
        (("heading", [measured]),),
        (results_page.Target(3, "what", math.nan, 2_000.0, "most"),),
        (results_page.Curve("votes", "votes", points),),
        12.0,
    )


def test_a_section_can_be_kept(tmp_path):
    """Read back, it makes the same page and the same chart; ratings are not kept."""
    page, section = script("results_page"), a_section(script("results_page"), script("measure"))

    text = page.sections_to_json({"boards": section}, {"numpy": "2"})
    kept, made = page.sections_from_json(text)

    pages = [
        page.render([one], one.curves, {"cores": "2"}, {"numpy": "2"}, [])
        for one in (section, kept["boards"])
    ]
    assert pages[0] == pages[1]
    assert "Measured in 12 s." in pages[0]
    assert "| 3 | what |  | at most 2,000 | not measured |" in pages[0]
    assert made == {"numpy": "2"}
    assert kept["boards"].curves == section.curves
    assert kept["boards"].rows[0][1][0].answer == {"error": 1e-9}


def test_some_sections_again(tmp_path, monkeypatch):
    """Only these are measured; the others are as before, or said to be absent."""
    results, page, measure = script("results"), script("results_page"), script("measure")
    plan = script("plan").Plan(script("plan").TINY, tmp_path)
    before = {"boards": a_section(page, measure), "elo": page.Section("Online Elo", "old")}

    def elo(plan):
        return page.Section("Online Elo", "fresh")

    monkeypatch.setattr(results, "SECTIONS", (script("log_sections").boards, elo))
    found = results.run(plan, ["elo"], before, results.made_on(plan))

    of = dict(zip(results.SECTION_NAMES, found, strict=True))
    assert of["boards"] is before["boards"]
    assert of["elo"].text == "fresh"
    assert of["elo"].seconds >= 0.0
    assert of["style"].text == "Not measured; `--only style` does."
    kept, made = results.measured_before(plan)
    assert set(kept) == {"boards", "elo"}
    assert made == results.made_on(plan)


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        ("[]", "cannot be read; run without --only"),
        ('{"sections": {}, "made": {"sizes": "other"}}', "was made with other sizes; run without"),
    ],
)
def test_sections_made_otherwise_do_not_mix(tmp_path, capsys, kept, line):
    """One page has one machine, one size, one version of everything."""
    results = script("results")
    (tmp_path / "results.json").write_text(kept)

    with pytest.raises(SystemExit) as ended:
        results.measured_before(script("plan").Plan(script("plan").TINY, tmp_path))

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_an_unknown_section_is_one_line(capsys):
    """It is named, and what there is."""
    with pytest.raises(SystemExit) as ended:
        script("results").names_of("elo,speed")

    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "results.py: --only: no section 'speed'; there are boards, shards, models, bootstraps, "
        "elo, style, matching\n"
    )


def test_a_library_is_taken_from_the_first_python_that_has_it(monkeypatch):
    """This one first, then the others in their order."""
    results, measure = script("results"), script("measure")
    there = {"/one": {"choix": "1", "decontaminate": "1"}, "/two": {"choix": "2", "evalica": "2"}}
    monkeypatch.setattr(results, "versions", lambda *_: {"scipy": "0"})
    monkeypatch.setattr(
        results,
        "race",
        lambda tasks, _: [
            measure.Measured(one, answer={"scipy": "9", **there[one.python]}) for one in tasks
        ],
    )

    python, version = results.find_peers(["/one", "/two"])

    assert python == {
        "scipy": sys.executable,
        **{"choix": "/one", "decontaminate": "/one", "evalica": "/two"},
    }
    assert version == {"scipy": "0", "choix": "1", "decontaminate": "1", "evalica": "2"}


def test_a_small_run_to_the_page(tmp_path):
    """One section measured, drawn and written: what ran, what was missing, no computer's name."""
    page, measure = script("results_page"), script("measure")
    plan = script("plan").Plan(script("plan").TINY, tmp_path, {"arena-rank": sys.executable})
    section = script("task_sections").style(plan)
    points = tuple(page.Point("arena, x", n, n / 1e6, 90.0) for n in (10, 1_000))
    curves = [page.Curve("votes", "votes", points)]

    text = page.render([section], curves, measure.machine(), {"numpy": "2"}, ["evalica"])
    for name in ("a.svg", "b.svg"):
        page.draw(curves, tmp_path / name)

    own, floor, peer = section.rows[0][1]
    assert not own.why_not + floor.why_not
    assert own.answer["iterations"] > 1
    assert f"| {peer.task.name} | " in text
    if not script_there("jax"):
        assert "jax is not installed" in text
        assert "not measured" in text
    assert "Not installed, and so not measured: evalica." in text
    assert "| votes | arena, x | 10 to 1,000 | 1.00 | 1.00 | 0.00 | 0.00 |" in text
    assert platform.node() not in text
    assert str(tmp_path) not in text
    ElementTree.parse(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
