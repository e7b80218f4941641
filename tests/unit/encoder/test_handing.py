"""encoder/handing.py: what one process computed is taken by the other, and nothing else is."""

import base64
import json

import numpy as np
import pytest

from encoder import DIMENSION, encode
from encoder.handing import handed, taken, vector_of

QUESTION = "How do I open a bank account?"


def test_a_vector_arrives_as_it_was_computed() -> None:
    given = json.loads(json.dumps(handed(QUESTION)))

    np.testing.assert_array_equal(taken(given, QUESTION), encode([QUESTION]))


def test_what_was_handed_over_is_taken_without_computing_it_again() -> None:
    given = handed(QUESTION) | {"values": handed("Où est la gare ?")["values"]}

    np.testing.assert_array_equal(taken(given, QUESTION), vector_of("Où est la gare ?"))


def test_phone_spelling_is_handed_over_written_out() -> None:
    assert handed("jsui en france, quand la caf?")["of"] == "je suis en france, quand la caf?"


def test_the_vector_of_another_sentence_is_not_taken() -> None:
    np.testing.assert_array_equal(taken(handed("How do I open a bnak account?"), QUESTION), vector_of(QUESTION))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "vector",
        {},
        {"of": QUESTION},
        {"of": QUESTION, "values": None},
        {"of": QUESTION, "values": "not base64!"},
        {"of": QUESTION, "values": "AAAA"},
        {"of": QUESTION, "values": handed(QUESTION)["values"][:400]},
        {"of": QUESTION, "values": "AADAfw==" * DIMENSION},
    ],
    ids=["none", "text", "empty", "no values", "null", "not base64", "odd bytes", "too short", "padding within"],
)
def test_what_is_no_vector_is_computed_here(given: object) -> None:
    np.testing.assert_array_equal(taken(given, QUESTION), vector_of(QUESTION))


def test_numbers_that_are_none_are_not_taken() -> None:
    values = base64.b64encode(np.full(DIMENSION, np.nan, dtype="<f4").tobytes()).decode()

    np.testing.assert_array_equal(taken({"of": QUESTION, "values": values}, QUESTION), vector_of(QUESTION))


def test_a_kept_vector_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        vector_of(QUESTION)[0, 0] = 1
