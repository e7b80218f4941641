""" "Put my dates into my calendar": the answer that asks the gateway for a private address."""

from dataclasses import replace

from actions._turn import Turn
from bot.bootstrap import Services
from bot.conversations.messages import Answer, Effect
from bot.i18n.translate import say
from bot.paperwork.replies import not_linked


def calendar_answer(services: Services, turn: Turn) -> Answer:
    """The deed replaces the words: only the gateway may make an address."""
    understanding = replace(turn.understanding, group="paperwork")
    with services.database.read() as session:
        is_linked = turn.student(session) is not None
    if not is_linked:
        return replace(not_linked(turn.language), understanding=understanding)
    text = say(
        turn.language,
        "I can give you a private address for your calendar program: your dates and appointments appear there and "
        "stay up to date.",
    )
    return Answer(text, understanding, effects=(Effect("give_calendar"),))
