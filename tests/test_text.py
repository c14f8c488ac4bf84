"""Text is cut into the same tokens as by plain Python, whatever it is written in."""

import unicodedata
from itertools import chain

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_text import fold, plain_hash, plain_keys, plain_tokens

from arena.errors import ColumnError
from arena.text import Tokens, fingerprint_texts, texts_of, tokenise
from arena.text_kernel import roll

FILLER = "and so on, " * 20
"""Behind a text in memory, so that it is read eight bytes at a time up to its end."""

UNITS = ("words", "characters", "strict")

MARKS = "\u0301\u0323\u0345\u05b0\u05bc\u05c1\u064b\u0651\u3099\u093c\u094d\u0e38\u0e48\u1100\u1161\u11a8"
LETTERS = "aZß1İıſﬁǅςΣаЯعשहกກកမ東かｶゔ가각ᄀ℃㌖½ﷺ\U0001d54f\U00020000\U00017000👍🏽⛄©"
GAPS = " \t\n\u00a0\u3000.,'-_+/&\u2014\u00ad\u200b\u200d\ufeff\ufe0f\u2028\x00\x7f\ufffd\ue000\U0010ffff"

texts = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("ab c1é東か\u0301 " + MARKS + LETTERS + GAPS), max_size=40),
    st.lists(st.one_of(st.from_regex("[a-zA-Z0-9]{1,20}", fullmatch=True), st.text(max_size=3)))
    .map(" ".join)
    .map(lambda text: text[:200]),
)


def cut(*rows, unit="words"):
    """The tokens' hashes of each text."""
    tokens = tokenise(pl.Series(rows, dtype=pl.String), unit)
    return [part.tolist() for part in np.split(tokens.hashes, tokens.offsets[1:-1])]


def expected(text, unit="words"):
    """The hashes of the tokens that plain Python finds."""
    return [plain_hash(token) for token in plain_tokens(text, unit)]


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=120, deadline=None)
@given(text=texts)
def test_tokens_are_those_of_plain_python(unit, text):
    """Any text has the tokens that Unicode's own algorithms give, at the end of memory or not."""
    hashes = expected(text, unit)

    assert cut(text, unit=unit) == [hashes]
    assert cut(text, FILLER, unit=unit)[0] == hashes


@pytest.mark.parametrize("unit", UNITS)
def test_every_kind_of_character(unit):
    """A character between two letters joins them, separates them, or stands alone."""
    ranges = (range(0x3400), range(0xA000, 0xAC00), range(0xF900, 0x10000), range(0x1F000, 0x1FB00))
    codes = {*(code for part in ranges for code in part), *range(0x3400, 0x110000, 211)}
    rows = [f"a{chr(code)}b" for code in sorted(codes) if not 0xD800 <= code < 0xE000]

    assert cut(*rows, unit=unit) == [expected(row, unit) for row in rows]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't PANIC (ﬁrst ½)", "don t panic first 1 2"),
        ("snake_case, camelCase; C++", "snake case camelcase c"),
        ("x = 3.14e-10 # π≈3", "x 3 14e 10 π 3"),
        ("Straße STRASSE straẞe", "strasse strasse strasse"),
        ("İstanbul ISTANBUL ıstanbul", "istanbul istanbul istanbul"),
        ("ὈΔΥΣΣΕΎΣ ὀδυσσεύς", "οδυσσευσ οδυσσευσ"),
        ("Ёлка ЁЛКА", "елка елка"),
        (
            "naïve na\u0308i\u0308ve co\u00adoperate zero\u200bwidth",
            "naive naive cooperate zerowidth",
        ),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("東京へ2023年 ｶﾞ", "東 京 へ 2023 年 カ\u3099"),
        ("がぎ か\u3099", "か\u3099 き\u3099 か\u3099"),
        ("ภาษาไทย ๑๒", "ภ า ษ า ไ ท ย ๑๒"),
        ("ที่", "ท\u0e35\u0e48"),
        ("𠀀㐀", "𠀀 㐀"),
        ("مُحَمَّد ﷲ", "مُحَم\u064e\u0651د الله"),
        ("שָׁלוֹם", unicodedata.normalize("NFKD", "שָׁלוֹם")),
        ("हिन्दी में", "हिन्दी में"),
        ("👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f", "👍 🏽 👨 👩 👧 ❤"),
        ("1\ufe0f\u20e3 ① Ⅳ x²", "1 1 iv x2"),
        ("?!… — «»", ""),
    ],
)
def test_tokens_by_script(text, tokens):
    """What each script is cut into, by hand."""
    assert cut(text, FILLER)[0] == [plain_hash(token) for token in tokens.split()]


def test_hangul_is_one_whether_composed_or_not():
    """Syllables and the letters they are made of are the same words."""
    composed, apart = cut("한국어 말", unicodedata.normalize("NFD", "한국어 말"))

    assert composed == apart
    assert len(composed) == 2


@settings(max_examples=80, deadline=None)
@given(text=texts)
def test_equivalent_texts_have_equal_tokens(text):
    """Composed or decomposed, upper or lower case: the tokens are the same."""
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]

    for unit in UNITS:
        as_it_is, *others = cut(text, *forms, unit=unit)
        assert others == [as_it_is] * 4
    folded, unfolded = cut(text.casefold().upper(), text.upper())
    assert folded == unfolded


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(texts, max_size=6))
def test_texts_do_not_touch(rows):
    """Texts that lie side by side in memory are cut as if each were alone."""
    assert cut(*rows, FILLER)[:-1] == [cut(row)[0] for row in rows]


@pytest.mark.parametrize("letter", ["x", "я", "字", "각", "\u0301"])
def test_words_of_any_length_at_any_place(letter):
    """Words are whole wherever they begin, and however many are read at a time."""
    lengths = (*range(1, 18), *range(55, 75), 127, 128, 129)
    rows = [" " * before + letter * n + " end" for before in (0, 1, 7, 60, 63) for n in lengths]

    assert cut(*rows, FILLER)[:-1] == [expected(row) for row in rows]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2+2", "2-2", False),
        ("C++", "C#", False),
        ("hi", "hi!", False),
        ("résumé", "resume", False),
        ("Hi  there\n", "hi there", True),
        ("Straße", "STRASSE", True),
        ("２＋２", "2+2", True),
        ("a\u00a0b", "a b", True),
        ("z\u200bero", "zero", True),
        ("re\u0301sume\u0301", "résumé", True),
        ("ab", "a b", False),
        ("???", "??", False),
    ],
)
def test_strict_fingerprints(one, other, same):
    """Punctuation tells short prompts apart, case and white space do not."""
    first, second = fingerprint_texts(pl.Series([one, other]))

    assert (first == second) == same
    assert (fold(one, strict=True).split() == fold(other, strict=True).split()) == same


def test_fingerprints_are_of_the_order():
    """The same words in another order are another text, and so are more of them."""
    sums = fingerprint_texts(pl.Series(["a b", "b a", "a b b", "ab", "a"]), "words")

    assert np.unique(sums).size == 5


def test_nothing_has_no_fingerprint():
    """What is empty equals nothing, not even what is empty too: its fingerprint is 0."""
    sums = fingerprint_texts(pl.Series(["", " \n", None, "\u200b"]))

    assert sums.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("n", [1, 2, 5, 13])
def test_ngrams(n):
    """Rolling hashes are those of each n-gram by itself; they do not reach into the next text."""
    rows = ["", "a", "a b c d e", "the cat the cat the cat the cat the cat", "one two " * 20]
    tokens = tokenise(pl.Series(rows))
    keys, sums = np.empty_like(tokens.hashes), np.empty(len(rows), np.uint64)

    roll(tokens.hashes, tokens.offsets, n, keys, sums)

    for row, found in zip(rows, np.split(keys, tokens.offsets[1:-1]), strict=True):
        wanted = plain_keys(plain_tokens(row), n)
        assert found.tolist() == wanted + [0] * (len(found) - len(wanted))


def test_hashes_do_not_change():
    """Hashes kept from one machine can be looked up on another: these are pinned."""
    tokens = tokenise(pl.Series(["hello extraordinarily 東 " + FILLER]))
    greeting = pl.Series(["hello, World"])

    assert tokens.hashes[:3].tolist() == [
        6020937730900827093,
        10190752102274195675,
        9347258220475558149,
    ]
    assert fingerprint_texts(greeting).tolist() == [4400758727907356511]
    assert fingerprint_texts(greeting, "words").tolist() == [9225952565568900154]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["one two", None, "three", ""]),
        pl.Series(["one two", None, "three", ""], dtype=pl.Categorical),
        pl.Series([b"one two", None, b"three", b""]),
        pl.concat([pl.Series(["one two", None]), pl.Series(["three", ""])], rechunk=False),
        pa.array(["one two", None, "three", ""]),
        pa.array(["zero", "one two", None, "three", ""]).slice(1),
        pa.array(["one two", None, "three", ""], pa.large_string()),
        pa.array(["one two", None, "three", ""], pa.string_view()),
        pa.array(["one two", None, "three", ""]).dictionary_encode(),
        pa.chunked_array([["one two"], [None, "three"], [""]]),
        pa.array([b"one two", None, b"three", b""]),
    ],
    ids=lambda column: str(getattr(column, "type", getattr(column, "dtype", None))),
)
def test_columns_of_any_make(column):
    """Strings are read wherever they come from; what is missing or empty has no tokens."""
    tokens = tokenise(column)

    assert tokens.counts.tolist() == [2, 0, 1, 0]
    assert tokens.hashes.tolist() == [plain_hash(word) for word in ("one", "two", "three")]


@pytest.mark.parametrize("column", [pl.Series([None, None]), pa.nulls(2)])
def test_a_column_of_nothing(column):
    """A column without any text has no tokens."""
    assert tokenise(column).counts.tolist() == [0, 0]
    assert tokenise(column.slice(0, 0)).counts.tolist() == []


@pytest.mark.parametrize("column", [pl.Series("prompt", [1, 2]), pa.array([1, 2])])
def test_a_column_of_something_else_is_refused(column):
    """A column of numbers is named, with what it holds."""
    with pytest.raises(ColumnError, match=r"holds int64, not text; name a column of strings"):
        texts_of(column)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.one_of(st.binary(max_size=12), texts.map(str.encode)), max_size=4))
def test_broken_bytes_are_replaced_as_python_does(rows):
    """Bytes that are no UTF-8 become U+FFFD: half surrogates, overlong forms, cut sequences."""
    rows = [*rows, b"a\xed\xa0\x80b", b"\xc0\xafc", b"d\xe2\x82", b"\xf5e\x80", None]
    decoded = [(row or b"").decode("utf-8", "replace") for row in rows]

    for unit in UNITS:
        for column in (pl.Series(rows, dtype=pl.Binary), pa.array(rows, pa.binary())):
            tokens = tokenise(column, unit)
            assert tokens.hashes.tolist() == [*chain(*cut(*decoded, unit=unit))]


def test_more_tokens_than_expected():
    """A character may turn into six tokens; then the room is found to be too small, and made."""
    row = "㌖" * 50

    assert cut(row, "a b c d e f g h")[0] == expected(row)
    assert isinstance(tokenise(pl.Series([row]), room=np.empty(1, np.uint64)), Tokens)


def test_a_text_of_ten_megabytes():
    """Length is no matter: one word of ten megabytes, or millions of them in one text."""
    word, many = "x" * 10_000_000, "do re mi fa so " * 700_000

    found = cut(word, many, word + "!", "end")

    assert [len(part) for part in found] == [1, 3_500_000, 1, 1]
    assert found[0] == found[2]
    assert found[1] == expected("do re mi fa so ") * 700_000
