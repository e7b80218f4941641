"""Reads of buddy pairings."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.buddies.models import BuddyPairing
from bot.i18n.formats import date_words
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say
from bot.students.models import Student

_SENTENCES = {
    "signed_up": mark("You are signed up for a buddy since {date}, and nobody is proposed yet."),
    "proposed": mark("A buddy is proposed to you since {date}: {name}. You both still have to say yes."),
    "accepted": mark("Your buddy is {name}, since {date}."),
    "declined": mark("The pairing proposed to you was declined on {date}; nobody else is proposed yet."),
    "ended": mark("Your pairing ended on {date}."),
}
PAIRING_STATES = tuple(_SENTENCES)
"""What `BuddyPairing.state` may be."""

_WITH_A_BUDDY = frozenset({"proposed", "accepted"})


def buddy_answer(session: Session, student: Student, language: str) -> str:
    """Where the pairing of this student stands. Contact details are not told here."""
    pairing = session.scalar(select(BuddyPairing).where(BuddyPairing.student_id == student.id))
    if pairing is None:
        return _not_signed_up(student, language)
    name = pairing.buddy_given_name or say(language, "a student whose name is not recorded")
    first = say(language, _SENTENCES[pairing.state], date=date_words(pairing.since, language), name=name)
    if pairing.state not in _WITH_A_BUDDY:
        patience = say(language, "Matching takes time; a person of the office can tell you more.")
        return f"{first} {patience}"
    contact = say(language, "You get the contact details once both have accepted.")
    if pairing.state == "accepted":
        contact = say(language, "Ask a person of the office for the contact details.")
    return " ".join(filter(None, (first, _languages(pairing, language), contact)))


def _not_signed_up(student: Student, language: str) -> str:
    if student.facts.get("wants_buddy") is True:
        first = say(language, "You have no buddy yet: you asked for one, but no sign-up is recorded.")
    else:
        first = say(language, "You are not signed up for a buddy, so there is no pairing yet.")
    how = say(language, "If you would like one, ask me how to sign up.")
    return f"{first} {how}"


def _languages(pairing: BuddyPairing, language: str) -> str | None:
    if not pairing.buddy_languages:
        return None
    names = ", ".join(language_name(tag, language) for tag in pairing.buddy_languages.split("|"))
    return say(language, "You can speak these languages together: {languages}.", languages=names)
