"""A calendar address in chat: given, and stopped by its button."""

from bot.calendars.service import give_feed, stop_feed
from bot.conversations.deeds import Context, Deeds, Values, deed_button
from bot.conversations.messages import Answer
from bot.i18n.translate import say
from bot.paperwork.replies import PRESSED, not_linked


def calendar_deeds(address: str) -> Deeds:
    """`address`: of the gateway, as students see it, without a final slash."""

    def give(context: Context, _values: Values) -> Answer:
        student, language = context.student, context.language
        if student is None:
            return not_linked(language)
        feed, token = give_feed(context.session, student, context.now)
        text = say(
            language,
            "This is the private address of your calendar:\n\n{address}\n\n"
            'Copy it. In your calendar program choose "subscribe" or "add from URL" and paste it: your dates and '
            "appointments appear there and stay up to date. Whoever has the address can read them, so keep it to "
            "yourself.",
            address=feed_address(address, token),
        )
        stop = deed_button(say(language, "Stop this address"), "stop_calendar", feed=feed.id)
        return Answer(text, PRESSED, buttons=(stop,))

    return Deeds(effects={"give_calendar": give, "stop_calendar": _stop})


def feed_address(address: str, token: str) -> str:
    return f"{address}/calendar/{token}.ics"


def _stop(context: Context, values: Values) -> Answer:
    student, language = context.student, context.language
    if student is None:
        return not_linked(language)
    if stop_feed(context.session, student, int(values.get("feed", 0)), context.now):
        text = say(language, "This address no longer works: a calendar that uses it is not updated any more.")
    else:
        text = say(language, "This address did not work any more.")
    again = deed_button(say(language, "Give me a new address"), "give_calendar")
    return Answer(text, PRESSED, buttons=(again,))
