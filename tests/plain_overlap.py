"""Prompts held against texts in plain Python: slow, and without a line of what it is held against."""

from collections import Counter

from plain_text import plain_tokens


def identity(text, rule):
    """What tells a text from others: its tokens, or, if they are too few, all that it says."""
    tokens = plain_tokens(text, rule.unit)
    if len(tokens) >= rule.n:
        return tuple(tokens)
    strict = plain_tokens(text, "strict")
    return ("strict", *strict) if strict else None


def ngrams(tokens, n):
    """All n-grams of a text, in order."""
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def covered(tokens, found, n):
    """How many tokens of a text are in an n-gram that is found."""
    inside = set()
    for i, gram in enumerate(ngrams(tokens, n)):
        if gram in found:
            inside.update(range(i, i + n))
    return len(inside)


def jaccard(one, other):
    """Jaccard of two multisets of tokens."""
    one, other = Counter(one), Counter(other)
    return (one & other).total() / (one | other).total()


def distinct(prompts, rule):
    """The distinct prompts in the order in which they come."""
    first = {identity(prompt or "", rule): prompt for prompt in reversed(prompts)}
    order = dict.fromkeys(identity(prompt or "", rule) for prompt in prompts)
    return [first[key] for key in order if key is not None]


def plain_overlap(prompts, texts, rule):
    """What `overlap_table` says, but for its classes: one dictionary for each distinct prompt."""
    prompts = distinct(prompts, rule)
    tokens = [plain_tokens(prompt, rule.unit) for prompt in prompts]
    grams = [set(ngrams(each, rule.n)) for each in tokens]
    in_prompts = Counter(gram for each in grams for gram in each)
    rare = {gram for gram, times in in_prompts.items() if times <= rule.cap}
    known = set(in_prompts) if rule.common else rare
    texts = [text or "" for text in texts]
    text_tokens = [plain_tokens(text, rule.unit) for text in texts]
    text_grams = [set(ngrams(each, rule.n)) for each in text_tokens]
    anywhere = set().union(*text_grams) & known
    rows = []
    for number, (prompt, words, mine) in enumerate(zip(prompts, tokens, grams, strict=True)):
        best, most = None, 0
        for row, its in enumerate(text_grams):
            candidate = len(mine & its & rare)
            n = candidate
            if candidate and rule.of == "tokens":
                n = covered(words, its & known, rule.n)
            if n > most:
                best, most = row, n
        total = len(words) if rule.of == "tokens" else len(mine)
        union = covered(words, anywhere, rule.n) if rule.of == "tokens" else len(mine & anywhere)
        equal = [
            i for i, text in enumerate(texts) if identity(text, rule) == identity(prompt, rule)
        ]
        short = len(words) < rule.n
        rows.append(
            {
                "prompt": number,
                "tokens": len(words),
                "share": None if short else most / total,
                "union_share": None if short else union / total,
                "jaccard": None if best is None else jaccard(words, text_tokens[best]),
                "exact": bool(equal),
                "text_row": best,
                "exact_row": equal[0] if equal else None,
            }
        )
    return rows


def plain_groups(texts, least, rule):
    """What `near_duplicate_groups` says."""
    ids = [identity(text or "", rule) for text in texts]
    tokens = [plain_tokens(text or "", rule.unit) for text in texts]
    grams = [set(ngrams(each, rule.n)) for each in tokens]
    in_texts = Counter(
        gram for i, each in enumerate(grams) if ids.index(ids[i]) == i for gram in each
    )
    group = list(range(len(texts)))

    def find(i):
        while group[i] != i:
            i = group[i]
        return i

    for i in range(len(texts)):
        for j in range(i):
            shared = any(in_texts[gram] <= rule.cap for gram in grams[i] & grams[j])
            equal = ids[i] is not None and ids[i] == ids[j]
            if equal or (shared and jaccard(tokens[i], tokens[j]) >= least):
                low, high = sorted((find(i), find(j)))
                group[high] = low
    return [find(i) for i in range(len(texts))]
