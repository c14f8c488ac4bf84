"""Text to tokens in plain Python: slow, and without a line of what it is held against."""

import unicodedata

FEW = 2**64
UNSPACED_NAMES = (
    *("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HANGZHOU", "IDEOGRAPHIC", "TANGUT", "NUSHU"),
    *("HIRAGANA", "KATAKANA", "HENTAIGANA", "BOPOMOFO", "VERTICAL KANA", "MASU MARK"),
    "VERTICAL IDEOGRAPHIC",
    *("THAI", "LAO", "KHMER", "MYANMAR", "KHITAN", "OLD CHINESE"),
)
EMOJI = [(0x231A, 0x231B), (0x23E9, 0x23FA), (0x2600, 0x27BF), (0x2B1B, 0x2B1C)]
EMOJI += [(0x2B50, 0x2B50), (0x2B55, 0x2B55), (0x1F000, 0x1FAFF)]


def is_invisible(char):
    """Format characters and what else Unicode ignores by default."""
    name = unicodedata.name(char, "")
    return (
        unicodedata.category(char) == "Cf"
        or "VARIATION SELECTOR" in name
        or name in ("COMBINING GRAPHEME JOINER", "HANGUL CHOSEONG FILLER")
        or name in ("HANGUL JUNGSEONG FILLER", "MONGOLIAN VOWEL SEPARATOR")
        or name.startswith("KHMER VOWEL INHERENT")
        or 0xE0000 <= ord(char) <= 0xE0FFF
    )


def is_diacritic(char):
    """The blocks of combining marks that belong to no script."""
    code = ord(char)
    return (
        0x300 <= code <= 0x36F
        or 0x1AB0 <= code <= 0x1AFF
        or 0x1DC0 <= code <= 0x1DFF
        or 0x20D0 <= code <= 0x20FF
        or 0xFE20 <= code <= 0xFE2F
    )


def is_alone(char):
    """Whether a character is a token of its own."""
    category = unicodedata.category(char)
    if category[0] == "L" or category == "Nl":
        # Python has no names for Tangut ideographs.
        return unicodedata.name(char, "TANGUT").startswith(UNSPACED_NAMES)
    emoji = any(first <= ord(char) <= last for first, last in EMOJI)
    return emoji and category in ("So", "Sk", "Cn")


def fold(text, strict=False):
    """A whole text normalised, as Unicode's own algorithms do it: NFKD, case folding, NFKD."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not is_invisible(c) and (strict or not is_diacritic(c)))
    text = "".join(c if unicodedata.category(c)[0] == "M" else c.casefold() for c in text)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not is_invisible(c) and (strict or not is_diacritic(c)))
    text = unicodedata.normalize("NFD", text)
    return text if strict else text.replace("ı", "i")


def plain_tokens(text, unit="words"):
    """The tokens of a text, as strings."""
    tokens, within = [], None
    for char in fold(text, unit == "strict"):
        group = unicodedata.category(char)[0]
        if unit == "strict":
            kind = None if group == "Z" or unicodedata.category(char) == "Cc" else "letter"
        elif unit == "characters":
            kind = {"L": "alone", "N": "alone", "M": "mark"}.get(group)
        elif is_alone(char):
            kind = "alone"
        else:
            kind = {"L": "letter", "N": "letter", "M": "mark"}.get(group)
        if kind is None:
            within = None
        elif within is None or kind == "alone" or (kind == "letter" and within == "alone"):
            tokens.append(char)
            within = "alone" if kind == "alone" else "letter"
        else:
            tokens[-1] += char
    return tokens


def plain_hash(token):
    """The hash of a token: of its UTF-8 bytes, eight at a time."""
    state, spelled = 0x9E3779B97F4A7C15, token.encode()
    for i in range(0, len(spelled), 8):
        state ^= int.from_bytes(spelled[i : i + 8], "little")
        state = state * 0xFF51AFD7ED558CCD % FEW
        state ^= state >> 32
    state = state * 0xC4CEB9FE1A85EC53 % FEW
    return state ^ state >> 29


def spread(word):
    """Every bit mixed with those around it, and never zero."""
    word ^= word >> 32
    word = word * 0xC4CEB9FE1A85EC53 % FEW
    return word ^ word >> 29 or 1


def plain_keys(tokens, n):
    """The hash of each n-gram of a text, in order."""
    hashes = [plain_hash(token) for token in tokens]
    keys = []
    for i in range(len(tokens) - n + 1):
        window = 0
        for each in hashes[i : i + n]:
            window = (window * 0xD6E8FEB86659FD93 + each) % FEW
        keys.append(spread(window))
    return keys
