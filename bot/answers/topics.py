"""One topic as an answer: the personal part first, then the office's text, next steps, sources. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.answers.words import link_button, person_button
from bot.content.loader import Knowledge
from bot.content.render import figure_names, render
from bot.content.schema import SourceEntry, Topic
from bot.conversations.messages import Answer, Button, Candidate, Source, Understanding
from bot.i18n.formats import date_words
from bot.i18n.languages import BY_CODE, CONTENT_CODES, DEFAULT, language_name
from bot.i18n.translate import say

SUGGEST_FROM = 0.1
"""Calibrated confidence below which a topic is not even offered as a button."""

MOST_BUTTONS = 4


@dataclass(frozen=True)
class Personal:
    """What the student's own record adds; `text` "" when the record is not linked."""

    text: str = ""
    sources: tuple[Source, ...] = ()
    can_link: bool = False
    """The topic has a personal answer that a link would open."""
    offer_person: bool = False
    """The rule is not clear for this student: a person should look at it."""
    partly_english: bool = False
    """Sentences of the procedure came in English."""
    for_others: bool = False
    """The step does not concern this student: the general text is for those whom it does."""


def content_language(topic: Topic, language: str) -> str:
    """The language the text is given in: the reader's where it is written, else English."""
    return language if language in topic.texts and language in CONTENT_CODES else DEFAULT


def topic_answer(
    knowledge: Knowledge,
    slug: str,
    language: str,
    today: date,
    personal: Personal,
    understanding: Understanding,
) -> Answer:
    topic = knowledge.topic(slug)
    written = content_language(topic, language)
    parts = [personal.text] if personal.text else []
    # Where the record itself is the answer, the general text only says how to get it.
    is_answered = bool(personal.text) and topic.file.record is not None
    if personal.partly_english or (written != language and not is_answered):
        only = say(language, "This answer exists in {language} only so far:", language=language_name(DEFAULT, language))
        parts.insert(0 if personal.partly_english else len(parts), only)
    if personal.for_others:
        parts.append(say(language, "For students whom it does concern:"))
    if not is_answered:
        parts.append(render(topic.texts[written], knowledge.figures, language))
    if (note := freshness_note(knowledge, topic, language, today)) is not None:
        parts.append(note)
    buttons = [link_button(language)] if personal.can_link and not personal.text else []
    buttons += [topic_button(knowledge, each, language) for each in topic.file.next if each in knowledge.topics]
    if topic.file.ask_office or personal.offer_person:
        # The way to a person must not fall off the end.
        buttons = [*buttons[: MOST_BUTTONS - 1], person_button(language)]
    return Answer(
        text="\n\n".join(parts),
        understanding=understanding,
        buttons=tuple(buttons[:MOST_BUTTONS]),
        sources=sources_of(knowledge, topic, personal.sources),
    )


def freshness_note(knowledge: Knowledge, topic: Topic, language: str, today: date) -> str | None:
    """The warning of an answer that should have been checked again by now, its figures included."""
    dates = [topic.file.valid_until]
    dates += [
        knowledge.figures[name].review_by
        for text in topic.texts.values()
        for name in figure_names(text)
        if name in knowledge.figures
    ]
    if (due := min(dates)) > today:
        return None
    return say(
        language,
        "This should have been checked again by {date} and may have changed: confirm it on the official site first.",
        date=date_words(due, language),
    )


def topic_button(knowledge: Knowledge, slug: str, language: str) -> Button:
    question = knowledge.topic(slug).file.question
    return Button(question.get(language), {"topic": slug})


def sources_of(knowledge: Knowledge, topic: Topic, more: Sequence[Source]) -> tuple[Source, ...]:
    """The topic's own sources, those of its figures and of the personal part; each address once."""
    names = [name for text in topic.texts.values() for name in figure_names(text) if name in knowledge.figures]
    own = [as_source(entry, topic.file.valid_until) for entry in topic.file.sources]
    figures = [
        as_source(knowledge.figures[name].source, knowledge.figures[name].review_by) for name in dict.fromkeys(names)
    ]
    unique: dict[str, Source] = {}
    for source in (*more, *own, *figures):
        unique.setdefault(source.url, source)
    return tuple(unique.values())


def as_source(entry: SourceEntry, valid_until: date | None) -> Source:
    return Source(entry.title, str(entry.url), entry.checked_on, valid_until)


def clarify_answer(
    knowledge: Knowledge, topics: Sequence[Candidate], language: str, understanding: Understanding
) -> Answer:
    """ "Did you mean": two or three topics in words, and the way out."""
    buttons = [topic_button(knowledge, each.topic, language) for each in topics]
    text = say(language, "I want to be sure that I understood. Did you mean one of these?")
    return Answer(text, understanding, buttons=(*buttons, person_button(language)))


def abstain_answer(
    knowledge: Knowledge, topics: Sequence[Candidate], language: str, understanding: Understanding
) -> Answer:
    """The honest way out: no guess, what can be asked here, and the closest questions where they are not far off."""
    text = say(
        language,
        "I do not have a checked answer to this. I know about housing, visas and papers, health insurance, French "
        "classes, buddies, the welcome session, internships and exchanges. Ask in other words, or ask for a person.",
    )
    close = [each for each in topics if each.confidence >= SUGGEST_FROM]
    return Answer(text, understanding, buttons=tuple(topic_button(knowledge, each.topic, language) for each in close))


def language_buttons() -> tuple[Button, ...]:
    return tuple(Button(language.name, {"language": code}) for code, language in BY_CODE.items())
