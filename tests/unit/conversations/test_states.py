import pytest

from bot.conversations.models import Control
from bot.conversations.states import Move, after


@pytest.mark.parametrize(
    ("control", "move", "expected"),
    [
        (Control.BOT, Move.REQUEST, Control.WAITING),
        (Control.WAITING, Move.CLAIM, Control.STAFF),
        (Control.BOT, Move.CLAIM, Control.STAFF),
        (Control.STAFF, Move.RELEASE, Control.BOT),
        (Control.STAFF, Move.CLOSE, Control.CLOSED),
        (Control.CLOSED, Move.CLAIM, Control.STAFF),
        (Control.CLOSED, Move.REQUEST, Control.WAITING),
    ],
)
def test_possible_moves(control, move, expected):
    assert after(control, move) == expected


@pytest.mark.parametrize(
    ("control", "move"),
    [
        (Control.STAFF, Move.CLAIM),
        (Control.BOT, Move.RELEASE),
        (Control.CLOSED, Move.RELEASE),
        (Control.CLOSED, Move.CLOSE),
    ],
)
def test_impossible_moves(control, move):
    assert after(control, move) is None
