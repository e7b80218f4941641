"""What students read about buddies, apart from the questions of the sign-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.buddies.interests import interest_words
from bot.buddies.matching import Reason, reason_words
from bot.buddies.models import BuddyPairing, BuddyProfile, CheckInAnswer, EndReason, PairingState, Reply
from bot.buddies.notes import NoteKind
from bot.buddies.pairing import said_at, said_by
from bot.clock import day_in_france
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button
from bot.i18n.formats import date_words
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say, say_n
from bot.reminders.wording import Note, one_line, plain
from bot.students.models import Student

SHOW, START = "buddy", "buddy_start"
YES, NO, WHY_NOT = "buddy_yes", "buddy_no", "buddy_why_not"
HOW, TROUBLE = "buddy_how", "buddy_trouble"
CHANGE, PAUSE, RESUME = "buddy_change", "buddy_pause", "buddy_resume"
WITHDRAW, REALLY_WITHDRAW = "buddy_withdraw", "buddy_really_withdraw"
"""Names of the deeds behind our buttons."""

WHY_NOT_LABELS = {
    EndReason.LANGUAGE: mark("The language"),
    EndReason.TIME: mark("I have no time"),
    EndReason.PLANS: mark("My plans changed"),
    EndReason.OTHER: mark("Another reason"),
}
HOW_LABELS = {
    CheckInAnswer.GREAT: mark("Great"),
    CheckInAnswer.FINE: mark("Fine"),
    CheckInAnswer.NOT_YET: mark("Not met yet"),
    CheckInAnswer.TROUBLE: mark("There is trouble"),
}


@dataclass(frozen=True)
class Pair:
    """A pairing as one of the two reads of it."""

    pairing: BuddyPairing
    reader: Student
    other: Student
    contact: BuddyProfile | None
    """Of the other; None where there is none any more."""

    @property
    def reader_is_newcomer(self) -> bool:
        return self.reader.id == self.pairing.newcomer_id


# Proposals


def proposal_note(pair: Pair, others: Sequence[str], language: str, *, again: bool = False) -> Note:
    """Who, why, and the question. `others`: newcomers whom the reading buddy already has or is asked about."""
    name = name_of(pair.other)
    if again:
        subject = say(language, "A buddy is waiting for your answer")
        first = say(
            language,
            "Hello {name}, a short reminder: {other} is waiting to hear whether you two become buddies.",
            name=name_of(pair.reader),
            other=name,
        )
        last = say(language, "Without an answer in the next two days I ask somebody else, so that nobody waits long.")
    else:
        subject = say(language, "A buddy for you: yes or no?")
        first = _who(pair, language)
        last = say(
            language,
            "Would you like that? Contact details are exchanged once you both said yes, and only those that each of "
            "you allowed.",
        )
    parts = [first, why_words(pair.pairing, language), group_words(others, language), last]
    return Note(subject, "\n\n".join(part for part in parts if part), proposal_buttons(pair.pairing, language))


def _who(pair: Pair, language: str) -> str:
    if pair.reader_is_newcomer:
        return say(
            language,
            "Hello {name}, I found a buddy for you: **{other}**, a student who is here already.",
            name=name_of(pair.reader),
            other=name_of(pair.other),
        )
    return say(
        language,
        "Hello {name}, somebody new is looking for a buddy, and the two of you fit: **{other}**.",
        name=name_of(pair.reader),
        other=name_of(pair.other),
    )


def why_words(pairing: BuddyPairing, language: str) -> str:
    """The reasons of the matching, one line each; "" where it gave none."""
    lines = [
        reason_words(Reason(each["code"], each["values"]), language, lambda word: interest_words(word, language))
        for each in pairing.reasons
    ]
    if not lines:
        return ""
    return "\n".join([say(language, "Why you two:"), "", *(f"- {line}" for line in lines)])


def group_words(others: Sequence[str], language: str) -> str:
    if not others:
        return ""
    return say_n(
        language,
        "You would look after a small group: beside {names} that makes {number} newcomer.",
        "You would look after a small group: beside {names} that makes {number} newcomers.",
        len(others) + 1,
        names=", ".join(others),
    )


def proposal_buttons(pairing: BuddyPairing, language: str) -> tuple[Button, ...]:
    return (
        deed_button(say(language, "Yes, gladly"), YES, pairing=pairing.id),
        deed_button(say(language, "No"), NO, pairing=pairing.id),
    )


def why_not_buttons(pairing_id: int, language: str) -> tuple[Button, ...]:
    return tuple(
        deed_button(say(language, label), WHY_NOT, pairing=pairing_id, reason=str(reason))
        for reason, label in WHY_NOT_LABELS.items()
    )


# Accepted


def accepted_words(pair: Pair, group: Sequence[str], language: str) -> str:
    """Both said yes: how to reach the other, and how to begin. `group`: all newcomers of the reading buddy."""
    name = name_of(pair.other)
    parts = [
        say(language, "You both said yes: **{other}** and you are buddies now.", other=name),
        contact_words(pair, language),
        say(
            language,
            "A tip for the first message: say who you are, when you could meet in the next days, and one thing that "
            "you would like to do or to know. Whoever reads this first writes first.",
        ),
    ]
    if not pair.reader_is_newcomer and len(group) > 1:
        parts.append(
            say_n(
                language,
                "You now look after {number} newcomer: {names}. You can meet them together.",
                "You now look after {number} newcomers: {names}. You can meet them together.",
                len(group),
                names=", ".join(group),
            )
        )
    return "\n\n".join(parts)


def accepted_note(pair: Pair, group: Sequence[str], language: str) -> Note:
    subject = say(language, "You have a buddy")
    return Note(subject, accepted_words(pair, group, language), (trouble_button(pair.pairing, language),))


def contact_words(pair: Pair, language: str) -> str:
    """Only for an accepted pair, only what the other allowed."""
    name = name_of(pair.other)
    ways = []
    if pair.pairing.state == PairingState.ACCEPTED and pair.contact is not None:
        if pair.contact.contact.get("mail"):
            ways.append(pair.other.email)
        if other := pair.contact.contact.get("other"):
            ways.append(one_line(str(other)))
    if ways:
        return say(language, "This is how you reach {other}: {ways}", other=name, ways=", ".join(ways))
    return say(
        language,
        "{other} shares no contact details and will write to you. If you hear nothing, tell the international office.",
        other=name,
    )


def trouble_button(pairing: BuddyPairing, language: str) -> Button:
    return deed_button(say(language, "Something is wrong"), TROUBLE, pairing=pairing.id)


# Notes


def over_note(kind: NoteKind, pair: Pair, language: str, *, next_step: str) -> Note:
    """A proposal or a pair is over, said kindly and without the reason of the other."""
    name = name_of(pair.other)
    match kind:
        case NoteKind.TOO_LATE:
            subject = say(language, "The proposal for a buddy is over")
            text = say(language, "I heard nothing from you about {other}, so this proposal is over.", other=name)
        case NoteKind.ENDED:
            subject = say(language, "Your pair has ended")
            text = say(language, "The pair of you and {other} has ended.", other=name)
        case _:
            subject = say(language, "No pair this time")
            text = say(
                language,
                "You and {other} do not become a pair this time. That happens, and it says nothing about you.",
                other=name,
            )
    return Note(subject, f"{text} {next_step}".strip(), (show_button(language),))


def lost_note(profile: BuddyProfile | None, language: str, *, next_step: str) -> Note:
    """The other is gone, name and all."""
    subject = say(language, "Your pair has ended")
    if profile is not None and profile.capacity > 1:
        text = say(language, "A newcomer with whom you were paired is no longer here, so that pair has ended.")
    else:
        text = say(language, "The person with whom you were paired is no longer here, so your pair has ended.")
    return Note(subject, f"{text} {next_step}".strip(), (show_button(language),))


def what_comes(profile: BuddyProfile | None, language: str, *, has_next: bool, position: int | None) -> str:
    """What happens now, for somebody who lost a proposal or a pair."""
    if profile is None:
        return ""
    match (str(profile.role), str(profile.state)):
        case (_, "withdrawn"):
            return ""
        case (_, "paused"):
            return say(language, "I pause your sign-up until you tell me that you would still like to.")
        case ("buddy", _):
            return say(language, "You stay on the list of buddies, and I ask you again when somebody fits.")
    if has_next:
        return say(language, "I have already found the next best for you and ask you both at once.")
    if position is None:
        return say(language, "You are back on the waiting list; the international office knows.")
    return say(
        language,
        "You are back on the waiting list, place {position}; the international office knows.",
        position=position,
    )


def check_in_note(pair: Pair, day: int, language: str) -> Note:
    name, other = name_of(pair.reader), name_of(pair.other)
    first = {
        3: mark("Hello {name}, you and {other} have been buddies for three days. How is it going?"),
        14: mark("Hello {name}, two weeks with {other}: how is it going?"),
        45: mark("Hello {name}, you have known {other} for a month and a half. How is it going?"),
    }[day]
    text = " ".join(
        (
            say(language, first, name=name, other=other),
            say(language, "One tap is enough; {other} does not see your answer.", other=other),
        )
    )
    return Note(
        say(language, "How is it going with {other}?", other=other), text, how_buttons(pair.pairing, day, language)
    )


def how_buttons(pairing: BuddyPairing, day: int, language: str) -> tuple[Button, ...]:
    return tuple(
        deed_button(say(language, label), HOW, pairing=pairing.id, day=day, answer=str(answer))
        for answer, label in HOW_LABELS.items()
    )


def mail_of(note: Note, language: str, address: str) -> dict[str, str]:
    """Subject and plain text of a mail, which can hold no buttons: they are in the chat."""
    ending = say(
        language,
        "Answer in the chat: {address}\n\n"
        "Link your record there, write “my buddy”, and I show you this with its buttons.",
        address=address,
    )
    return {"subject": one_line(note.subject), "text": f"{plain(note.text)}\n\n{ending}\n"}


# Pieces


def show_button(language: str) -> Button:
    return deed_button(say(language, "My buddy"), SHOW)


def name_of(student: Student) -> str:
    """The given name: the rest is nobody's business before both said yes. It came from outside and is no Markdown."""
    return one_line(student.given_name).replace("*", "").replace("[", "").replace("]", "")


def languages_words(tags: Sequence[str], language: str) -> str:
    return ", ".join(language_name(tag, language) for tag in tags)


def said_words(pairing: BuddyPairing, student_id: int, language: str) -> str:
    """ "You accepted on 3 September 2026."; "" where this person has not said yes."""
    at = said_at(pairing, student_id)
    if said_by(pairing, student_id) != Reply.YES or at is None:
        return ""
    return say(language, "You accepted on {date}.", date=day_words(at, language))


def day_words(instant: datetime | date, language: str) -> str:
    return date_words(day_in_france(instant) if isinstance(instant, datetime) else instant, language)
