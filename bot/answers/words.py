"""Buttons and sentences that several answers share."""

from bot.conversations.messages import Answer, Button, Understanding
from bot.i18n.translate import mark, say

HELP = mark(
    "I answer questions about coming to study at JUNIA: housing, visa and residence permit, health insurance, "
    "CVEC, bank, French classes, buddies, the welcome session, transport, internships and jobs, exchange papers. "
    "When you link your student record I also give your own dates. Just write your question, in your language."
)


def person_button(language: str) -> Button:
    return Button(say(language, "Talk to a person"), {"effect": "request_person"})


def link_button(language: str) -> Button:
    return Button(say(language, "Link my record for my own dates"), {"effect": "start_link"})


def failed(language: str) -> Answer:
    """The honest sentence when no answer could be worked out; staff are alerted by the turn."""
    text = say(
        language,
        "I am sorry: something is not working on my side and I could not look this up. The team has been told. "
        "Please try again in a minute, or ask for a person.",
    )
    understanding = Understanding(intent=None, confidence=0.0, action="failed")
    return Answer(text, understanding, buttons=(person_button(language),))


def unreadable(language: str) -> Answer:
    """For a message without a single word (an emoji, dots)."""
    understanding = Understanding(intent=None, confidence=0.0, action="abstain")
    return Answer(say(language, "I could not read a question in this. Write it in a few words, please."), understanding)
