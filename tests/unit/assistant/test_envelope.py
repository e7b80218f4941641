import pytest

from bot.assistant.ports import TurnFailed
from bot.assistant.rasa_http import answer_in
from tests.fakes import plain_answer


def test_the_one_envelope_is_the_answer():
    answer = plain_answer("The CVEC costs 105 euros.")

    assert answer_in([{"recipient_id": "x", "custom": answer.as_json()}]) == answer


@pytest.mark.parametrize(
    "messages",
    [
        [],
        {},
        None,
        [None],
        ["custom"],
        [{"text": "hello"}],
        [{"custom": None}],
        [{"custom": {}}],
        [{"custom": {**plain_answer("x").as_json(), "understanding": None}}],
        [{"custom": {**plain_answer("x").as_json(), "buttons": [None]}}],
        [{"custom": plain_answer("x").as_json()}] * 2,
    ],
)
def test_anything_else_is_a_failed_turn(messages):
    with pytest.raises(TurnFailed):
        answer_in(messages)
