"""What reminders say: kind, short, one thing to do, and how to stop them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_time

from bot.bookings.models import Offer
from bot.clock import PARIS, day_in_france
from bot.conversations.deeds import deed_button
from bot.conversations.messages import Button, Source
from bot.i18n.formats import weekday_words
from bot.i18n.languages import CONTENT_CODES, DEFAULT, language_name
from bot.i18n.translate import mark, say, say_n
from bot.paperwork.rules import Step
from bot.paperwork.wording import by_words, flag_words, line_words, overdue_words
from bot.reminders.models import ReminderKind

FEWER, STOP, START, LATER = "fewer_reminders", "stop_reminders", "start_reminders", "remind_later"
"""Names of the deeds behind our buttons."""
DID, CANNOT, TELL = "path_done", "path_cannot", "path_step"
"""Deeds of the path, see bot/paperwork/deeds.py."""
KINDS = {
    ReminderKind.STEP: mark("Steps of my path"),
    ReminderKind.BOOKING: mark("Classes, appointments, events"),
    ReminderKind.CAMPAIGN: mark("Messages of the office"),
}
EVERYTHING = mark("All reminders")

Fill = Callable[[str, str], str]
"""(text of knowledge/, its language) → the text with its figures."""

LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Note:
    """One reminder in words. `text` is Markdown; the mail gets it without the signs."""

    subject: str
    text: str
    buttons: tuple[Button, ...] = ()
    sources: tuple[Source, ...] = ()


def steps_note(steps: Sequence[Step], more: int, name: str, language: str, today: date, fill: Fill) -> Note:
    """About one step, what to do; about several, one line each and a button for each."""
    if len(steps) == 1 and not more:
        return _one_step(steps[0], name, language, today, fill)
    number = len(steps) + more
    lines = [f"- {line_words(step, language, today)}" for step in steps]
    if more:
        lines.append(say_n(language, "And {number} more step.", "And {number} more steps.", more))
    text = "\n\n".join(
        [
            say_n(
                language,
                "Hello {name}, a reminder of {number} step:",
                "Hello {name}, a reminder of {number} steps:",
                number,
                name=name,
            ),
            "\n".join([*_language_note(language), *lines]),
            say(language, "Begin with the first one; the others can wait until it is done."),
        ]
    )
    buttons = (
        *(deed_button(step.title.get(language), TELL, step=step.slug) for step in steps),
        later_button(language, [step.slug for step in steps]),
        fewer_button(language),
    )
    subject = say_n(language, "A reminder of {number} step", "A reminder of {number} steps", number)
    return Note(subject, text, buttons, sources_of(steps[0]))


def _one_step(step: Step, name: str, language: str, today: date, fill: Fill) -> Note:
    title = step.title.get(language)
    hello = say(language, "Hello {name}, a short reminder: **{step}**.", name=name, step=title)
    text = "\n\n".join([hello, *_language_note(language), step_words(step, language, today, fill)])
    return Note(
        say(language, "Reminder: {step}", step=title), text, step_buttons(step.slug, language), sources_of(step)
    )


def step_words(step: Step, language: str, today: date, fill: Fill) -> str:
    """The date with its reason, and what to do; of a missed date what to do now."""
    if step.overdue and step.due is not None:
        missed = say(language, "It is not too late to act: this is what to do now.")
        late = fill(step.late.get(language), _written_in(language))
        return f"{overdue_words(step.due, today, language)} {missed}\n\n{late}"
    opened = say(language, "You can do it from today on.") if step.opens == today else ""
    dates = " ".join(each for each in (opened, by_words(step, language), flag_words(step, language)) if each)
    return "\n\n".join(each for each in (dates, fill(step.do.get(language), _written_in(language))) if each)


def step_buttons(slug: str, language: str) -> tuple[Button, ...]:
    return (
        deed_button(say(language, "I did it"), DID, step=slug),
        deed_button(say(language, "I can't"), CANNOT, step=slug),
        later_button(language, [slug]),
        fewer_button(language),
    )


def later_button(language: str, slugs: Sequence[str]) -> Button:
    return deed_button(say(language, "Not now"), LATER, steps=list(slugs))


def fewer_button(language: str) -> Button:
    return deed_button(say(language, "Fewer reminders"), FEWER)


def sources_of(step: Step) -> tuple[Source, ...]:
    return tuple(Source(each.title, str(each.url), each.checked_on, step.valid_until) for each in step.sources[:1])


def _written_in(language: str) -> str:
    return language if language in CONTENT_CODES else DEFAULT


def _language_note(language: str) -> list[str]:
    if language in CONTENT_CODES:
        return []
    return [say(language, "The steps exist in {language} only so far.", language=language_name(DEFAULT, language))]


def booking_note(offer: Offer, starts_at: datetime, name: str, language: str, now: datetime) -> Note:
    """What is booked, when, where and with whom."""
    title = one_line(str(offer.title.get(language) or offer.title["en"]))
    day, today = day_in_france(starts_at), day_in_france(now)
    when = {
        "day": weekday_words(day, language),
        "time": clock_words(starts_at, language),
    }
    lines = [
        say(language, "Hello {name}, you have a place: **{title}**.", name=name, title=title),
        say(language, "{day}, {time} (French time).", **when),
    ]
    if offer.room:
        lines.append(say(language, "Where: {room}", room=one_line(offer.room)))
    if offer.host:
        lines.append(say(language, "With: {host}", host=one_line(offer.host)))
    if offer.is_demo:
        lines.append(say(language, "This is demo data: nothing really takes place."))
    lines.append(say(language, "If you cannot come, tell me in the chat: somebody else will be glad of the place."))
    subject = say(language, "Today: {title}", title=title) if day == today else f"{when['day']}: {title}"
    return Note(subject, "\n\n".join(lines), (fewer_button(language),))


def clock_words(instant: datetime, language: str) -> str:
    """18:00 on a French clock."""
    locale = "en_GB" if language == "en" else language
    return str(format_time(instant, "short", tzinfo=PARIS, locale=locale))


def mail_of(note: Note, language: str, address: str) -> dict[str, str]:
    """Subject and plain text of a mail; `address` is where students reach the chat."""
    ending = say(
        language,
        "You can answer in the chat: {address}\n\n"
        "Fewer mails like this? Link your record in the chat and write /stop there.",
        address=address,
    )
    return {"subject": one_line(note.subject), "text": f"{plain(note.text)}\n\n{ending}\n"}


def plain(markdown: str) -> str:
    """Our own Markdown as a mail shows it: no stars, addresses in brackets."""
    return LINK.sub(r"\1 (\2)", markdown).replace("**", "")


def one_line(text: str) -> str:
    """Names that came from outside must not add a line to a mail's head."""
    return " ".join(text.split())


def kind_buttons(unwanted: frozenset[str], effect: str, language: str) -> tuple[Button, ...]:
    """A button for each kind that can still be stopped (or started again), and one for all."""
    is_stop = effect == STOP
    kinds = [kind for kind in KINDS if (kind not in unwanted) == is_stop]
    single = [deed_button(say(language, KINDS[kind]), effect, kind=str(kind)) for kind in kinds]
    everything = deed_button(say(language, EVERYTHING), effect, kind="all")
    return (*single, everything) if len(single) > 1 else (everything,)


def stopped_words(kind: str, language: str) -> str:
    sentences: Mapping[str, str] = {
        "all": mark("All right, I send you no more reminders. Your dates stay the same; ask me for them at any time."),
        "step": mark(
            "All right, no more reminders of your steps. Your dates stay the same; ask me for them at any time."
        ),
        "booking": mark("All right, no more reminders of classes, appointments and events."),
        "campaign": mark("All right, no more messages of the office about a step."),
    }
    return say(language, sentences[kind])


def started_words(kind: str, language: str) -> str:
    sentences: Mapping[str, str] = {
        "all": mark("All right, I remind you again. You can stop it at any time with /stop."),
        "step": mark("All right, I remind you of your steps again. You can stop it at any time with /stop."),
        "booking": mark("All right, I remind you of what you booked again. You can stop it at any time with /stop."),
        "campaign": mark("All right, messages of the office reach you again. You can stop it at any time with /stop."),
    }
    return say(language, sentences[kind])
