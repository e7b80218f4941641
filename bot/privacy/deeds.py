"""`/mydata` in the chat: see, take a copy, correct, erase."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config import Settings
from bot.conversations.deeds import Context, Deeds, Values, deed_button
from bot.conversations.messages import Answer, Button, Understanding
from bot.i18n.translate import say, say_n
from bot.identity.erasures import erasure_key
from bot.identity.linking import START
from bot.privacy.erase import erase
from bot.privacy.links import LIFE, make_link
from bot.privacy.reach import person_of_conversation
from bot.privacy.retention import BY_NAME
from bot.privacy.summary import summary_of, summary_words

SURE = timedelta(minutes=10)
"""How long the button that erases works."""
SHOW, EXPORT, CORRECT, EXPLAIN, ERASE, KEEP = (
    "show_my_data",
    "export_my_data",
    "correct_my_data",
    "explain_erasure",
    "erase_everything",
    "keep_my_data",
)


def privacy_deeds(settings: Settings) -> Deeds:
    chat = _Chat(settings)
    return Deeds(
        effects={
            SHOW: chat.show,
            EXPORT: chat.export,
            CORRECT: chat.correct,
            EXPLAIN: chat.explain,
            ERASE: chat.erase,
            KEEP: chat.keep,
        }
    )


def export_button(language: str) -> Button:
    return deed_button(say(language, "Give me a copy"), EXPORT)


def erase_button(language: str) -> Button:
    return deed_button(say(language, "Erase everything"), EXPLAIN)


@dataclass(frozen=True)
class _Chat:
    settings: Settings

    def show(self, context: Context, _values: Values) -> Answer:
        language = context.language
        person = person_of_conversation(context.session, context.conversation)
        text = summary_words(summary_of(context.session, person, language), language)
        correct = deed_button(say(language, "Correct something"), CORRECT)
        return _answer(text, export_button(language), correct, erase_button(language))

    def export(self, context: Context, _values: Values) -> Answer:
        language = context.language
        address = f"{self.settings.address}/mydata/{make_link(context.session, context.conversation, context.now)}"
        minutes = int(LIFE.total_seconds() // 60)
        if context.conversation.student_id is None:
            text = say(
                language,
                "[Download your copy]({address}): this conversation, since it is not linked to a record. "
                "The link works once, for {minutes} minutes.",
                address=address,
                minutes=minutes,
            )
            return _answer(text, Button(say(language, "Link my record"), START))
        text = say(
            language,
            "[Download your copy]({address}): your record and everything that belongs to it, as a JSON file. "
            "The link works once, for {minutes} minutes. Keep the file to yourself.",
            address=address,
            minutes=minutes,
        )
        return _answer(text)

    def correct(self, context: Context, _values: Values) -> Answer:
        language = context.language
        if context.conversation.student_id is None:
            text = say(language, "There is no record in this conversation to correct. Link yours first.")
            return _answer(text, Button(say(language, "Link my record"), START))
        text = say(
            language,
            "Write me what is wrong and what is right, for example “I arrive on 12 September” or “I found a flat”. "
            "What belongs to you I change when you have confirmed it; what the school keeps goes to a colleague as a "
            "request.",
        )
        return _answer(text)

    def explain(self, context: Context, _values: Values) -> Answer:
        language = context.language
        until = context.now + SURE
        person = person_of_conversation(context.session, context.conversation)
        if person.student_id is None:
            text = say(
                language,
                "Erasing takes away everything that was said in this conversation, at once and for good, also for the "
                "office. The conversation is not linked to a record: link it first if your record should go as well.",
            )
        else:
            text = "\n\n".join((_what_goes(len(person.conversations), language), _what_stays(language)))
        yes = deed_button(
            say(language, "Yes, erase everything"), ERASE, until=until.isoformat(), student=person.student_id
        )
        return _answer(text, yes, deed_button(say(language, "No, keep it"), KEEP))

    def erase(self, context: Context, values: Values) -> Answer:
        language = context.language
        until = datetime.fromisoformat(str(values["until"]))
        is_same = values["student"] == context.conversation.student_id
        if context.now >= until or not is_same:
            # Whoever presses a button of yesterday, or of before a link, must read again what it means.
            return self.explain(context, {})
        person = person_of_conversation(context.session, context.conversation)
        key = erasure_key(self.settings.data)
        erased = erase(context.session, person, context.now, key=key, replies_in=context.conversation.id)
        return _answer(erased_words(erased.has_record, language))

    def keep(self, context: Context, _values: Values) -> Answer:
        return _answer(say(context.language, "All right, nothing is erased."))


def erased_words(has_record: bool, language: str) -> str:
    """The last message."""
    days = BY_NAME["erased_conversations"].kept.days
    if has_record:
        done = say(
            language, "Everything is erased, as you asked: your record here and every conversation linked to it."
        )
    else:
        done = say(language, "Everything is erased, as you asked: nothing that was said in this conversation is left.")
    then = say_n(
        language,
        "This last message goes in {number} day.",
        "This last message goes in {number} days.",
        days,
    )
    return f"{done} {then}"


def _what_goes(conversations: int, language: str) -> str:
    first = say(
        language,
        "Erasing takes away, at once and for good: your record here with its history, your steps, your reminders, your "
        "bookings (the places go to others), your private calendar address, and what you told the office here.",
    )
    then = say_n(
        language,
        "{number} conversation is linked to your record and goes with it.",
        "{number} conversations are linked to your record and go with it, on every device.",
        conversations,
    )
    return f"{first} {then}"


def _what_stays(language: str) -> str:
    days, months = BY_NAME["unlinked_conversations"].kept.days, BY_NAME["erasures"].kept.years * 12
    return say(
        language,
        "What the school keeps in its own system stays there: ask the school for that. So that its next list does not "
        "bring your record back, a hash of your address is kept for {months} months; nobody can read the address from "
        "it. A conversation whose link you removed is not found from here: erase it there, or it goes {days} days "
        "after its last message.",
        months=months,
        days=days,
    )


def _answer(text: str, *buttons: Button) -> Answer:
    understanding = Understanding(intent="mydata", confidence=1.0, action="chat", group="small_talk")
    return Answer(text, understanding, buttons=buttons)
