"""arena match, arena prompts, and the filters on prompts, from the command line."""

import json

import polars as pl
import pytest
from logs import round_robin

from arena.overlap_rules import OverlapRule, overlap_rule
from arena.prompt_match import read_match


def words(i, stop=9):
    """Some words that only the i-th sentence has."""
    return " ".join(f"t{i}x{k}" for k in range(stop))


SEEN, UNSEEN, STOCK, LONG = words(0), words(1), words(2), words(3, 30)
TIES = [("m1", "m2"), ("m2", "m3"), ("m3", "m4"), ("m4", "m1")] * 2
ROWS = [
    *(
        {**row, "prompt": STOCK, "language": "English"}
        for row in round_robin("m1", "m2", "m3", "m4")
    ),
    *(
        {"model_a": a, "model_b": b, "winner": "tie", "prompt": prompt, "language": language}
        for prompt, language, sides in (
            (SEEN, "English", [("m1", "m2"), ("m2", "m1"), ("m3", "m4"), ("m3", "m4")]),
            ("hi", "English", [("m1", "m2"), ("m3", "m2")]),
            (None, "English", [("m1", "m2"), ("m3", "m2")]),
            (UNSEEN, "German", TIES[:3]),
            (LONG, "German", TIES[3:]),
        )
        for a, b in sides
    ),
]
"""48 battles on a stock prompt, 4 on a seen one, 2 short, 2 without, 3 and 5 unseen: 64 in all."""

COUNTED = [
    ("all", "all", 62, 4, 8, 2, 48, 4 / 12),
    ("seen in corpus", "corpus.parquet", 4, 4, 0, 0, 0, 1.0),
    ("tokens", "5 to 9", 55, 4, 3, 0, 48, 4 / 7),
    ("tokens", "25 to 99", 5, 0, 5, 0, 0, 0.0),
    ("tokens", "1 to 4", 2, 0, 0, 2, 0, None),
    ("language", "English", 54, 4, 0, 2, 48, 1.0),
    ("language", "German", 8, 0, 8, 0, 0, 0.0),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with votes, and a corpus that has some of their prompts."""
    here = tmp_path_factory.mktemp("prompts")
    frame = pl.DataFrame(ROWS).with_columns(
        judge=pl.Series([f"j{i % 5}" for i in range(len(ROWS))]),
        tstamp=pl.Series([f"2024-05-{1 + i % 28:02d}T12:00:00Z" for i in range(len(ROWS))]),
        user_text=pl.col("prompt") + "\nand then?",
    )
    frame.write_parquet(here / "votes.parquet")
    texts = ["something else", SEEN, "hi", STOCK]
    pl.DataFrame({"text": texts}).write_parquet(here / "corpus.parquet")
    return here


@pytest.fixture
def match(arena, folder):
    """`arena match` on these votes and this corpus: more arguments in, a result out."""

    def run(*more, corpus="corpus.parquet"):
        return arena("match", folder / "votes.parquet", "--corpus", folder / corpus, "-q", *more)

    return run


@pytest.fixture
def written(match, tmp_path):
    """A match that some arguments of `arena match` have written."""

    def run(*more, **options):
        result = match(*more, "-o", tmp_path / "match.parquet", **options)
        assert (result.code, result.err) == (0, "")
        return tmp_path / "match.parquet"

    return run


def manifest(result):
    """The manifest of a result as JSON."""
    assert result.code == 0, result.err
    return json.loads(result.out)["manifest"]


# ── arena match ────────────────────────────────────────────────────────────────────────────


def test_a_match_in_every_form(match, tmp_path):
    """Every figure counted by hand; files hold what is shown; JSON has a manifest."""
    paths = [tmp_path / f"told.{suffix}" for suffix in ("csv", "json", "md")]
    files = [part for path in paths for part in ("-o", path)]
    shown = {
        form: match("--format", form, *files).out for form in ("table", "csv", "json", "markdown")
    }

    assert pl.read_csv(paths[0]).rows() == [pytest.approx(row) for row in COUNTED]
    assert [shown[form] for form in ("csv", "json", "markdown")] == [
        path.read_text("utf-8") for path in paths
    ]
    for form in ("table", "markdown"):
        text = " ".join(shown[form].replace("\\", "").split())
        assert "5 distinct prompts held against 4 training texts; seen: at least 50%" in text
        assert "nobody is said to be trained on it." in text
    told = json.loads(shown["json"])
    assert [tuple(row.values()) for row in told["match"]] == [pytest.approx(row) for row in COUNTED]
    assert (told["manifest"]["prompts"], told["manifest"]["battles"]) == (5, 62)
    (corpus,) = told["manifest"]["corpora"]
    assert (corpus["name"], corpus["texts"], corpus["skipped"]) == ("corpus.parquet", 4, [])


def test_the_manifest_says_by_which_rule(match):
    """What is needed to make it again is there."""
    assert manifest(match("--rule", "gpt3", "--format", "json"))["rule"]["n"] == 13


UNSEEN_OPTIONS = {
    (): ("unseen in 'corpus.parquet' (short: keep)", 58),
    ("--short", "drop"): ("unseen in 'corpus.parquet' (short: drop)", 8),
    ("--unseen-by", "model"): ("unseen by its models in 'corpus.parquet' (short: keep)", 60),
    ("--unseen-by", "model", "--short", "drop"): (
        "unseen by its models in 'corpus.parquet' (short: drop)",
        10,
    ),
}


@pytest.mark.parametrize("options", UNSEEN_OPTIONS)
def test_unseen_is_in_the_funnel_of_a_board(arena, folder, written, options):
    """By battle, by the models trained on it, with and without short and stock prompts."""
    name, after = UNSEEN_OPTIONS[options]
    path = written("--trained", "m1")

    result = arena("rate", folder / "votes.parquet", "--unseen", path, *options, "--format", "json")

    told = manifest(result)
    (row,) = told["filters"]
    assert row == {
        "condition": name,
        "before": 64,
        "dropped": 64 - after,
        "unknown": 2,
        "after": after,
    }
    assert told["fit"]["battles"] == after


def test_a_match_serves_a_comparison(arena, folder, written):
    """With other filters before it; the funnel has both."""
    more = ["--draws", "19", "--rounds", "5", "-q", "--format", "json"]
    log = folder / "votes.parquet"

    told = manifest(arena("compare", log, "--unseen", written(), "--language", "English", *more))

    assert [row["condition"] for row in told["filters"]] == [
        "language is English",
        "unseen in 'corpus.parquet' (short: keep)",
    ]
    assert [row["after"] for row in told["filters"]] == [56, 50]


def test_a_match_of_filtered_votes_serves_these_alone(arena, folder, written):
    """It knows the prompts it was made of, and says so of others."""
    path = written("--language", "German")
    log = folder / "votes.parquet"

    both = arena("rate", log, "--language", "German", "--unseen", path, "-q")
    other = arena("rate", log, "--unseen", path, "-q")

    assert both.code == 0, both.err
    assert read_match(path).manifest["conditions"] == ["language is German"]
    assert (other.code, other.out) == (2, "")
    assert "match: lacks 3 prompts of these votes; it was made from" in other.err


RULES = {
    (): OverlapRule(),
    ("--rule", "gpt3"): overlap_rule("gpt3"),
    ("--rule", "llama3", "--threshold", "0.5"): overlap_rule("llama3", 0.5),
    ("--n", "3", "--cap", "7", "--jaccard", "0.6"): OverlapRule(n=3, cap=7, jaccard=0.6),
    ("--rule", "palm", "--n", "5"): OverlapRule(
        5, common=True, union=True, threshold=0.7, jaccard=None
    ),
}


@pytest.mark.parametrize("options", RULES)
def test_options_of_the_rule_reach_the_match(written, options):
    """By name, and each field by itself."""
    assert read_match(written(*options)).rule == RULES[options]


def test_all_turns_can_be_matched(match, written, tmp_path):
    """Then a prompt is all that the user said; what only begins with it is no copy."""
    pl.DataFrame({"text": [SEEN, f"{UNSEEN}\nand then?"]}).write_parquet(tmp_path / "c.parquet")
    options = ["--text", "user_text", "--rule", "gpt3", "--n", "11"]

    told = json.loads(match(*options, "--format", "json", corpus=tmp_path / "c.parquet").out)
    frame = read_match(written(*options, corpus=tmp_path / "c.parquet")).frame

    assert frame.filter("exact")["prompt"].to_list() == [f"{UNSEEN}\nand then?"]
    assert (told["match"][0]["battles"], told["match"][0]["seen"]) == (62, 3)


def test_whose_turns_count(arena, folder, tmp_path):
    """Users' by themselves, answers where they are asked for."""
    turns = [{"role": "user", "content": UNSEEN}, {"role": "assistant", "content": SEEN}]
    path = tmp_path / "chats.jsonl"
    path.write_text(json.dumps({"conversation": turns}))

    for roles, expected in {"user": 3, "assistant": 4, "user,assistant": 7, "all": 7}.items():
        options = ["--roles", roles, "--format", "json", "-q"]
        result = arena("match", folder / "votes.parquet", "--corpus", path, *options)
        assert json.loads(result.out)["match"][0]["seen"] == expected


def test_a_toml_of_corpora_says_who_was_trained(arena, folder, written, tmp_path):
    """Beside corpora named by themselves, with their own models."""
    toml = tmp_path / "facts.toml"
    toml.write_text(
        f"[corpora.chats]\nfiles = ['{folder}/corpus.parquet']\ncolumn = 'text'\n"
        "[corpora.nowhere]\n"
        "[[models.m4.trained_on]]\ncorpus = 'chats'\nsource = 'said so'\n"
    )
    path = written("--trained", "m1,m2", "--trained", "m3", "--corpora", toml)
    alone = arena(*("match", folder / "votes.parquet", "--corpora", toml, "-q", "--format", "json"))

    assert read_match(path).trained == {"corpus.parquet": ("m1", "m2", "m3"), "chats": ("m4",)}
    assert [corpus["name"] for corpus in manifest(alone)["corpora"]] == ["chats"]
    assert set(read_match(path).frame["corpus"]) == {"corpus.parquet", "chats"}


def test_several_corpora_are_told_apart_and_together(match, folder, tmp_path):
    """A battle is counted once in all, and in each corpus that had its prompt."""
    pl.DataFrame({"text": [SEEN, UNSEEN]}).write_csv(tmp_path / "other.csv")
    told = json.loads(match("--corpus", tmp_path / "other.csv", "--format", "json").out)["match"]

    rows = {(row["by"], row["value"]): (row["battles"], row["seen"]) for row in told}
    assert rows["all", "all"] == (62, 7)
    assert rows["seen in corpus", "corpus.parquet"] == (4, 4)
    assert rows["seen in corpus", "other.csv"] == (7, 7)


def test_a_bad_file_can_be_left_out(match, folder, tmp_path):
    """It is named either way, in one line."""
    (tmp_path / "b.parquet").write_bytes((folder / "corpus.parquet").read_bytes())
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    pattern = f"{tmp_path}/*.parquet"

    stopped = match(corpus=pattern)
    gone_on = match("--skip-bad-files", "--format", "json", corpus=pattern)
    shown = match("--skip-bad-files", corpus=pattern)

    assert (stopped.code, stopped.out) == (2, "")
    assert "a.parquet: " in stopped.err
    assert stopped.err.endswith("leave such files out with --skip-bad-files\n")
    assert stopped.err.count("\n") == 1
    (corpus,) = manifest(gone_on)["corpora"]
    assert [str(tmp_path / "a.parquet") in why for why in corpus["skipped"]] == [True]
    assert json.loads(gone_on.out)["match"][0]["seen"] == 4
    assert "Left out: " in shown.out


# ── pairs that are hard to judge ───────────────────────────────────────────────────────────


@pytest.fixture
def doubtful(arena, tmp_path):
    """`arena match --show N` on three prompts, of which a text has 0.3, 0.6 and all."""
    prompts = [words(i, 14) for i in range(3)]
    sides = {"model_a": "x", "model_b": "y", "winner": "tie"}
    pl.DataFrame([{**sides, "prompt": prompt} for prompt in prompts]).write_csv(tmp_path / "v.csv")
    texts = [f"{words(0, 7)} {words(8, 30)}", f"{words(1, 10)} {words(8, 30)}"]
    texts += [f"{prompts[2]} {words(9, 3)}"]
    pl.DataFrame({"text": texts}).write_csv(tmp_path / "c.csv")

    def run(*more):
        return arena("match", tmp_path / "v.csv", "--corpus", tmp_path / "c.csv", "-q", *more)

    return run


def test_pairs_are_shown_with_their_figures(doubtful):
    """Class, share, Jaccard, where, and both texts; one that equals is none of them."""
    result = doubtful("--show", "9")

    assert result.code == 0, result.err
    pairs = [pair.splitlines() for pair in result.out.strip().split("\n\n")]
    assert sorted(pair[0] for pair in pairs) == [
        "seen: share 0.60, Jaccard 0.23; c.csv, row 1",
        "seen: share 1.00, Jaccard 0.82; c.csv, row 2",
        "unseen: share 0.30, Jaccard 0.16; c.csv, row 0",
    ]
    ((_, prompt, text),) = (pair for pair in pairs if pair[0].endswith("row 1"))
    assert prompt == f"  prompt  {words(1, 14)}"
    assert text == f"  text    {words(1, 10)} {words(8, 30)}"


def test_as_many_pairs_are_shown_as_asked_for(doubtful):
    """The hardest first: 0.6 is nearer to a half than 0.3."""
    first = doubtful("--show", "1", "--jaccard", "0.5").out

    assert first.count("prompt") == 1
    assert first.startswith("seen: share 0.60")


def test_what_is_seen_by_its_share_is_not_hard_to_judge_by_its_jaccard(doubtful):
    """With a share of 1 no slightly other Jaccard would judge otherwise."""
    assert doubtful("--show", "1").out.startswith("seen: share 0.60")


def test_pairs_name_the_file_of_their_text(match, folder, tmp_path):
    """In a corpus of several files a row alone leads nowhere."""
    for name in ("a", "b"):
        text = f"{LONG.rsplit(maxsplit=9)[0]} {name} {name} {name}"
        pl.DataFrame({"text": [text]}).write_parquet(tmp_path / f"{name}.parquet")

    assert "a.parquet" in match("--show", "1", corpus=f"{tmp_path}/*.parquet").out


def test_a_table_is_written_beside_the_pairs_shown(doubtful, tmp_path):
    """What -o names is there afterwards."""
    result = doubtful("--show", "1", "-o", tmp_path / "table.csv")

    assert result.code == 0
    assert (tmp_path / "table.csv").exists()


def test_a_suffix_in_capitals_is_the_same_suffix(doubtful, tmp_path):
    """As for every other output."""
    assert doubtful("-o", tmp_path / "MATCH.PARQUET").code == 0
    assert read_match(tmp_path / "MATCH.PARQUET").frame.height == 3


# ── arena prompts ──────────────────────────────────────────────────────────────────────────

PARTS = {
    "repeats": ["measure", "battles", "share", "battles_near", "share_near"],
    "repeated": ["prompt", "battles", "spellings", "judges", "days"],
    "freshness": ["every", "start", "battles", "fresh", "fresh_near"],
    "distribution": ["kind", "value", "battles", "share"],
    "drift": ["kind", "start", "battles", "distance", "by_chance"],
}


@pytest.mark.parametrize("part", PARTS)
def test_parts_of_a_survey_in_every_form(arena, folder, tmp_path, part):
    """Table, CSV, JSON and Markdown; files hold what is shown."""
    paths = [tmp_path / f"told.{suffix}" for suffix in ("csv", "json", "md", "parquet")]
    files = [word for path in paths for word in ("-o", path)]
    asked = ["prompts", folder / "votes.parquet", "--part", part, "--every", "week", "-q"]

    shown = {
        form: arena(*asked, "--format", form, *files)
        for form in ("table", "csv", "json", "markdown")
    }

    assert {result.code for result in shown.values()} == {0}
    for form, path in zip(("csv", "json", "markdown"), paths, strict=False):
        assert shown[form].out == path.read_text("utf-8")
    frame = pl.read_parquet(paths[3])
    assert frame.columns == PARTS[part]
    assert frame.height == len(json.loads(shown["json"].out)[part]) > 0
    for form in ("table", "markdown"):
        assert "62 battles with a prompt; 2 battles without: " in shown[form].out.replace("\\", "")


def test_figures_of_a_survey_by_hand(arena, folder):
    """Of 62 battles on five prompts 57 repeat; nobody's are near duplicates."""
    options = ["-q", "--format", "json"]
    told = json.loads(arena("prompts", folder / "votes.parquet", *options).out)["repeats"]

    row = {row["measure"]: row for row in told}["that repeat an earlier one"]
    assert (row["battles"], row["battles_near"]) == (57, 57)
    assert row["share"] == row["share_near"] == pytest.approx(57 / 62)


def test_a_survey_sees_what_filters_keep(arena, folder):
    """And says what they dropped."""
    log = folder / "votes.parquet"

    result = arena("prompts", log, "--language", "German", "--no-repeats", "--format", "json")

    told = {row["measure"]: row["battles"] for row in json.loads(result.out)["repeats"]}
    assert told["with a prompt"] == told["different prompts"] == 2
    assert "first battle of each prompt: drops 6 of 8 votes; 2 left" in result.err


@pytest.mark.parametrize("part", ["distribution", "drift"])
def test_the_best_are_as_many_rows_of_a_survey(arena, folder, part):
    """--top 1 gives one row in CSV as on the screen."""
    options = ["--part", part, "--every", "day", "--top", "1", "--format", "csv", "-q"]

    assert len(arena("prompts", folder / "votes.parquet", *options).out.splitlines()) == 2


@pytest.mark.parametrize(
    ("option", "name", "after"),
    [
        ("--no-repeats", "first battle of each prompt", 8),
        (
            "--no-near-repeats",
            "first battle of each prompt, near duplicates together (Jaccard 0.8)",
            7,
        ),
    ],
)
def test_repeats_can_be_left_out_of_a_board(arena, tmp_path, option, name, after):
    """Exact ones, or near ones too; battles without a prompt stay."""
    prompts = [SEEN, UNSEEN, LONG, STOCK, f"{SEEN} please", SEEN, STOCK, None, None, None]
    rows = [
        {"model_a": "x", "model_b": "y", "winner": "tie", "prompt": prompt} for prompt in prompts
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "v.parquet")

    result = arena("rate", tmp_path / "v.parquet", option, "--format", "json")

    (row,) = manifest(result)["filters"]
    assert (row["condition"], row["before"], row["after"]) == (name, 10, after)
    assert f"{name}: drops {10 - after} of 10 votes" in result.err


# ── mistakes, and strange data ─────────────────────────────────────────────────────────────

LOG, CORPUS = "LOG", "CORPUS"
MATCH = ["match", LOG, "--corpus", CORPUS]
MISTAKES = {
    "no corpus": (["match", LOG], "match: no corpus; name one with --corpus FILE"),
    "no such corpus": (
        ["match", LOG, "--corpus", "HERE/none.parquet"],
        "none.parquet: no such file",
    ),
    "no such pattern": (["match", LOG, "--corpus", "HERE/no*.x"], "no file matches this pattern"),
    "a folder": (["match", LOG, "--corpus", "HERE"], "cannot be read to its end"),
    "no column": (
        ["match", LOG, "--corpus", f"{CORPUS}:prompt"],
        "no column 'prompt'; columns are",
    ),
    "votes as a corpus": (["match", LOG, "--corpus", f"{LOG}:winners"], "no column 'winners'"),
    "twice": ([*MATCH, "--corpus", CORPUS], "corpus.parquet'; name them apart"),
    "nobody": ([*MATCH, "--trained", "m9"], "no model 'm9' in these votes; did you mean m"),
    "empty model": ([*MATCH, "--trained", "m1,"], "--trained: 'm1,' names an empty one"),
    "empty role": ([*MATCH, "--roles", ""], "--roles: '' names an empty one"),
    "no such toml": ([*MATCH, "--corpora", "HERE/no.toml"], "no.toml: cannot be read"),
    "trained on a toml": (
        ["match", LOG, "--corpora", "x.toml", "--trained", "m1"],
        "--trained: says who was trained on --corpus, of which there is none",
    ),
    "no such rule": ([*MATCH, "--rule", "gpt5"], "'gpt5' is not one of"),
    "threshold": ([*MATCH, "--threshold", "1.5"], "threshold: 1.5 is not a share between 0 and 1"),
    "nothing asked": ([*MATCH, "--threshold", "0"], "threshold: every prompt has a share of 0"),
    "Jaccard": ([*MATCH, "--jaccard", "0"], "jaccard: 0.0 is not above 0 and at most 1"),
    "n": ([*MATCH, "--n", "0"], "--n"),
    "long n": ([*MATCH, "--n", "65"], "n: 65 tokens; an n-gram has 1 to 64"),
    "cap": ([*MATCH, "--cap", "0"], "--cap"),
    "samples of tokens": ([*MATCH, "--show", "0"], "--show"),
    "no folder": ([*MATCH, "-o", "HERE/none/m.parquet"], "there is no folder"),
    "picture": ([*MATCH, "-o", "HERE/m.xlsx"], "the suffix must be one of"),
    "no prompts": (["match", "BARE", "--corpus", CORPUS], "no column 'prompt' to match"),
    "no full texts": (["match", "HI", "--corpus", CORPUS, "--text", "user_text"], "'user_text'"),
    "no prompts to survey": (["prompts", "BARE"], "no column 'prompt' to survey"),
    "no period": (["prompts", LOG, "--every", "soon"], "every: 'soon' is no period"),
    "survey's Jaccard": (["prompts", LOG, "--jaccard", "2"], "jaccard: 2.0 is not above 0"),
    "no part": (["prompts", LOG, "--part", "all"], "'all' is not one of"),
    "no such match": (["rate", LOG, "--unseen", "HERE/no.parquet"], "cannot be read as a match"),
    "no match": (["rate", LOG, "--unseen", CORPUS], "is no match; make one with arena match"),
    "repeats without texts": (["rate", "BARE", "--no-near-repeats"], "no column 'user_text' or"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_names_the_culprit(arena, folder, tmp_path, mistake):
    """Exit code 2, nothing on standard output, and no file, whole or half."""
    arguments, message = MISTAKES[mistake]
    plain = pl.read_parquet(folder / "votes.parquet").select("model_a", "model_b", "winner")
    plain.write_parquet(tmp_path / "bare.parquet")
    plain.with_columns(prompt=pl.lit("hi")).write_parquet(tmp_path / "hi.parquet")
    places = {LOG: folder / "votes.parquet", CORPUS: folder / "corpus.parquet", "HERE": tmp_path}
    places |= {"BARE": tmp_path / "bare.parquet", "HI": tmp_path / "hi.parquet"}
    for word, place in places.items():
        arguments = [part.replace(word, str(place)) for part in arguments]
    before = sorted(tmp_path.iterdir())
    output = [] if "-o" in arguments else ["-o", tmp_path / "out.parquet"]

    result = arena(*arguments, *output, "-q")

    assert (result.code, result.out) == (2, ""), result.err
    assert result.err.startswith("arena: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert sorted(tmp_path.iterdir()) == before


JUNK = bytes(range(128, 256)) * 40
BROKEN = {
    "junk": JUNK,
    "parquet": b"PAR1" + JUNK,
    "gzip": b"\x1f\x8b" + JUNK,
    "zstd": b"\x28\xb5\x2f\xfd" + JUNK,
    "json lines": b"{" + JUNK,
    "json": b"[" + JUNK,
    "zeros": bytes(5_000),
    "UTF-16": '{"text": "x"}'.encode("utf-16"),
    "unclosed": b'text\n"no end',
    "empty": b"",
    "blank": b" \n\n",
    "no rows": b"[]",
    "no keys": b"{}\n",
    "cut short": b'{"text": "one"}\n{"text": "two',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_corpus_that_is_none_is_named(match, tmp_path, kind):
    """One line, exit code 2, and no match is written."""
    path = tmp_path / "strange.bin"
    path.write_bytes(BROKEN[kind])

    result = match("-o", tmp_path / "match.parquet", corpus=path)

    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"arena: {path}: ")
    assert result.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("more", [[], ["--skip-bad-files"]])
def test_a_link_that_leads_nowhere_is_a_bad_file(match, folder, tmp_path, more):
    """Named, or left out, like any other that cannot be read."""
    (tmp_path / "a.parquet").symlink_to(folder / "gone.parquet")
    (tmp_path / "b.parquet").symlink_to(folder / "corpus.parquet")

    result = match(*more, corpus=f"{tmp_path}/*.parquet")

    assert result.code == (0 if more else 2)
    assert "a.parquet" in result.err + result.out


def test_text_that_is_no_utf_8_is_read_all_the_same(match, tmp_path):
    """Lines of binary junk are texts like others, and hide none."""
    path = tmp_path / "strange.txt"
    path.write_bytes(JUNK + b"\n\x00\x01\n" + SEEN.encode() + b"\n" + JUNK)

    told = json.loads(match("--format", "json", corpus=path).out)

    assert told["match"][0]["seen"] == 4
    assert told["manifest"]["corpora"][0]["texts"] == 4


def test_a_corpus_without_a_text_is_said_to_have_none(match, tmp_path):
    """A header and no rows: nothing would be seen, and that would say nothing."""
    path = tmp_path / "header.csv"
    path.write_text("text\n")

    result = match(corpus=path)

    assert (result.code, result.out) == (2, "")
    assert "header.csv: holds no text of 'user', 'human', 'prompter'; see --roles" in result.err


def test_an_enormous_prompt_is_a_prompt(arena, tmp_path):
    """Ten million characters of one, in votes and in the corpus, by every command."""
    huge, sides = f"{SEEN} " + "x" * 10_000_000, {"model_a": "x", "model_b": "y", "winner": "tie"}
    pl.DataFrame([{**sides, "prompt": huge}] * 2).write_parquet(tmp_path / "v.parquet")
    pl.DataFrame({"text": [SEEN, huge]}).write_parquet(tmp_path / "c.parquet")
    log, corpus = tmp_path / "v.parquet", tmp_path / "c.parquet"

    matched = arena("match", log, "--corpus", corpus, "-q", "--format", "json")
    surveyed = arena("prompts", log, "--part", "repeated", "-q", "--format", "json")

    assert json.loads(matched.out)["match"][0]["seen"] == 2
    (row,) = json.loads(surveyed.out)["repeated"]
    assert row["prompt"] == huge[:120]
    assert row["battles"] == 2


def test_a_damaged_match_is_refused(arena, folder, written):
    """Cut short, it is no match any more."""
    path = written()
    path.write_bytes(path.read_bytes()[:-100])

    result = arena("rate", folder / "votes.parquet", "--unseen", path, "-q")

    assert (result.code, result.out) == (2, "")
    assert "match.parquet: cannot be read as a match" in result.err
    assert result.err.count("\n") == 1
