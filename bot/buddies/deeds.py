"""Buddies as deeds of a turn: the sign-up, the answer to a proposal, how it goes, pause and withdrawal."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.buddies.answer import buddy_answer, profile_buttons
from bot.buddies.interests import Interests
from bot.buddies.matching import Weights
from bot.buddies.models import (
    AlertReason,
    BuddyCheckIn,
    BuddyPairing,
    BuddyProfile,
    CheckInAnswer,
    EndReason,
    PairingState,
    ProfileState,
    Reply,
)
from bot.buddies.pairing import (
    answer_proposal,
    both,
    hold_pairs,
    leave,
    open_pairings_with,
    raise_alert,
    rematch,
    said_by,
)
from bot.buddies.profiles import draft_from, draft_of, profile_of, sign_up
from bot.buddies.queries import newcomers_of, pair_of, position_of
from bot.buddies.rules import is_silence
from bot.buddies.signing import (
    AGREE,
    ASK,
    PICK,
    PROMPT,
    REFUSE,
    SIGN,
    SUMMARY,
    TAKE,
    SignUp,
    answer,
    link_first,
    said,
)
from bot.buddies.wording import (
    CHANGE,
    HOW,
    HOW_LABELS,
    NO,
    PAUSE,
    REALLY_WITHDRAW,
    RESUME,
    SHOW,
    START,
    TROUBLE,
    WHY_NOT,
    WITHDRAW,
    YES,
    accepted_words,
    name_of,
    show_button,
    trouble_button,
    what_comes,
    why_not_buttons,
)
from bot.conversations.deeds import Context, Deeds, EffectFunction, Values, deed_button
from bot.conversations.messages import Answer, Button
from bot.errors import InvalidField
from bot.i18n.translate import say
from bot.paperwork.schema import Procedure
from bot.paperwork.service import mark_done
from bot.students.facts import FactsError
from bot.students.models import Student

UNDO_WITHDRAWAL = "buddy_undo_withdrawal"
UNDO_WITHIN = timedelta(hours=24)
"""So long a withdrawal can be taken back with the old answers, which are in the button and nowhere else."""
SIGN_UP_STEP = "buddy_sign_up"
"""The step of the path that a sign-up is."""

OfStudent = Callable[[Context, Student, Values], Answer]


def buddy_deeds(interests: Interests, weights: Weights, procedures: Sequence[Procedure]) -> Deeds:
    step = next((each for each in procedures if each.slug == SIGN_UP_STEP), None)
    signing = SignUp(interests, lambda context, student: _step_done(context, student, step))
    return Deeds(
        effects={
            SHOW: _linked(_show),
            START: signing.start,
            AGREE: signing.agree,
            REFUSE: signing.refuse,
            ASK: signing.ask,
            TAKE: signing.take,
            SUMMARY: signing.summary,
            PICK: signing.pick,
            SIGN: signing.sign,
            CHANGE: signing.change,
            YES: _linked(_yes),
            NO: _linked(_no),
            WHY_NOT: _linked(lambda context, student, values: _why_not(context, student, values, weights)),
            HOW: _linked(_how),
            TROUBLE: _linked(_trouble),
            PAUSE: _linked(_pause),
            RESUME: _linked(_resume),
            WITHDRAW: _linked(_withdraw),
            REALLY_WITHDRAW: _linked(
                lambda context, student, values: _really_withdraw(context, student, values, weights)
            ),
            UNDO_WITHDRAWAL: _linked(_undo_withdrawal),
        },
        prompts={PROMPT: signing.typed},
    )


def _linked(deed: OfStudent) -> EffectFunction:
    """A deed that needs to know whose buddy it is about."""

    def do(context: Context, values: Values) -> Answer:
        student = context.student
        return deed(context, student, values) if student is not None else link_first(context.language)

    return do


def _step_done(context: Context, student: Student, step: Procedure | None) -> None:
    if step is None:
        return
    try:
        mark_done(context.session, student, step, context.today, context.now)
    except (FactsError, InvalidField):
        # A record with a slip in it keeps nobody from a buddy; the step is ticked off by hand then.
        return


def _show(context: Context, student: Student, _values: Values) -> Answer:
    return said(buddy_answer(context.session, student, context.language, context.now))


# The proposal


def _yes(context: Context, student: Student, values: Values) -> Answer:
    hold_pairs(context.session)
    pairing = _pairing(context, student, values)
    if pairing is None:
        return _too_late(context, student)
    if not answer_proposal(context.session, pairing, student.id, Reply.YES, context.now):
        return _already(context, student, pairing)
    language, pair = context.language, pair_of(context.session, pairing, student)
    if pairing.state == PairingState.ACCEPTED:
        group = newcomers_of(context.session, pairing.buddy_id)
        return answer(accepted_words(pair, group, language), trouble_button(pairing, language))
    text = say(
        language,
        "Good. As soon as {other} has said yes as well, I give you each other's contact details. I remind them after "
        "three days, and after two more I look for somebody else.",
        other=name_of(pair.other),
    )
    return answer(text, show_button(language))


def _no(context: Context, student: Student, values: Values) -> Answer:
    """Asks for the reason, which is the answer: a slip of the finger declines nobody."""
    hold_pairs(context.session)
    pairing = _pairing(context, student, values)
    if pairing is None:
        return _too_late(context, student)
    if not _is_open_question(pairing, student):
        return _already(context, student, pairing)
    language = context.language
    text = say(
        language,
        "That is all right. What is the reason? One tap; {other} is not told, and it helps me to find somebody who "
        "fits better.",
        other=name_of(pair_of(context.session, pairing, student).other),
    )
    back = deed_button(say(language, "I meant yes"), YES, pairing=pairing.id)
    return answer(text, *why_not_buttons(pairing.id, language), back)


def _why_not(context: Context, student: Student, values: Values, weights: Weights) -> Answer:
    hold_pairs(context.session)
    pairing = _pairing(context, student, values)
    if pairing is None:
        return _too_late(context, student)
    language, reason = context.language, _one_of(EndReason, values.get("reason"), EndReason.OTHER)
    other = name_of(pair_of(context.session, pairing, student).other)
    if not answer_proposal(context.session, pairing, student.id, Reply.NO, context.now, reason):
        return _already(context, student, pairing)
    found = rematch(context.session, pairing.newcomer_id, context.now, weights)
    text = say(language, "Thank you for saying so. I tell {other} kindly, without your reason.", other=other)
    profile = profile_of(context.session, student.id)
    has_next = found is not None and student.id == pairing.newcomer_id
    if student.id == pairing.newcomer_id or profile is not None:
        position = None if has_next else _position(context, student)
        text = f"{text} {what_comes(profile, language, has_next=has_next, position=position)}".strip()
    buttons = profile_buttons(profile, language) if profile is not None else ()
    return answer(text, *buttons)


def _position(context: Context, student: Student) -> int | None:
    return position_of(context.session, student.id, context.now)


def _is_open_question(pairing: BuddyPairing, student: Student) -> bool:
    is_proposal = pairing.state in (PairingState.PLANNED, PairingState.PROPOSED)
    return is_proposal and said_by(pairing, student.id) is None


def _already(context: Context, student: Student, pairing: BuddyPairing) -> Answer:
    """An old button: what became of it, and where things stand now."""
    language = context.language
    first = {
        PairingState.ACCEPTED: say(language, "You both said yes already."),
        PairingState.PROPOSED: say(language, "You answered this already."),
        PairingState.PLANNED: say(language, "You answered this already."),
    }.get(PairingState(pairing.state), say(language, "This proposal is over already."))
    now_is = buddy_answer(context.session, student, language, context.now)
    return answer(f"{first} {now_is.text}", *now_is.buttons)


def _too_late(context: Context, student: Student) -> Answer:
    """The pairing is not there, or not theirs."""
    language = context.language
    text = say(language, "This button does not belong to a proposal of yours that is still there.")
    now_is = buddy_answer(context.session, student, language, context.now)
    return answer(f"{text} {now_is.text}", *now_is.buttons)


def _pairing(context: Context, student: Student, values: Values) -> BuddyPairing | None:
    """The pairing of a button, if it is one of this student."""
    number = values.get("pairing")
    pairing = context.session.get(BuddyPairing, number) if isinstance(number, int) else None
    return pairing if pairing is not None and student.id in both(pairing) else None


# How it goes


def _how(context: Context, student: Student, values: Values) -> Answer:
    hold_pairs(context.session)
    language, pairing = context.language, _pairing(context, student, values)
    if pairing is None:
        return _too_late(context, student)
    if pairing.state != PairingState.ACCEPTED:
        return _already(context, student, pairing)
    given = _one_of(CheckInAnswer, values.get("answer"), None)
    check_in = _check_in(context, student, pairing, values.get("day"))
    if given is None or check_in is None:
        return _too_late(context, student)
    # Trouble is heard at any time; any other answer counts once.
    if check_in.answer is not None and given is not CheckInAnswer.TROUBLE:
        text = say(
            language,
            "You told me already: {answer}. If something is wrong, press the button.",
            answer=say(language, HOW_LABELS[CheckInAnswer(check_in.answer)]),
        )
        return answer(text, trouble_button(pairing, language))
    check_in.answer, check_in.answered_at = given, context.now
    if given is CheckInAnswer.TROUBLE:
        return _trouble(context, student, values)
    if is_silence(check_in.day, given):
        raise_alert(context.session, student.id, AlertReason.SILENCE, context.now, pairing_id=pairing.id)
    context.session.flush()
    return answer(_thanks(given, check_in.day, name_of(pair_of(context.session, pairing, student).other), language))


def _thanks(given: CheckInAnswer, day: int, other: str, language: str) -> str:
    if given is not CheckInAnswer.NOT_YET:
        return say(language, "Thank you, that is good to hear.")
    if is_silence(day, given):
        return say(
            language, "Thank you. I tell the international office, so that a person helps you and {other}.", other=other
        )
    return say(
        language,
        "Thank you. A short message with two days to choose from is often enough: you can write to {other} first.",
        other=other,
    )


def _check_in(context: Context, student: Student, pairing: BuddyPairing, day: object) -> BuddyCheckIn | None:
    return context.session.scalar(
        select(BuddyCheckIn).where(
            BuddyCheckIn.pairing_id == pairing.id,
            BuddyCheckIn.student_id == student.id,
            BuddyCheckIn.day == (day if isinstance(day, int) else -1),
        )
    )


def _trouble(context: Context, student: Student, values: Values) -> Answer:
    """The office looks at it at once."""
    hold_pairs(context.session)
    pairing = _pairing(context, student, values)
    if pairing is None or pairing.state != PairingState.ACCEPTED:
        return _too_late(context, student)
    raise_alert(context.session, student.id, AlertReason.TROUBLE, context.now, pairing_id=pairing.id)
    language = context.language
    text = say(
        language,
        "I am sorry. The international office sees this now and looks for a way; you need not explain it to {other}. "
        "You can also talk to a person here.",
        other=name_of(pair_of(context.session, pairing, student).other),
    )
    return answer(text, Button(say(language, "Talk to a person"), {"effect": "request_person"}))


# Pause and withdrawal


def _pause(context: Context, student: Student, _values: Values) -> Answer:
    profile, language = _on_the_list(context, student), context.language
    if profile is None:
        return _show(context, student, {})
    profile.state, profile.updated_at = ProfileState.PAUSED, context.now
    context.session.flush()
    text = say(language, "Your sign-up is paused: I propose nobody until you are back. A pair that you have stays.")
    return answer(text, *profile_buttons(profile, language))


def _resume(context: Context, student: Student, _values: Values) -> Answer:
    profile, language = _on_the_list(context, student), context.language
    if profile is None:
        return _show(context, student, {})
    profile.state, profile.updated_at = ProfileState.SIGNED_UP, context.now
    context.session.flush()
    return answer(say(language, "Welcome back, you are on the list again."), *profile_buttons(profile, language))


def _withdraw(context: Context, student: Student, _values: Values) -> Answer:
    """Asks once."""
    profile, language = _on_the_list(context, student), context.language
    if profile is None:
        return _show(context, student, {})
    text = say(language, "Shall I take you off the list and delete your answers?")
    told = [
        name_of(pair_of(context.session, each, student).other)
        for each in open_pairings_with(context.session, student.id)
        if each.state == PairingState.ACCEPTED
    ]
    if told:
        ends = say(language, "This also ends your pair with {names}; they are told.", names=", ".join(told))
        text = f"{text} {ends}"
    return answer(
        text,
        deed_button(say(language, "Yes, take me off"), REALLY_WITHDRAW),
        deed_button(say(language, "No, stay on the list"), SHOW),
    )


def _really_withdraw(context: Context, student: Student, _values: Values, weights: Weights) -> Answer:
    hold_pairs(context.session)
    profile, language = _on_the_list(context, student), context.language
    if profile is None:
        return _show(context, student, {})
    before: dict[str, Any] = {
        "draft": draft_of(profile).as_json(),
        "agreed": profile.consented_at.isoformat(),
        "since": profile.signed_up_at.isoformat(),
        "until": (context.now + UNDO_WITHIN).isoformat(),
        "who": student.id,
    }
    leave(context.session, profile, context.now, weights)
    text = say(
        language,
        "You are off the list, and your answers are deleted. For a day you can take that back; a pair that has ended "
        "does not come back.",
    )
    return answer(text, deed_button(say(language, "Undo"), UNDO_WITHDRAWAL, **before))


def _undo_withdrawal(context: Context, student: Student, values: Values) -> Answer:
    hold_pairs(context.session)
    profile, language = profile_of(context.session, student.id), context.language
    is_over = datetime.fromisoformat(str(values["until"])) <= context.now or values.get("who") != student.id
    if profile is None or profile.state != ProfileState.WITHDRAWN or is_over:
        return _show(context, student, {})
    agreed_at = datetime.fromisoformat(str(values["agreed"]))
    profile = sign_up(context.session, student, draft_from(values["draft"]), agreed_at, context.now)
    profile.signed_up_at = datetime.fromisoformat(str(values["since"]))
    context.session.flush()
    text = say(language, "You are on the list again, with your answers as they were.")
    return answer(text, *profile_buttons(profile, language))


def _on_the_list(context: Context, student: Student) -> BuddyProfile | None:
    profile = profile_of(context.session, student.id)
    return profile if profile is not None and profile.state != ProfileState.WITHDRAWN else None


def _one_of(kind: Any, value: object, default: Any) -> Any:
    """A value of a button as one of ours, or what an old one stands for."""
    try:
        return kind(value)
    except ValueError:
        return default
