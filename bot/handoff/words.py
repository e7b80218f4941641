"""What students are told at each border of a takeover: the truth about hours, the queue and who answers."""

from datetime import datetime, timedelta
from math import ceil

from bot.content.schema import School
from bot.handoff.hours import is_open, next_opening
from bot.i18n.formats import weekday_words
from bot.i18n.translate import mark, say, say_n

LONGEST_IN_MINUTES = timedelta(minutes=90)
STEP = 5
"""Minutes to which a wait is rounded up: it is no promise to the minute."""
DELETED = mark("This message was deleted.")


def person_requested(language: str, school: School, now: datetime) -> str:
    """The answer to "I want to talk to a person"."""
    first = say(language, "Your request is with the international office: a person will answer you here.")
    if school.desk_hours is None:
        when = say(
            language,
            "I do not know the office's opening hours, so I cannot promise when. In the meantime I go on answering, "
            "and everything you write is kept for them.",
        )
    elif is_open(school.desk_hours, now):
        when = say(language, "The desk is open now. In the meantime I go on answering.")
    elif (opening := next_opening(school.desk_hours, now)) is not None:
        when = say(
            language,
            "The desk is closed now and opens again on {day} at {time}. In the meantime I go on answering.",
            day=weekday_words(opening.date(), language),
            time=f"{opening:%H:%M}",
        )
    else:
        when = say(language, "The desk is closed now. In the meantime I go on answering.")
    return f"{first} {when}"


def usual_wait_words(language: str, wait: timedelta) -> str:
    """How long others waited, rounded up."""
    if wait <= LONGEST_IN_MINUTES:
        minutes = max(STEP, STEP * ceil(wait / timedelta(minutes=STEP)))
        return say_n(
            language,
            "Lately a person usually answered within {number} minute of opening time.",
            "Lately a person usually answered within {number} minutes of opening time.",
            minutes,
        )
    return say_n(
        language,
        "Lately a person usually answered within {number} hour of opening time.",
        "Lately a person usually answered within {number} hours of opening time.",
        ceil(wait / timedelta(hours=1)),
    )


def mail_follows(language: str) -> str:
    return say(language, "If you are away when the answer comes, a mail to your school mailbox tells you.")


def come_back(language: str) -> str:
    """To somebody on a web page whose mailbox is not known."""
    return say(
        language,
        "The answer comes on this page: come back to it in this browser. If you link your student record (write "
        "/link), a mail tells you when it is there.",
    )


def now_talking_to(language: str, name: str) -> str:
    return say(language, "You are now talking to {name}.", name=name)


def now_waiting_at(language: str, desk: str) -> str:
    return say(language, "Your request is now with: {desk}. A person will answer you here.", desk=desk)


def colleague_gone(language: str, name: str) -> str:
    return say(
        language,
        "{name} is not here at the moment. Your request waits for a person again, and everything you write is kept for "
        "them. In the meantime I go on answering.",
        name=name,
    )


def assistant_back(language: str, *, was_held: bool) -> str:
    if was_held:
        return say(language, "The assistant is back: you are talking to a machine again.")
    return say(language, "The office has ended your request for a person. The assistant goes on answering.")


def now_closed(language: str) -> str:
    return say(language, "This conversation is closed. Write again at any time and the assistant answers.")


def answer_mail(language: str, name: str, address: str) -> tuple[str, str]:
    """(subject, text) of the mail that an answer waits; never what it says: a mailbox may be read by others."""
    text = say(
        language,
        "Hello {name},\n\n"
        "the international office has answered you in your chat with Accueil. Open it where you wrote, on the same "
        "device:\n\n{address}\n",
        name=name,
        address=address,
    )
    return say(language, "You have an answer"), text


def promises_mail(language: str, number: int, name: str | None, address: str) -> tuple[str, str]:
    """(subject, text) for a colleague, without a word of the promises; `name`: whose they are, None: the reader's."""
    if name is None:
        text = say_n(
            language,
            "The day of {number} promise that you made to a student has come, and it is not marked as kept:"
            "\n\n{address}\n",
            "The day of {number} promises that you made to students has come, and they are not marked as kept:"
            "\n\n{address}\n",
            number,
            address=address,
        )
    else:
        text = say_n(
            language,
            "The day of {number} promise has come that {name} made to a student. It is not marked as kept, and {name} "
            "no longer answers students:\n\n{address}\n",
            "The day of {number} promises has come that {name} made to students. They are not marked as kept, and "
            "{name} no longer answers students:\n\n{address}\n",
            number,
            name=name,
            address=address,
        )
    return say(language, "A promise is due"), text


def danger_mail(language: str, desk: str, name: str | None, address: str) -> tuple[str, str]:
    """(subject, text) for a colleague, without a word of the student; `name`: who has the conversation, or None."""
    if name is None:
        text = say(
            language,
            "At the desk {desk} a student wrote of a danger or an urgent need, and nobody has taken over yet. The "
            "assistant gave the emergency numbers:\n\n{address}\n",
            desk=desk,
            address=address,
        )
    else:
        text = say(
            language,
            "At the desk {desk} a student wrote of a danger or an urgent need. {name} has the conversation, so the "
            "assistant is silent there and gave no emergency numbers:\n\n{address}\n",
            desk=desk,
            name=name,
            address=address,
        )
    return say(language, "Urgent: a student needs a person now"), text


def waiting_mail(language: str, desk: str, minutes: int, address: str) -> tuple[str, str]:
    """(subject, text) for a coordinator, without a word of the student."""
    text = say_n(
        language,
        "At the desk {desk} a student has waited for {number} minute of opening time, and nobody has taken over yet:"
        "\n\n{address}\n",
        "At the desk {desk} a student has waited for {number} minutes of opening time, and nobody has taken over yet:"
        "\n\n{address}\n",
        minutes,
        desk=desk,
        address=address,
    )
    return say(language, "A student waits for a person"), text
