"""Who may take, give back and close a conversation: one table, pure."""

from enum import StrEnum

from bot.conversations.models import Control


class Move(StrEnum):
    REQUEST = "request"
    """A person is asked for."""
    CLAIM = "claim"
    """A colleague takes the conversation."""
    RELEASE = "release"
    """The holder gives it back to the bot."""
    CLOSE = "close"


TRANSITIONS: dict[tuple[Control, Move], Control] = {
    (Control.BOT, Move.REQUEST): Control.WAITING,
    (Control.WAITING, Move.REQUEST): Control.WAITING,
    (Control.STAFF, Move.REQUEST): Control.STAFF,
    # A colleague closed while a message was still unanswered: its wish opens the conversation again.
    (Control.CLOSED, Move.REQUEST): Control.WAITING,
    (Control.BOT, Move.CLAIM): Control.STAFF,
    (Control.WAITING, Move.CLAIM): Control.STAFF,
    (Control.CLOSED, Move.CLAIM): Control.STAFF,
    (Control.STAFF, Move.RELEASE): Control.BOT,
    (Control.WAITING, Move.RELEASE): Control.BOT,
    (Control.BOT, Move.CLOSE): Control.CLOSED,
    (Control.WAITING, Move.CLOSE): Control.CLOSED,
    (Control.STAFF, Move.CLOSE): Control.CLOSED,
}


def after(control: Control, move: Move) -> Control | None:
    """The state after a move, None where the move is not possible."""
    return TRANSITIONS.get((control, move))
