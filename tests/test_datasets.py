import hashlib

import pytest

from arena.battles import read_battles
from arena.datasets import CHATBOT_ARENA, shipped
from arena.errors import ReadError
from arena.tally import tally_votes


def test_the_shipped_log_is_the_one_its_readme_states_the_hash_of():
    """The file that is installed is the file that was described."""
    path = shipped()

    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    assert digest in path.with_name("README.md").read_text(encoding="utf-8")


def test_the_shipped_log_holds_the_votes_it_is_said_to():
    """129 models and 1,670,250 votes, every one accepted."""
    tally = tally_votes(read_battles(shipped()))

    (reading,) = tally.readings
    assert (tally.counts.n_models, tally.counts.n_battles) == (129, 1_670_250)
    assert (reading.format, reading.accepted, reading.rejected) == ("counts", 1_670_250, {})


def test_the_shipped_log_comes_with_its_licence():
    """What is passed on is passed on with the terms it came under."""
    path = shipped("LICENSE-leaderbot")

    assert "Redistribution and use in source and binary forms" in " ".join(
        path.read_text(encoding="utf-8").split()
    )


@pytest.mark.parametrize("name", ["nothing.parquet", "", "."])
def test_what_is_not_shipped_is_an_error_that_names_it(name):
    """A file that an installation lacks is named, not invented."""
    with pytest.raises(ReadError, match="not part of this installation"):
        shipped(name)

    assert shipped(CHATBOT_ARENA).is_file()
