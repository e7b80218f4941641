"""What the student is told about a pasted advert: each sign with its quote and what to do, never a guarantee."""

from datetime import date

from bot.content.loader import Knowledge
from bot.content.render import PLACEHOLDER, render
from bot.conversations.messages import Answer, Button, Effect, Source, Understanding
from bot.housing.advert_file import Adverts, load_adverts
from bot.housing.adverts import Checked, check, looks_like_advert
from bot.i18n.languages import CONTENT_CODES, DEFAULT, language_name
from bot.i18n.translate import say, say_n

TOPIC = "rental_scam"
DANGER = "housing_scam"
"""The kind of urgent.yml whose text helps somebody who has paid."""
RENT = "rent_lille"
MOST_SIGNS = 6


def is_advert(knowledge: Knowledge, text: str) -> bool:
    return looks_like_advert(load_adverts(knowledge.folder), text)


def advert_answer(knowledge: Knowledge, text: str, language: str, today: date) -> Answer:
    """The check of one advert. The text itself goes nowhere: not to the engine, not to a log, no link is opened."""
    adverts = load_adverts(knowledge.folder)
    rent = knowledge.figures.get(RENT)
    checked = check(adverts, text, rent.value if rent is not None else None)
    parts = [*_signs(knowledge, adverts, checked, language, today), _honest_limits(language)]
    effects: tuple[Effect, ...] = ()
    if checked.has_paid:
        danger = knowledge.urgent[DANGER].text
        parts.insert(0, danger.get(language) or danger[DEFAULT])
        # The text above says that it is passed on.
        effects = (Effect("request_person", {"reason": "urgent"}),)
    return Answer(
        text="\n\n".join(parts),
        understanding=_understanding(knowledge),
        buttons=_buttons(knowledge, language, checked),
        sources=_sources(knowledge, adverts, checked),
        effects=effects,
    )


def ask_for_advert(language: str) -> str:
    return say(
        language,
        "Paste the whole text of the advert or of the owner's message here. I look for signs of a scam; I open no "
        "link, so copy the words, not the address.",
    )


def only_a_link(language: str) -> str:
    return say(language, "I do not open links. Copy the words of the advert and paste them here, please.")


def _understanding(knowledge: Knowledge) -> Understanding:
    topic = TOPIC if TOPIC in knowledge.topics else None
    return Understanding("housing/advert", 1.0, "answer", topic, (), "housing")


def _signs(knowledge: Knowledge, adverts: Adverts, checked: Checked, language: str, today: date) -> list[str]:
    if not checked.found:
        return [_nothing_found(language)]
    first = say_n(
        language,
        "I read this as an offer of a room and found {number} sign of a scam in it:",
        "I read this as an offer of a room and found {number} signs of a scam in it:",
        len(checked.found),
    )
    written = language if language in CONTENT_CODES else DEFAULT
    lines = []
    for each in checked.found[:MOST_SIGNS]:
        sign = adverts.file.signs[each.sign]
        why = f"{sign.explanation.get(written)} {sign.advice.get(written)}"
        lines.append(f"- **{_quoted(each.quote, language)}** {render(why, knowledge, written, today)}")
    if (more := len(checked.found) - MOST_SIGNS) > 0:
        lines.append(say_n(language, "- And {number} more sign.", "- And {number} more signs.", more))
    do = say(
        language,
        "Pay nothing and send no papers before you or somebody you trust has visited and the lease is signed. "
        "If you have paid already, keep the advert, the messages and the proof of payment, tell your bank and the "
        "police, and ask me for a person.",
    )
    only = (
        [say(language, "This answer exists in {language} only so far:", language=language_name(DEFAULT, language))]
        if written != language
        else []
    )
    return [first, *only, "\n".join(lines), do]


def _quoted(quote: str, language: str) -> str:
    return f"« {quote} »" if language == "fr" else f"“{quote}”"


def _nothing_found(language: str) -> str:
    return "\n".join(
        (
            say(
                language,
                "I read this as an offer of a room and found none of the signs of a scam that I know; that is no "
                "guarantee. Keep to three habits:",
            ),
            "",
            say(language, "- **Visit**: you, or somebody you trust, sees the room with the person who lets it."),
            say(language, "- **Contract before money**: nothing is paid before the lease is signed."),
            say(
                language,
                "- **Traceable payment**: a bank transfer to the person named in the lease, never cash by post.",
            ),
        )
    )


def _honest_limits(language: str) -> str:
    return say(
        language,
        "I compare words and sums with a list of known signs, and I opened no link: an honest advert may show one, and "
        "a careful scam none.",
    )


def _buttons(knowledge: Knowledge, language: str, checked: Checked) -> tuple[Button, ...]:
    person = Button(say(language, "Talk to a person"), {"effect": "request_person"})
    another = Button(say(language, "Check another advert"), {"effect": "housing_advert"})
    topic = (
        (Button(knowledge.topic(TOPIC).file.question.get(language), {"topic": TOPIC}),)
        if TOPIC in knowledge.topics
        else ()
    )
    if checked.has_paid:
        return (*topic, another)
    return (*topic, another, person) if checked.found else (another, *topic)


def _sources(knowledge: Knowledge, adverts: Adverts, checked: Checked) -> tuple[Source, ...]:
    """Those of the signs found; without a sign those of the topic, which names the habits."""
    names = dict.fromkeys(adverts.file.signs[each.sign].source for each in checked.found)
    entries = [adverts.file.sources[name] for name in names if name is not None]
    valid_until = knowledge.topic(TOPIC).file.valid_until if TOPIC in knowledge.topics else None
    if not entries:
        entries = [adverts.file.sources["service_public_deposit"]]
    figures = {
        match["name"]
        for each in checked.found
        for match in PLACEHOLDER.finditer(adverts.file.signs[each.sign].explanation.en)
    }
    sources = [Source(each.title, str(each.url), each.checked_on, valid_until) for each in entries]
    for name in sorted(figures):
        figure = knowledge.figures[name]
        sources.append(Source(figure.source.title, str(figure.source.url), figure.source.checked_on, figure.review_by))
    return tuple({each.url: each for each in sources}.values())
