"""Prompts found in corpora: what counts as found, where the evidence is, and who drops what."""

import json
import random
from collections import Counter
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from arena.battles import read_battles
from arena.corpora import Corpus, open_corpus
from arena.errors import ColumnError, OptionError, ReadError, UserError
from arena.filters import select
from arena.matches import classify, overlap_table
from arena.matching import EXCERPT, match_prompts
from arena.overlap import match_texts
from arena.overlap_rules import RULES, OverlapRule, overlap_rule
from arena.prompt_index import index_prompts
from arena.prompt_match import COLUMNS, Match, read_match, rethreshold
from arena.unseen_filter import seen_prompts, short_prompts, unseen

LONG = 9
"""Words of a sentence, which so has five 5-grams."""


def words(i, start=0, stop=LONG):
    """Some words that only the i-th sentence has."""
    return " ".join(f"t{i}x{k}" for k in range(start, stop))


def asked(prompts, **columns):
    """Battles on these prompts, each called by its row."""
    n = len(prompts)
    sides = {"model_a": ["x"] * n, "model_b": ["y"] * n}
    frame = pl.DataFrame(
        {
            **sides,
            "winner": ["tie"] * n,
            "battle_id": list(map(str, range(n))),
            "prompt": pl.Series(prompts, dtype=pl.String),
            **columns,
        }
    )
    return read_battles(frame)


def corpus_of(path, texts, name=None):
    """A corpus of one file with a text a row."""
    pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)}).write_parquet(path)
    return open_corpus(str(path), name)


def found(tmp_path, prompts, texts, rule=None, **options):
    """Prompt → its row in the match with a corpus of these texts."""
    corpus = corpus_of(tmp_path / "corpus.parquet", texts)
    match = match_prompts(asked(prompts), [corpus], rule, **options)
    return {row["prompt"]: row for row in match.frame.iter_rows(named=True)}


def classes(tmp_path, prompts, texts, rule=None):
    """The class of each prompt, in the order given."""
    rows = found(tmp_path, prompts, texts, rule)
    return [rows[prompt]["class"] for prompt in prompts]


def kept(battles, *filters):
    """The rows that filters keep."""
    rows = select(battles, *filters).kept.frame.select("battle_id").collect()
    return sorted(map(int, rows["battle_id"]))


# ── against counting by hand ───────────────────────────────────────────────────────────────


def grams(text, n=5):
    """The distinct n-grams of a text."""
    parts = text.lower().split()
    return {tuple(parts[i : i + n]) for i in range(len(parts) - n + 1)}


def multiset_jaccard(one, other):
    """Intersection over union of two multisets of words."""
    one, other = Counter(one.lower().split()), Counter(other.lower().split())
    return (one & other).total() / (one | other).total()


def by_hand(prompt, prompts, texts, rule):
    """What the match should say of a prompt, pair by pair; texts are (file, row, text)."""
    tokens = len(prompt.split())
    exact = [text for text in texts if text[2].lower().split() == prompt.lower().split()]
    evidence = ("file", "row", "excerpt")
    told = {"tokens": tokens, "class": "short", "share": None, "union_share": None}
    told |= {"jaccard": None, "exact": bool(exact), **dict.fromkeys(evidence)}
    if tokens >= rule.n:
        often = Counter(gram for one in {p.lower() for p in prompts} for gram in grams(one))
        own = grams(prompt)
        known = {gram for gram in own if often[gram] <= rule.cap}
        shared = [known & grams(text) for *_, text in texts]
        most = max(map(len, shared))
        told["share"] = most / len(own)
        told["union_share"] = len(set().union(*shared)) / len(own)
        if most:
            best = texts[[len(one) for one in shared].index(most)]
            told["jaccard"] = multiset_jaccard(prompt, best[2])
            told |= zip(evidence, best, strict=True)
        alike = (told["jaccard"] or 0) >= rule.jaccard and told["share"] >= rule.jaccard_share
        seen = told["share"] >= rule.threshold or alike or exact
        told["class"] = "seen" if seen else "unseen"
    if exact:
        told |= zip(evidence, exact[0], strict=True)
    return told


def sayings(rng, n, longest=14):
    """Texts of few different words, so that much is shared by chance; some are quite short."""
    return [" ".join(rng.choices("abcd", k=rng.randint(1, longest))) for _ in range(n)]


def changed(rng, text):
    """A text with a word dropped, added, or in capitals; or as it is, in a longer one."""
    parts = text.split()
    at = rng.randrange(len(parts))
    kinds = [
        [*parts[:at], *parts[at + 1 :]],
        [*parts[:at], "new", *parts[at:]],
        [part.upper() for part in parts],
        ["before", *parts, "after", "that"],
    ]
    return " ".join(rng.choice(kinds)) or "new"


def conversations(path, rows):
    """A file with a conversation a row: user turns with answers between them."""
    said = [
        [
            turn
            for text in texts
            for turn in (
                {"role": "user", "content": text},
                {"role": "assistant", "content": "a b c d a b c d a b"},
            )
        ]
        for texts in rows
    ]
    path.write_text("".join(json.dumps({"conversation": turns}) + "\n" for turns in said))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cap", [256, 3])
def test_every_figure_is_that_of_counting_pair_by_pair(tmp_path, monkeypatch, seed, cap):
    """Shares, Jaccard, classes and places, for two corpora of files read in several blocks."""
    monkeypatch.setattr("arena.corpora.BLOCK_BYTES", 2_000)
    rng = random.Random(seed)
    rule = OverlapRule(cap=cap, threshold=0.6, jaccard=0.75)
    prompts = [*dict.fromkeys(sayings(rng, 40)), "A b C d A b", "a b"]
    prompts = list({prompt.lower(): prompt for prompt in prompts}.values())
    corpora, truth = [], {}
    for name in ("one", "two"):
        truth[name] = []
        for k in range(3):
            path = tmp_path / f"{name} {k}.jsonl"
            pool = [*sayings(rng, 8), *(changed(rng, text) for text in rng.sample(prompts, 8))]
            rows = [pool[i : i + 1 + i % 3] if i % 5 else [] for i in range(len(pool))]
            conversations(path, rows)
            truth[name] += [(str(path), i, text) for i, row in enumerate(rows) for text in row]
        corpora.append(open_corpus(str(tmp_path / f"{name} *.jsonl"), name))

    match = match_prompts(asked(prompts), corpora, rule)

    assert match.frame.schema == pl.Schema(COLUMNS)
    assert sorted(match.frame.select("corpus", "prompt").rows()) == sorted(
        product(truth, prompts), key=lambda row: row
    )
    for row in match.frame.iter_rows(named=True):
        expected = by_hand(row["prompt"], prompts, truth[row["corpus"]], rule)
        said = {name: row[name] for name in expected}
        assert said == expected
        assert (row["battles"], row["stock"]) == (1, False)
    told = match.manifest["corpora"]
    assert [one["texts"] for one in told] == [len(texts) for texts in truth.values()]
    assert [one["bytes"] for one in told] == [
        sum(len(text) for *_, text in texts) for texts in truth.values()
    ]
    if cap == 256:
        assert set(match.frame["class"]) == {"seen", "unseen", "short"}


# ── what counts as found ───────────────────────────────────────────────────────────────────


def test_case_and_spelling_of_characters_make_no_difference(tmp_path):
    """A copy in capitals, without accents, in full width, or with other punctuation is equal."""
    prompt = "Straße: naïve café, ﬁrst (½) of all?"
    variants = [
        prompt,
        prompt.upper(),
        "strasse naive cafe first 1⁄2 of all",
        "Ｓｔｒａｓｓｅ nai\u0308ve cafe\u0301 ﬁ\u200brst — ½ of all!!",
    ]

    for text in variants:
        row = found(tmp_path, [prompt], [text])[prompt]
        assert (row["class"], row["exact"], row["excerpt"]) == ("seen", True, text)


def test_half_of_the_ngrams_in_one_text_is_enough(tmp_path):
    """Of ten 5-grams five make it seen, four do not, and three and two in two texts do not."""
    prompts = [words(i, 0, 14) for i in range(4)]
    texts = [words(0, 0, 9), words(1, 0, 8), words(2, 0, 7), words(2, 8, 14), words(3, 5, 14)]

    assert classes(tmp_path, prompts, texts) == ["seen", "unseen", "unseen", "seen"]
    above = OverlapRule(above=True)
    assert classes(tmp_path, prompts, texts, above) == ["unseen"] * 4


def test_near_duplicates_are_seen_from_the_jaccard_on(tmp_path):
    """Eight words of ten together are 0.8, and eight of eleven are not; n-grams are few."""
    broken = [f"{words(i, 0, 4)} other{i} {words(i, 5)}" for i in range(2)]
    prompts = [words(0), words(1)]
    rows = found(tmp_path, prompts, [broken[0], f"{broken[1]} more"], OverlapRule(n=4))

    assert [rows[p]["jaccard"] for p in prompts] == [0.8, pytest.approx(8 / 11)]
    assert [rows[p]["share"] for p in prompts] == [pytest.approx(2 / 6)] * 2
    assert [rows[p]["class"] for p in prompts] == ["seen", "unseen"]
    assert rows[prompts[0]]["exact"] is False


def test_jaccard_is_of_multisets_and_only_with_a_text_that_shares_an_ngram(tmp_path):
    """A word four times is not that word once; the same words in another order are not found."""
    song = "la la la la one two three four five"
    shuffled = " ".join(reversed(words(0).split()))
    rows = found(tmp_path, [song, words(0)], ["la one two three four five", shuffled])

    assert rows[song]["jaccard"] == pytest.approx(6 / 9)
    assert rows[song]["share"] == 0.4
    assert rows[song]["class"] == rows[words(0)]["class"] == "unseen"
    assert rows[words(0)]["jaccard"] is rows[words(0)]["file"] is None


@pytest.mark.parametrize(("n_prompts", "share"), [(3, 3 / 5), (4, 0.0)])
def test_boilerplate_is_looked_for_and_never_found(tmp_path, n_prompts, share):
    """5-grams in more distinct prompts than the cap count as missing; repeats are one prompt."""
    greeting = words("g", 0, 7)
    prompts = [f"{greeting} {words(i, 0, 2)}" for i in range(n_prompts)]
    rows = found(tmp_path, [*prompts, *prompts], [greeting], OverlapRule(cap=3, jaccard=None))

    assert [rows[prompt]["share"] for prompt in prompts] == [pytest.approx(share)] * n_prompts
    assert {rows[prompt]["battles"] for prompt in prompts} == {2}


def test_a_copy_of_boilerplate_is_seen(tmp_path):
    """A text that equals a prompt is enough, even if none of its n-grams is looked for."""
    prompts = [words(0), f"{words(0)} more", words(1)]
    rows = found(tmp_path, prompts, [words(0), words(1)], OverlapRule(cap=1))

    assert [rows[prompt]["class"] for prompt in prompts] == ["seen", "unseen", "seen"]
    assert (rows[words(0)]["share"], rows[words(0)]["jaccard"]) == (0.0, None)
    assert (rows[words(0)]["row"], rows[words(0)]["excerpt"]) == (0, words(0))


def test_short_prompts_are_short_whether_found_or_not(tmp_path):
    """Only whole equality is known of them, to the letter but for case and white space."""
    prompts = ["2+2", "2-2", "Hi  there", "what is C++", ""]
    texts = ["2 2", " hi THERE ", "2-2 ", "tell me what is c#", "", "  "]
    rows = found(tmp_path, prompts, texts)

    assert [rows[prompt]["class"] for prompt in prompts] == ["short"] * 5
    assert [rows[prompt]["exact"] for prompt in prompts] == [False, True, True, False, False]
    assert [rows[prompt]["row"] for prompt in prompts] == [None, 2, 1, None, None]
    assert {rows[prompt]["share"] for prompt in prompts} == {None}
    assert rows[""]["tokens"] == 0


def test_spellings_of_one_prompt_share_what_is_found(tmp_path):
    """Each has a row of its own with its own battles, and the same evidence."""
    spellings = [words(0), words(0).upper(), f"{words(0)}!"]
    corpus = corpus_of(tmp_path / "corpus.parquet", [words(1), words(0)])
    match = match_prompts(asked([*spellings, spellings[2]]), [corpus])

    rows = match.frame.filter(pl.col("prompt").is_in(spellings))
    assert sorted(rows.select("prompt", "battles").rows()) == sorted(
        zip(spellings, [1, 1, 2], strict=True)
    )
    assert set(rows.select("class", "exact", "row").rows()) == {("seen", True, 1)}


HALVES = {
    "whole": ([(0, 30)], {"default", "gpt3", "palm", "llama3", "tulu3", "gpt4"}),
    "nothing": ([], set()),
    "thirteen words": ([(4, 17)], {"gpt3"}),
    "half the tokens": ([(0, 15)], {"gpt3"}),
    "two overlapping halves": ([(0, 16), (14, 30)], {"gpt3", "palm", "llama3", "tulu3"}),
    "three pieces": ([(0, 12), (9, 21), (18, 30)], {"llama3"}),
    "half the 5-grams": ([(0, 17)], {"default", "gpt3", "tulu3"}),
}
"""Which words of thirty are in texts, and which rules make that seen."""
DRAWN = {(case, "gpt4") for case in HALVES} - {("whole", "gpt4"), ("nothing", "gpt4")}
"""Where it depends on the substrings that gpt4 draws."""


@pytest.mark.parametrize(("case", "name"), sorted({*product(HALVES, RULES)} - DRAWN))
def test_published_rules_by_their_names(tmp_path, case, name):
    """Each of them decides as its paper says."""
    pieces, seeing = HALVES[case]
    texts = [words(9), *(words(0, *piece) for piece in pieces)]

    expected = "seen" if name in seeing else "unseen"
    assert classes(tmp_path, [words(0, 0, 30)], texts, overlap_rule(name)) == [expected]
    assert classes(tmp_path, ["t0x0 t0x1"], texts, overlap_rule(name)) == ["short"]


# ── where the evidence is ──────────────────────────────────────────────────────────────────


def test_an_equal_text_goes_before_one_that_has_as_much(tmp_path):
    """File and row are those of the first equal text; else of the first with most of it."""
    longer, part = f"before {words(0)} after", words(1, 0, 7)
    for name, texts in {"a": [longer, part], "b": [part, words(0), words(1, 0, 8)]}.items():
        corpus_of(tmp_path / f"{name}.parquet", texts)
    corpus = open_corpus(str(tmp_path / "*.parquet"), "both")

    rows = match_prompts(asked([words(0), words(1)]), [corpus]).frame.rows_by_key("prompt")

    (((*_, file, row, excerpt),), ((*_, other, place, text),)) = (
        rows[words(0)],
        rows[words(1)],
    )
    assert (file, row, excerpt) == (str(tmp_path / "b.parquet"), 1, words(0))
    assert (other, place, text) == (str(tmp_path / "b.parquet"), 2, words(1, 0, 8))


def test_rows_of_conversations_stay_those_of_the_file(tmp_path):
    """Turns and empty conversations before it do not move a row; the excerpt is of the turn."""
    path = tmp_path / "chats.jsonl"
    conversations(path, [[words(1), words(2), words(3)], [], ["hm", words(4), words(0)], ["x"]])
    row = match_prompts(asked([words(0)]), [open_corpus(str(path))]).frame.row(0, named=True)

    assert (row["row"], row["excerpt"], row["exact"]) == (2, words(0), True)


def test_the_excerpt_is_of_so_many_characters(tmp_path):
    """A text of ten million characters is read like any other, and its beginning is kept."""
    text = "ü" * 10_000_000 + " " + words(0)
    row = found(tmp_path, [words(0)], [words(1), text])[words(0)]

    assert (row["class"], row["row"]) == ("seen", 1)
    assert row["excerpt"] == "ü" * EXCERPT


def test_a_row_past_the_first_block_is_the_true_one(tmp_path):
    """Texts are read in blocks; nulls between them are rows, and no texts."""
    texts = [None if i % 3 else f"filler {i}" for i in range(45_000)]
    texts[40_003] = words(0)
    rows = found(tmp_path, [words(0)], texts)

    assert rows[words(0)]["row"] == 40_003
    assert rows[words(0)]["excerpt"] == words(0)


# ── stock prompts ──────────────────────────────────────────────────────────────────────────


def stock(*counts, n):
    """Whether prompts that come so many times in a log of n battles are stock."""
    often = [words(i) for i, count in enumerate(counts) for _ in range(count)]
    prompts = [*often, *(f"filler {i}" for i in range(n - len(often)))]
    corpus = Corpus("none", ("none",))
    match = match_prompts(asked(prompts), [corpus], go_through=nothing_found)
    flags = dict(match.frame.select("prompt", "stock").rows())
    assert sum(flags.values()) == sum(flags[words(i)] for i in range(len(counts)))
    return [flags[words(i)] for i in range(len(counts))]


def nothing_found(index, corpus, skip_bad_files):
    """A way through a corpus that has none of the prompts."""
    return match_texts(index, pl.Series(["nothing of the kind"])), []


def test_stock_prompts_are_more_than_one_battle_in_a_thousand():
    """Of 20,000 battles 20 are not enough, and 21 are."""
    assert stock(20, 21, 1, n=20_000) == [False, True, False]


def test_stock_prompts_need_some_battles_in_a_small_log():
    """Nine battles are too few, however small the log."""
    assert stock(9, 11, n=30) == [False, True]


def test_ten_battles_make_a_stock_prompt():
    """A prompt of more than one battle in a thousand, and of ten at least, is one."""
    assert stock(10, n=100) == [True]


def test_spellings_of_a_stock_prompt_are_counted_together(tmp_path):
    """Six battles each in two spellings are twelve; a prompt without words is never stock."""
    spellings = [words(0), f"{words(0).upper()}?!"]
    corpus = corpus_of(tmp_path / "corpus.parquet", [words(0), words(1)])
    match = match_prompts(asked([*spellings * 6, *[words(1)] * 6, *["  "] * 30]), [corpus])

    flags = dict(match.frame.select("prompt", "stock").rows())
    assert flags == {spellings[0]: True, spellings[1]: True, words(1): False, "  ": False}
    assert seen_prompts(match).to_list() == [words(1)]
    assert set(short_prompts(match)) == {*spellings, "  "}


# ── leaving out what was seen ──────────────────────────────────────────────────────────────

POOL = [
    *(words(i) for i in range(12)),
    *(words(i).upper() for i in range(3)),
    *("hi", "2+2", "", None, None),
]
STOCK = [words(20), words(21)]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Rows of a log, their battles, and a match with two corpora, on which models were trained."""
    rng, folder = random.Random(5), tmp_path_factory.mktemp("mixed")
    prompts = [*POOL * 4, *STOCK * 30]
    rng.shuffle(prompts)
    pairs = [rng.sample(["p", "q", "r", "s"], 2) for _ in prompts]
    rows = list(zip(prompts, *zip(*pairs, strict=True), strict=True))
    battles = asked(prompts, model_a=[row[1] for row in rows], model_b=[row[2] for row in rows])
    corpora = [
        corpus_of(folder / "a.parquet", [*(words(i) for i in range(5)), STOCK[0], "hi"], "a"),
        corpus_of(folder / "b.parquet", [*(words(i) for i in range(3, 8)), STOCK[1]], "b"),
    ]
    return rows, battles, match_prompts(battles, corpora, trained={"a": ["p", "q"], "b": ["r"]})


HAVE = {"a": set(range(5)), "b": set(range(3, 8))}
TRAINED = {"a": {"p", "q"}, "b": {"r"}}


def is_kept(prompt, sides, by, short):
    """Whether a battle is kept, written out."""
    if prompt is None:
        return False
    if prompt in ("hi", "2+2", "", *STOCK):
        return short == "keep"
    number = int(prompt.lower().split("x")[0].removeprefix("t"))
    for corpus, had in HAVE.items():
        if number in had and (by == "battle" or sides & TRAINED[corpus]):
            return False
    return True


@pytest.mark.parametrize("short", ["keep", "drop"])
@pytest.mark.parametrize("by", ["battle", "model"])
def test_unseen_keeps_what_a_plain_loop_keeps(mixed, by, short):
    """By battle or by model on either side; short and stock prompts either way; nulls unknown."""
    rows, battles, match = mixed
    selection = select(battles, unseen(match, by, short))

    expected = [
        i for i, (prompt, *sides) in enumerate(rows) if is_kept(prompt, set(sides), by, short)
    ]
    assert kept(battles, unseen(match, by, short)) == expected
    (funnel,) = selection.funnel.to_dicts()
    assert funnel["unknown"] == sum(prompt is None for prompt, *_ in rows) > 0
    assert (funnel["before"], funnel["after"]) == (len(rows), len(expected))
    whose = "unseen" if by == "battle" else "unseen by its models"
    assert funnel["condition"] == f"{whose} in 'a', 'b' (short: {short})"


def test_seen_prompts_are_those_of_one_corpus_or_of_any(mixed):
    """Stock prompts and short ones are of none."""
    *_, match = mixed
    names = {corpus: {words(i) for i in had} for corpus, had in HAVE.items()}

    for corpus, expected in names.items():
        spelt = set(seen_prompts(match, corpus).str.to_lowercase())
        assert spelt == expected
    assert set(seen_prompts(match).str.to_lowercase()) == names["a"] | names["b"]


def test_a_corpus_that_nobody_was_trained_on_drops_nothing_by_model(mixed):
    """Only models named for a corpus that had the prompt matter."""
    rows, battles, match = mixed
    other = Match(match.frame, match.rule, "prompt", {"a": (), "b": ("r",)}, match.manifest)

    expected = [
        i
        for i, (prompt, *sides) in enumerate(rows)
        if prompt is not None
        and not ("r" in sides and prompt.lower() in {words(i) for i in HAVE["b"]})
    ]
    assert kept(battles, unseen(other, "model")) == expected


def test_a_match_of_another_log_is_refused_by_name(tmp_path, mixed):
    """Prompts that it lacks are counted, and the log that it was made of is named."""
    path = tmp_path / "mine.parquet"
    asked([words(0), words(1)]).frame.collect().drop("source").write_parquet(path)
    corpus = corpus_of(tmp_path / "corpus.parquet", [words(0)])
    match = match_prompts(read_battles(path), [corpus])

    with pytest.raises(
        OptionError, match=r"lacks 2 prompts of these votes; it was made from '.*mine.parquet"
    ):
        select(asked([words(0), words(50), words(51), words(51), None]), unseen(match))


def test_a_match_of_a_larger_log_will_do(mixed):
    """A part of the votes is judged by the match of all of them."""
    rows, battles, match = mixed
    part = asked([prompt for prompt, *_ in rows[:50]])

    assert kept(part, unseen(match)) == [i for i in kept(battles, unseen(match)) if i < 50]


def test_the_full_text_can_be_matched_and_filtered(tmp_path):
    """With text='user_text' all turns are looked for, and the first one does not matter."""
    first, full = [words(0), words(1)], [words(0), f"{words(1)}\n{words(2, 0, 30)}"]
    battles = asked(first, user_text=full)
    corpus = corpus_of(tmp_path / "corpus.parquet", first)

    whole, start = (match_prompts(battles, [corpus], text=text) for text in ("user_text", "prompt"))

    assert dict(whole.frame.select("prompt", "class").rows()) == {
        full[0]: "seen",
        full[1]: "unseen",
    }
    assert (kept(battles, unseen(whole)), kept(battles, unseen(start))) == ([1], [])
    with pytest.raises(ColumnError, match="'user_text'"):
        select(asked(first), unseen(whole))


# ── kept on disk, and judged anew ──────────────────────────────────────────────────────────


def test_a_match_is_read_as_it_was_written(tmp_path, mixed):
    """Table, rule, trained models and manifest; also of a rule that is not the default."""
    *_, match = mixed
    changed = rethreshold(match, 0.3, 0.4)
    for one in (match, changed):
        one.write(tmp_path / "match.parquet")
        again = read_match(tmp_path / "match.parquet")

        assert again.frame.equals(one.frame)
        assert (again.rule, again.text) == (one.rule, one.text)
        assert (again.trained, again.manifest) == (one.trained, one.manifest)


@pytest.mark.parametrize("kind", ["parquet", "text", "missing", "folder", "empty"])
def test_what_is_no_match_is_refused_by_name(tmp_path, kind):
    """Another table, a text, nothing at all: one line that names the file."""
    path = tmp_path / "other.parquet"
    if kind == "parquet":
        pl.DataFrame({"prompt": ["x"]}).write_parquet(path)
    elif kind == "text":
        path.write_text("a,b\n1,2\n")
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()

    with pytest.raises(ReadError, match=r"other\.parquet: (is no match; make|cannot be read as)"):
        read_match(path)


@pytest.mark.parametrize("held", ["{}", "no JSON", '{"rule": {"n": 5, "colour": 1}, "text": "x"}'])
def test_a_match_of_another_version_is_refused_by_name(tmp_path, mixed, held):
    """One that says less, or something else, than is needed."""
    path = tmp_path / "other.parquet"
    mixed[2].frame.write_parquet(path, metadata={"arena_match": held})

    with pytest.raises(ReadError, match=r"other\.parquet: "):
        read_match(path)


@pytest.mark.parametrize("name", ["default", "palm", "llama3", "tulu3"])
def test_another_threshold_is_matching_anew_with_it(tmp_path, name):
    """Whatever the share is a share of; no corpus is needed for it."""
    rng = random.Random(3)
    prompts, texts = sayings(rng, 60, 30), sayings(rng, 40, 30)
    texts += [changed(rng, text) for text in prompts[:30]]
    corpus = corpus_of(tmp_path / "corpus.parquet", texts)
    match = match_prompts(asked(prompts), [corpus], overlap_rule(name))
    levels = set()

    for threshold, jaccard in [(0.2, 0.9), (0.6, 0.5), (1.0, 1.0), (0.4, None)]:
        again = rethreshold(match, threshold, jaccard)
        anew = match_prompts(asked(prompts), [corpus], again.rule)
        assert again.frame.equals(anew.frame)
        assert again.rule.threshold == threshold
        assert again.rule.jaccard == (match.rule.jaccard if jaccard is None else jaccard)
        levels.add((again.frame["class"] == "seen").sum())

    assert len(levels) > 1
    assert rethreshold(match).frame.equals(match.frame)


@pytest.mark.parametrize(("threshold", "jaccard"), [(0.0, None), (1.1, None), (-1, None), (1, 0)])
def test_a_threshold_that_cannot_be_is_refused(mixed, threshold, jaccard):
    """Shares lie between 0 and 1, and none is asked for by 0."""
    with pytest.raises(OptionError, match=r"^(threshold|jaccard): "):
        rethreshold(mixed[2], threshold, jaccard)


@pytest.mark.parametrize("change", [{"n": 4}, {"cap": 3}, {"of": "tokens"}, {"unit": "characters"}])
def test_another_index_cannot_be_judged_by_this_one(change):
    """What shapes the index is named, with both values."""
    index, (name, value) = index_prompts(pl.Series([words(0)])), *change.items()
    matches = match_texts(index, pl.Series([words(0)]))
    table = overlap_table(index, matches)

    for judge in (
        lambda rule: overlap_table(index, matches, rule),
        lambda rule: classify(table, index, rule),
    ):
        with pytest.raises(OptionError, match=f"rule: {name} is {value}, but the index was built"):
            judge(OverlapRule(**change))


# ── files ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shards(tmp_path):
    """A corpus of three files, each with two prompts, and battles on these and two more."""
    for k in range(3):
        corpus_of(tmp_path / f"{k}.parquet", [words(2 * k), words(2 * k + 1)])
    return open_corpus(str(tmp_path / "*.parquet"), "shards"), asked([words(i) for i in range(8)])


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_bad_file_is_named_or_left_out(shards, bad):
    """Left out, it is in the manifest, and what the others have still points at them."""
    corpus, battles = shards
    good = match_prompts(battles, [corpus])
    with open(corpus.files[bad], "wb") as file:
        file.write(b"PAR1 and no more")

    message = rf"{bad}\.parquet.*; leave such files out with --skip-bad-files"
    with pytest.raises(ReadError, match=message):
        match_prompts(battles, [corpus])
    match = match_prompts(battles, [corpus], skip_bad_files=True)

    (said,) = match.manifest["corpora"]
    assert said["files"] == list(corpus.files)
    assert len(said["skipped"]) == 1
    assert said["skipped"][0].startswith(corpus.files[bad])
    assert said["texts"] == 4
    lost = pl.col("file") == corpus.files[bad]
    assert match.frame.filter("exact").equals(good.frame.filter(pl.col("exact") & ~lost))
    assert (match.frame["class"] == "seen").sum() == 4


def test_a_file_without_texts_is_a_bad_file_too(shards):
    """One that has no column of texts can be left out as well."""
    corpus, battles = shards
    pl.DataFrame({"other": [1]}).write_parquet(corpus.files[1])

    with pytest.raises(ColumnError, match=r"1\.parquet: no column .*--skip-bad-files"):
        match_prompts(battles, [corpus])
    (said,) = match_prompts(battles, [corpus], skip_bad_files=True).manifest["corpora"]
    assert "1.parquet: no column of prompts" in said["skipped"][0]


def test_a_corpus_of_bad_files_alone_is_an_error(shards):
    """Also where bad files may be left out; with a single file that is not offered."""
    corpus, battles = shards
    for file in corpus.files:
        with open(file, "wb") as stream:
            stream.write(b"PAR1")

    with pytest.raises(ReadError, match=r"shards: none of its files can be read; .*0\.parquet"):
        match_prompts(battles, [corpus], skip_bad_files=True)
    with pytest.raises(ReadError) as single:
        match_prompts(battles, [open_corpus(corpus.files[0])])
    assert "--skip-bad-files" not in str(single.value)


def test_a_file_that_has_gone_is_a_bad_file_too(shards):
    """Also one that went after the corpus was opened."""
    corpus, battles = shards
    corpus = Corpus("shards", (*corpus.files, "gone.parquet"))

    (said,) = match_prompts(battles, [corpus], skip_bad_files=True).manifest["corpora"]
    assert "gone.parquet" in said["skipped"][0]
    with pytest.raises(ReadError, match=r"gone\.parquet"):
        match_prompts(battles, [corpus])


def test_a_corpus_of_no_files_is_an_error():
    """It has no texts, and nothing is learnt from it."""
    with pytest.raises(UserError, match="nothing"):
        match_prompts(asked([words(0)]), [Corpus("nothing", ())])


def test_progress_is_told_by_file_and_bytes(shards):
    """Every file is named; bytes of files done go up to less than all."""
    corpus, battles = shards
    told = []

    match_prompts(battles, [corpus], progress=lambda *told_now: told.append(told_now))

    sizes = [Path(file).stat().st_size for file in corpus.files]
    assert [name.partition(",")[0] for name, *_ in told] == list(corpus.files)
    assert [done for _, done, _ in told] == [0, sizes[0], sizes[0] + sizes[1]]
    assert {total for *_, total in told} == {sum(sizes)}


def test_the_order_of_files_does_not_matter(tmp_path):
    """Classes and shares are the same; of equal texts the first file's is shown."""
    rng = random.Random(8)
    prompts = sayings(rng, 50)
    for k in range(4):
        corpus_of(tmp_path / f"{k}.parquet", [*sayings(rng, 10), *rng.sample(prompts, 5)])
    files = open_corpus(str(tmp_path / "*.parquet")).files

    one, other = (
        match_prompts(asked(prompts), [Corpus("c", order)], OverlapRule(jaccard=None)).frame
        for order in (files, files[::-1])
    )

    assert one["class"].n_unique() == 3
    assert one.drop("file", "row", "excerpt", "jaccard").equals(
        other.drop("file", "row", "excerpt", "jaccard")
    )


def test_corpora_are_held_against_the_prompts_one_by_one(tmp_path):
    """Halves in two corpora are no whole, and what one has is not said of the other."""
    halves = [words(0, 0, 20), words(0, 12, 30)]
    corpora = [corpus_of(tmp_path / f"{i}.parquet", [half]) for i, half in enumerate(halves)]
    rule = overlap_rule("llama3", threshold=0.8)
    whole = Corpus("both", tuple(file for corpus in corpora for file in corpus.files))

    match = match_prompts(asked([words(0, 0, 30)]), [*corpora, whole], rule)

    assert match.frame.select("corpus", "class").rows() == [
        ("0.parquet", "unseen"),
        ("1.parquet", "unseen"),
        ("both", "seen"),
    ]
    assert match.frame["union_share"].to_list() == pytest.approx([20 / 30, 18 / 30, 1])


# ── mistakes ───────────────────────────────────────────────────────────────────────────────


def test_mistakes_are_named(tmp_path, mixed):
    """Names that are taken or unknown, columns and options that there are not."""
    corpus = corpus_of(tmp_path / "one.parquet", [words(0)])
    battles, match = asked([words(0)]), mixed[2]
    nobody = match_prompts(battles, [corpus])
    without = read_battles(pl.DataFrame({"model_a": ["x"], "model_b": ["y"], "winner": ["tie"]}))

    with pytest.raises(OptionError, match=r"two corpora are named 'one.parquet'"):
        match_prompts(battles, [corpus, corpus])
    with pytest.raises(OptionError, match=r"trained: no corpus 'two'; there are 'one.parquet'"):
        match_prompts(battles, [corpus], trained={"two": ["x"]})
    with pytest.raises(OptionError, match=r"match: no corpus"):
        match_prompts(battles, [])
    with pytest.raises(OptionError, match=r"text: 'winner' is not one of prompt, user_text"):
        match_prompts(battles, [corpus], text="winner")
    with pytest.raises(ColumnError, match=r"no column 'prompt' to match; these votes have model_a"):
        match_prompts(without, [corpus])
    with pytest.raises(ColumnError, match=r"column 'prompt' holds no prompt at all"):
        match_prompts(asked([None, None]), [corpus])
    with pytest.raises(OptionError, match=r"by: 'side' is not one of battle, model"):
        unseen(match, "side")
    with pytest.raises(OptionError, match=r"short: 'both' is not one of keep, drop"):
        unseen(match, short="both")
    with pytest.raises(OptionError, match=r"nobody is said to be trained .* --trained"):
        unseen(nobody, "model")
