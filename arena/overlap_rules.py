"""When a prompt counts as seen: a rule of our own, and the published ones by name.

All of them compare n-grams of tokens (see `arena.text`), and differ in how long these are, whether
one text must hold them or all texts together may, what the share is a share of, and how large it
must be. A prompt with fewer than n tokens has no n-gram: it is `short`, and only found if a text
equals it as a whole. A text that equals a prompt makes it seen under every rule.
"""

from dataclasses import dataclass, replace
from typing import Literal

from arena.characters import Unit
from arena.errors import OptionError

Measure = Literal["ngrams", "tokens"]

MOST_TOKENS = 64
"""An n-gram may be so long at most."""


@dataclass(frozen=True, slots=True)
class OverlapRule:
    """How prompts are compared with texts, and when one counts as seen.

    The first group of fields shapes the index; the second can be changed afterwards.

    Attributes:
        n: tokens in an n-gram.
        unit: what a token is, `words` or `characters`; see `arena.text.tokenise`.
        of: what shares are shares of: the prompt's distinct `ngrams`, or its `tokens`, of which
            those count that are part of an n-gram found.
        cap: an n-gram in more distinct prompts than these is boilerplate: it tells nothing about
            which text holds which prompt, and none is found by it.
        common: whether n-grams above the cap count as found all the same, once they are met.
        samples: so many n-grams of each prompt, drawn at random, stand for all; None for all.
        seed: of the drawing.
        union: whether all texts together make up the share, or the one text with most of it.
        threshold: the share from which on a prompt is seen.
        above: whether the share must be above the threshold, not only reach it.
        jaccard: token-multiset Jaccard with that one text from which on a prompt is seen,
            whatever `threshold` is; None if that is no reason. It is the size of the intersection
            over that of the union of the two multisets of tokens: single words, not n-grams.
        jaccard_share: the share that the one text must have for its Jaccard to count: short
            prompts behind one long opener have most words in common, and say different things.

    Raises:
        OptionError: a value that cannot be.
    """

    n: int = 5
    unit: Unit = "words"
    of: Measure = "ngrams"
    cap: int = 256
    common: bool = False
    samples: int | None = None
    seed: int = 0
    union: bool = False
    threshold: float = 0.5
    above: bool = False
    jaccard: float | None = 0.75
    jaccard_share: float = 0.1

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MOST_TOKENS:
            raise OptionError(f"n: {self.n} tokens; an n-gram has 1 to {MOST_TOKENS}")
        if self.unit not in ("words", "characters"):
            raise OptionError(f"unit: '{self.unit}' is neither words nor characters")
        if self.of not in ("ngrams", "tokens"):
            raise OptionError(f"of: '{self.of}' is neither ngrams nor tokens")
        if self.cap < 1:
            raise OptionError(f"cap: {self.cap} prompts; an n-gram is in 1 or more")
        if self.samples is not None and (self.samples < 1 or self.of == "tokens"):
            raise OptionError(f"samples: {self.samples}; 1 or more n-grams, or None for all")
        if not 0.0 <= self.threshold <= 1.0:
            raise OptionError(f"threshold: {self.threshold} is not a share between 0 and 1")
        if self.threshold == 0.0 and not self.above:
            raise OptionError("threshold: every prompt has a share of 0; take above=True")
        if self.jaccard is not None and not 0.0 < self.jaccard <= 1.0:
            raise OptionError(f"jaccard: {self.jaccard} is not above 0 and at most 1")
        if not 0.0 <= self.jaccard_share <= 1.0:
            raise OptionError(f"jaccard-share: {self.jaccard_share} is not a share from 0 to 1")


INDEX_FIELDS = ("n", "unit", "of", "cap", "common", "samples", "seed")


def require_same_index(rule: OverlapRule, built: OverlapRule) -> None:
    """Refuse a rule that cannot be judged by what was matched under another one.

    Raises:
        OptionError: the first field in which they differ.
    """
    for name in INDEX_FIELDS:
        asked, there = getattr(rule, name), getattr(built, name)
        if asked != there:
            raise OptionError(
                f"rule: {name} is {asked}, but the index was built with {there}; build another"
            )


RULES = {
    "default": OverlapRule(),
    "gpt3": OverlapRule(13, common=True, union=True, threshold=0.0, above=True, jaccard=None),
    "palm": OverlapRule(8, common=True, union=True, threshold=0.7, jaccard=None),
    "llama3": OverlapRule(8, of="tokens", common=True, union=True, threshold=0.7, jaccard=None),
    "tulu3": OverlapRule(8, of="tokens", common=True, above=True, jaccard=None),
    "gpt4": OverlapRule(
        50,
        unit="characters",
        common=True,
        samples=3,
        union=True,
        threshold=0.0,
        above=True,
        jaccard=None,
    ),
}


def overlap_rule(name: str = "default", threshold: float | None = None) -> OverlapRule:
    """A rule by its name, with another threshold if one is given.

    - `default`: at least half of the prompt's distinct 5-grams are in one text; or a tenth of
      them is, and the token-multiset Jaccard with it is at least 0.75. N-grams in more than 256
      distinct prompts are never found, but are counted among those to be found.
    - `gpt3`: any 13-gram in any text. Brown et al., Language Models are Few-Shot Learners (2020),
      appendix C. There n is 13 at most, and less (but 8 at least) where a benchmark's examples
      are shorter, and words are split at white space once punctuation is gone.
    - `palm`: at least 70 % of the prompt's distinct 8-grams in all texts together. Chowdhery et
      al., PaLM (2022), section 8, which does not say whether repeated ones count once.
    - `llama3`: the share of the prompt's tokens that are part of an 8-gram in any text. Grattafiori
      et al., The Llama 3 Herd of Models (2024), section 5.1.4, where the threshold is chosen for
      each benchmark by what it explains; 70 % stands here until another is given. Tokens there
      are those of the model.
    - `tulu3`: more than 50 % of the prompt's tokens are part of an 8-gram in one and the same
      text. Lambert et al., Tulu 3 (2024), section 3.2, where spaCy makes the tokens. Here a text
      is only looked at if it shares an 8-gram that is in at most 256 distinct prompts.
    - `gpt4`: any of three substrings of 50 letters and digits, drawn at random from the prompt,
      in any text. OpenAI, GPT-4 Technical Report (2023), appendix C. There a prompt of fewer
      than 50 is searched for as a whole within the texts; here it is `short`. Here case and
      diacritics do not count.

    None of the published rules says what becomes of a prompt that is too short for an n-gram, but
    for gpt4's; here it is `short`. For all of them text is normalised as in `arena.text`.

    >>> overlap_rule("llama3", threshold=0.5).threshold
    0.5

    Raises:
        OptionError: there is no rule of that name.
    """
    if name not in RULES:
        raise OptionError(f"rule: there is no '{name}'; there are {', '.join(RULES)}")
    rule = RULES[name]
    return rule if threshold is None else replace(rule, threshold=threshold)
