"""What a battle is: its columns, its four winners, and how published logs spell these."""

from collections.abc import Mapping

import polars as pl

WINNERS = ("model_a", "model_b", "tie", "both_bad")

SPELLINGS: Mapping[str, str] = {
    **{winner: winner for winner in WINNERS},
    "tie (bothbad)": "both_bad",
    "tie(bothbad)": "both_bad",
    "bothbad": "both_bad",
}
"""How the published logs spell a vote, and which winner each spelling stands for."""

BATTLE_SCHEMA: Mapping[str, pl.DataType] = {
    "battle_id": pl.String(),
    "model_a": pl.String(),
    "model_b": pl.String(),
    "winner": pl.String(),
    "votes": pl.Float64(),
    "weight": pl.Float64(),
    "judge": pl.String(),
    "session": pl.String(),
    "tstamp": pl.Datetime("us", "UTC"),
    "language": pl.String(),
    "turns": pl.Int64(),
    "session_turns": pl.Int64(),
    "prompt": pl.String(),
    "user_text": pl.String(),
    "anony": pl.Boolean(),
    "dedup_sampled": pl.Boolean(),
    "is_code": pl.Boolean(),
    "is_refusal": pl.Boolean(),
    "is_math": pl.Boolean(),
    "is_creative_writing": pl.Boolean(),
    "is_instruction_following": pl.Boolean(),
    "hard_criteria": pl.Int64(),
    "user_tokens": pl.Int64(),
    **{
        f"{count}_{side}": pl.Int64()
        for count in ("tokens", "headers", "lists", "bold")
        for side in ("a", "b")
    },
}
"""Every column a battle can have; the models and the winner are always there.

`votes` is how many equal votes a row stands for, `weight` what each of them counts; both are
one where they are not given. `turns` counts the user's turns in the conversation judged,
`session_turns` those of the whole session so far; `hard_criteria` is how many of LMSYS' seven
criteria of a hard prompt hold.
"""

UNVOTED = "(nobody voted)"
"""The label of a row that nobody voted on, in formats that have such rows."""
