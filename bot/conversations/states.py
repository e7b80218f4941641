"""Who has a conversation and which moves there are: one table for everything that happens to one, pure."""

from enum import StrEnum

from bot.conversations.models import Control


class Move(StrEnum):
    WRITE = "write"
    """The student writes."""
    SPEAK = "speak"
    """The bot says something of its own."""
    REQUEST = "request"
    """A person is asked for."""
    CLAIM = "claim"
    """A colleague takes what no other holds."""
    HAND = "hand"
    """It is given to one colleague, who has it at once."""
    QUEUE = "queue"
    """It is given to a desk, whose colleagues see it wait."""
    ABSENT = "absent"
    """The student writes to a colleague who is gone."""
    RELEASE = "release"
    """It goes back to the bot; a request that nobody took is over."""
    CLOSE = "close"
    ERASE = "erase"
    """The person is erased, whoever has the conversation."""


TRANSITIONS: dict[tuple[Control, Move], Control] = {
    (Control.BOT, Move.WRITE): Control.BOT,
    (Control.WAITING, Move.WRITE): Control.WAITING,
    (Control.STAFF, Move.WRITE): Control.STAFF,
    (Control.CLOSED, Move.WRITE): Control.BOT,
    (Control.BOT, Move.SPEAK): Control.BOT,
    (Control.WAITING, Move.SPEAK): Control.WAITING,
    # A colleague closed while a message was still unanswered. There is no line for STAFF: the bot is silent then.
    (Control.CLOSED, Move.SPEAK): Control.CLOSED,
    (Control.BOT, Move.REQUEST): Control.WAITING,
    (Control.WAITING, Move.REQUEST): Control.WAITING,
    (Control.STAFF, Move.REQUEST): Control.STAFF,
    # As with SPEAK: the wish in that message opens the conversation again.
    (Control.CLOSED, Move.REQUEST): Control.WAITING,
    (Control.BOT, Move.CLAIM): Control.STAFF,
    (Control.WAITING, Move.CLAIM): Control.STAFF,
    (Control.CLOSED, Move.CLAIM): Control.STAFF,
    (Control.BOT, Move.HAND): Control.STAFF,
    (Control.WAITING, Move.HAND): Control.STAFF,
    (Control.STAFF, Move.HAND): Control.STAFF,
    (Control.BOT, Move.QUEUE): Control.WAITING,
    (Control.WAITING, Move.QUEUE): Control.WAITING,
    (Control.STAFF, Move.QUEUE): Control.WAITING,
    (Control.STAFF, Move.ABSENT): Control.WAITING,
    (Control.STAFF, Move.RELEASE): Control.BOT,
    (Control.WAITING, Move.RELEASE): Control.BOT,
    (Control.BOT, Move.CLOSE): Control.CLOSED,
    (Control.WAITING, Move.CLOSE): Control.CLOSED,
    (Control.STAFF, Move.CLOSE): Control.CLOSED,
    (Control.BOT, Move.ERASE): Control.CLOSED,
    (Control.WAITING, Move.ERASE): Control.CLOSED,
    (Control.STAFF, Move.ERASE): Control.CLOSED,
    (Control.CLOSED, Move.ERASE): Control.CLOSED,
}


def after(control: Control, move: Move) -> Control | None:
    """The state after a move, None where the move is not possible."""
    return TRANSITIONS.get((control, move))
