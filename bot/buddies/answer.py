"""Where somebody stands with buddies, by their own record: what is said, and the buttons to go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.buddies.matching import left_words
from bot.buddies.matching.people import language_of
from bot.buddies.models import BuddyPairing, BuddyProfile, BuddyRole, PairingState, ProfileState, Reply
from bot.buddies.pairing import asked_at, open_pairings_with, places_taken, said_by
from bot.buddies.profiles import profile_of, role_of
from bot.buddies.queries import last_over, latest_row, newcomers_of, pair_of, position_of
from bot.buddies.wording import (
    CHANGE,
    PAUSE,
    RESUME,
    START,
    WITHDRAW,
    Pair,
    contact_words,
    day_words,
    group_words,
    languages_words,
    name_of,
    proposal_buttons,
    said_words,
    trouble_button,
    why_words,
)
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button
from bot.i18n.languages import language_name
from bot.i18n.translate import say, say_n
from bot.students.models import Student
from bot.students.records import CAMPUS_CITIES


@dataclass(frozen=True)
class Said:
    text: str
    buttons: tuple[Button, ...] = ()


def buddy_answer(session: Session, student: Student, language: str, now: datetime) -> Said:
    """The state of this student, with an open question and its buttons first."""
    profile = profile_of(session, student.id)
    pairs = [pair_of(session, each, student) for each in open_pairings_with(session, student.id)]
    told = [pair for pair in pairs if _is_told(pair.pairing, student.id)]
    if told:
        return _with_pairs(session, profile, told, student, language)
    if profile is None:
        return _not_signed_up(student, language)
    return _without_pair(session, profile, student, language, now)


def sign_up_button(student: Student, language: str) -> Button:
    if role_of(student) is BuddyRole.BUDDY:
        return deed_button(say(language, "Be a buddy"), START)
    return deed_button(say(language, "Sign up for a buddy"), START)


def profile_buttons(profile: BuddyProfile, language: str) -> tuple[Button, ...]:
    """What can be done about a sign-up that stands."""
    pause = (
        deed_button(say(language, "I am back"), RESUME)
        if profile.state == ProfileState.PAUSED
        else deed_button(say(language, "Pause"), PAUSE)
    )
    return (
        deed_button(say(language, "Change my answers"), CHANGE),
        pause,
        deed_button(say(language, "Withdraw"), WITHDRAW),
    )


def _is_told(pairing: BuddyPairing, student_id: int) -> bool:
    """What is planned is nobody's business until it is proposed: it can still be undone."""
    return asked_at(pairing, student_id) is not None or said_by(pairing, student_id) is not None


def _not_signed_up(student: Student, language: str) -> Said:
    if role_of(student) is BuddyRole.BUDDY:
        first = say(language, "You are not on the list of buddies.")
        how = say(
            language, "A buddy helps somebody new to arrive: a few answers, and I look for somebody who fits you."
        )
    else:
        if student.facts.get("wants_buddy") is True:
            first = say(language, "You have no buddy yet: you asked for one, but no sign-up is recorded.")
        else:
            first = say(language, "You are not signed up for a buddy, so there is no pairing yet.")
        how = say(language, "Signing up takes six short questions, and you can skip those you do not like.")
    return Said(f"{first} {how}", (sign_up_button(student, language),))


def _with_pairs(
    session: Session, profile: BuddyProfile | None, pairs: Sequence[Pair], student: Student, language: str
) -> Said:
    parts, buttons = [], []
    open_first = sorted(pairs, key=lambda pair: _order(pair, student.id))
    for pair in open_first:
        pairing = pair.pairing
        if pairing.state == PairingState.ACCEPTED:
            parts.append(_accepted(pair, language))
            buttons.append(trouble_button(pairing, language))
        elif said_by(pairing, student.id) == Reply.YES:
            parts.append(_waits_for_other(pair, language))
        else:
            parts.append(_open_question(session, pair, language))
            buttons += proposal_buttons(pairing, language)
    if len(pairs) > 1:
        # Whom a button means must be clear.
        buttons = [_named(each, pairs) for each in buttons]
    if profile is not None and profile.state != ProfileState.WITHDRAWN and not any(_asks(each) for each in buttons):
        buttons += profile_buttons(profile, language)
    return Said("\n\n".join(parts), tuple(buttons))


def _order(pair: Pair, student_id: int) -> tuple[bool, int]:
    is_open = pair.pairing.state != PairingState.ACCEPTED and said_by(pair.pairing, student_id) is None
    return (not is_open, pair.pairing.id)


def _asks(button: Button) -> bool:
    return button.payload.get("effect") == "buddy_yes"


def _named(button: Button, pairs: Sequence[Pair]) -> Button:
    values: Mapping[str, Any] = button.payload["values"]
    name = next(name_of(pair.other) for pair in pairs if pair.pairing.id == values["pairing"])
    return Button(f"{button.label} ({name})", button.payload)


def _accepted(pair: Pair, language: str) -> str:
    name, pairing = name_of(pair.other), pair.pairing
    if pair.reader_is_newcomer:
        first = say(language, "Your buddy is {other}.", other=name)
    else:
        first = say(language, "You are the buddy of {other}.", other=name)
    sentences = [first, said_words(pairing, pair.reader.id, language), _speaks(pair, language)]
    return "\n\n".join(
        part
        for part in (
            " ".join(each for each in sentences if each),
            why_words(pairing, language),
            contact_words(pair, language),
        )
        if part
    )


def _speaks(pair: Pair, language: str) -> str:
    if pair.contact is None or not pair.contact.languages:
        return ""
    return say(
        language,
        "{other} speaks: {languages}.",
        other=name_of(pair.other),
        languages=languages_words(pair.contact.languages, language),
    )


def _waits_for_other(pair: Pair, language: str) -> str:
    said = said_words(pair.pairing, pair.reader.id, language)
    waits = say(
        language,
        "{other} has not answered yet: I remind them after three days, and after two more I look for somebody else.",
        other=name_of(pair.other),
    )
    first = say(language, "{other} and you are proposed to each other.", other=name_of(pair.other))
    return " ".join((first, said, waits))


def _open_question(session: Session, pair: Pair, language: str) -> str:
    name, pairing = name_of(pair.other), pair.pairing
    at = asked_at(pairing, pair.reader.id) or pairing.planned_at
    first = say(
        language,
        "I proposed {other} to you on {date}, and you have not answered yet.",
        other=name,
        date=day_words(at, language),
    )
    last = say(language, "Would you two like to be buddies? Contact details are exchanged once you both said yes.")
    others = () if pair.reader_is_newcomer else newcomers_of(session, pair.reader.id, but=pairing.id)
    parts = (first, why_words(pairing, language), group_words(others, language), last)
    return "\n\n".join(part for part in parts if part)


def _without_pair(session: Session, profile: BuddyProfile, student: Student, language: str, now: datetime) -> Said:
    date = day_words(profile.updated_at, language)
    if profile.state == ProfileState.WITHDRAWN:
        text = say(language, "You withdrew on {date}, so nobody is looked for. You can sign up again.", date=date)
        return Said(text, (sign_up_button(student, language),))
    before = _before(session, student, language)
    if profile.state == ProfileState.PAUSED:
        text = say(language, "Your sign-up is paused, so nobody is looked for. Your answers are kept.")
    elif profile.role == BuddyRole.BUDDY:
        text = _buddy_waits(session, profile, language)
    else:
        text = _newcomer_waits(session, profile, language, now)
    return Said(" ".join(part for part in (before, text) if part), profile_buttons(profile, language))


def _before(session: Session, student: Student, language: str) -> str:
    """What came of the last pair that this person heard of."""
    pairing = last_over(session, student.id)
    if pairing is None or pairing.ended_at is None or not _is_told(pairing, student.id):
        return ""
    name, date = name_of(pair_of(session, pairing, student).other), day_words(pairing.ended_at, language)
    if pairing.accepted_at is not None:
        return say(language, "Your pair with {other} ended on {date}.", other=name, date=date)
    return say(language, "The proposal of {other} came to nothing on {date}.", other=name, date=date)


def _buddy_waits(session: Session, profile: BuddyProfile, language: str) -> str:
    date = day_words(profile.signed_up_at, language)
    free = max(profile.capacity - places_taken(session, profile.student_id), 0)
    first = say(language, "You are on the list of buddies since {date}, and nobody is proposed yet.", date=date)
    places = say_n(language, "You have room for {number} newcomer.", "You have room for {number} newcomers.", free)
    return f"{first} {places}"


def _newcomer_waits(session: Session, profile: BuddyProfile, language: str, now: datetime) -> str:
    parts = [
        say(
            language,
            "You are signed up for a buddy since {date}, and nobody is proposed yet.",
            date=day_words(profile.signed_up_at, language),
        )
    ]
    if (position := position_of(session, profile.student_id, now)) is not None:
        parts.append(say(language, "Your place on the waiting list: {position}.", position=position))
    if missing := _missing(session, profile, language):
        parts.append(missing)
    parts.append(say(language, "I write to you as soon as somebody fits."))
    return " ".join(parts)


def _missing(session: Session, profile: BuddyProfile, language: str) -> str:
    """What the last published run found missing for this person: why there was nobody, and which buddies would help."""
    found = latest_row(session, profile.student_id)
    if found is None or found[1].why_none is None:
        return ""
    why = left_words(found[1].why_none, language)
    spoken = {language_of(tag) for tag in profile.languages}
    shortages = [
        each
        for each in found[0].missing
        if each["campus"] == profile.campus and each["language"] in spoken and each["count"] > 0
    ]
    if not shortages:
        return why
    each = shortages[0]
    missing = say_n(
        language,
        "What is missing: {number} more buddy in {city} who speaks {language}.",
        "What is missing: {number} more buddies in {city} who speak {language}.",
        each["count"],
        city=CAMPUS_CITIES.get(profile.campus, profile.campus),
        language=language_name(each["language"], language),
    )
    return f"{why} {missing}"
