"""One topic as an answer: the personal part first, then the office's text, next steps, sources. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.answers.variants import QUESTIONS, Shown, Told, choose, label, question_buttons
from bot.answers.words import link_button, person_button
from bot.content.loader import Knowledge
from bot.content.render import figure_names, render, school_names
from bot.content.schema import LONGEST_ANSWER, Page, SourceEntry, Topic, first_paragraph, word_count
from bot.conversations.messages import Answer, Button, Candidate, Effect, Source, Understanding
from bot.i18n.formats import date_words
from bot.i18n.languages import BY_CODE, DEFAULT, language_name
from bot.i18n.translate import say

MOST_BUTTONS = 4


@dataclass(frozen=True)
class Personal:
    """What the student's own record adds; `text` "" when the record is not linked."""

    text: str = ""
    sources: tuple[Source, ...] = ()
    buttons: tuple[Button, ...] = ()
    """What the student can do about it."""
    effects: tuple[Effect, ...] = ()
    """What the personal part asks the gateway to do: to expect an answer to its question, say."""
    is_whole_answer: bool = False
    """The record itself is the answer; the general text only says how to get it."""
    can_link: bool = False
    """The topic has a personal answer that a link would open."""
    offer_person: bool = False
    """The rule is not clear for this student: a person should look at it."""
    partly_english: bool = False
    """Sentences of the procedure came in English."""
    for_others: bool = False
    """The step does not concern this student: the general text is for those whom it does."""


@dataclass(frozen=True)
class Reader:
    """For whom and when an answer is worked out. `known`, `told`: see bot.answers.variants."""

    language: str
    today: date
    known: Mapping[str, str] = field(default_factory=dict)
    told: Told = field(default_factory=dict)


def content_language(topic: Topic, language: str) -> str:
    """The language the text is given in: the reader's where it is written, else English."""
    return language if language in topic.pages else DEFAULT


def topic_answer(
    knowledge: Knowledge, slug: str, reader: Reader, personal: Personal, understanding: Understanding
) -> Answer:
    topic, language = knowledge.topic(slug), reader.language
    written = content_language(topic, language)
    page = topic.pages[written]
    shown = choose(topic.file.variants, reader.known, reader.told)
    parts = [personal.text] if personal.text else []
    is_answered = bool(personal.text) and personal.is_whole_answer
    if personal.partly_english or (written != language and not is_answered):
        only = say(language, "This answer exists in {language} only so far:", language=language_name(DEFAULT, language))
        parts.insert(0 if personal.partly_english else len(parts), only)
    if personal.for_others:
        parts.append(say(language, "For students whom it does concern:"))
    general = "" if is_answered else body(page, shown, written)
    if general:
        parts.append(render(general, knowledge, written, reader.today))
    if (note := freshness_note(topic, reader)) is not None:
        parts.append(note)
    buttons = list(personal.buttons)
    if personal.can_link and not personal.text:
        buttons.append(link_button(language))
    effects = personal.effects
    if shown.ask and general:
        parts.append(say(language, QUESTIONS[shown.ask]))
        buttons = [*question_buttons(shown.ask, slug, language), *buttons]
        effects = (*effects, Effect("remember", {shown.ask: ""}))
    elif general and page.more:
        buttons.append(Button(say(language, "More"), {"topic": slug, "more": True}))
    return Answer(
        text="\n\n".join(parts),
        understanding=understanding,
        buttons=_with_next(knowledge, topic, buttons, general, language, personal.offer_person),
        sources=sources_of(knowledge, topic, general, personal.sources),
        effects=effects,
    )


def more_answer(knowledge: Knowledge, slug: str, reader: Reader, understanding: Understanding) -> Answer:
    """What stands behind "More"; the answer itself where there is nothing."""
    topic = knowledge.topic(slug)
    written = content_language(topic, reader.language)
    more = topic.pages[written].more
    if not more:
        return topic_answer(knowledge, slug, reader, Personal(), understanding)
    return Answer(
        text=render(more, knowledge, written, reader.today),
        understanding=understanding,
        buttons=_with_next(knowledge, topic, [], more, reader.language, False),
        sources=sources_of(knowledge, topic, more, ()),
    )


def body(page: Page, shown: Shown, language: str) -> str:
    """The text for everybody, then the part of the reader, or every part that may be the reader's.

    Of several parts each is there in short; whole, from the most general one on, as long as the answer stays short.
    """
    if len(shown.variants) == 1:
        return f"{page.lead}\n\n{page.variants[shown.variants[0]]}"
    parts = {each: first_paragraph(page.variants[each]) for each in shown.variants}
    for each in reversed(shown.variants):
        longer = {**parts, each: page.variants[each]}
        if word_count(" ".join((page.lead, *longer.values()))) <= LONGEST_ANSWER:
            parts = longer
    return "\n\n".join(
        (
            page.lead,
            *(
                say(language, "**{name}:** {text}", name=label(each, language), text=part)
                for each, part in parts.items()
            ),
        )
    )


def _with_next(
    knowledge: Knowledge, topic: Topic, buttons: list[Button], text: str, language: str, offer_person: bool
) -> tuple[Button, ...]:
    """The buttons with the next topics, at most MOST_BUTTONS unless a question has more choices."""
    most = max(MOST_BUTTONS, len(buttons))
    every = buttons + [topic_button(knowledge, each, language) for each in topic.file.next if each in knowledge.topics]
    blank = any(knowledge.school.facts[name].value is None for name in school_names(text))
    if topic.file.ask_office or blank or offer_person:
        # The way to a person must not fall off the end.
        kept = max(most - 1, len(buttons))
        every = [*every[:kept], person_button(language)]
        most = len(every)
    return tuple(every[:most])


def freshness_note(topic: Topic, reader: Reader) -> str | None:
    """The warning of an answer that should have been checked again by now; an old figure says so itself."""
    if topic.file.valid_until > reader.today:
        return None
    return say(
        reader.language,
        "This should have been checked again by {date} and may have changed: confirm it on the official site first.",
        date=date_words(topic.file.valid_until, reader.language),
    )


def topic_button(knowledge: Knowledge, slug: str, language: str) -> Button:
    question = knowledge.topic(slug).file.question
    return Button(question.get(language), {"topic": slug})


def sources_of(knowledge: Knowledge, topic: Topic, text: str, more: Sequence[Source]) -> tuple[Source, ...]:
    """The topic's own sources, those of the figures in the text and of the personal part; each address once."""
    own = [as_source(entry, topic.file.valid_until) for entry in topic.file.sources]
    figures = [
        as_source(knowledge.figures[name].source, knowledge.figures[name].review_by) for name in figure_names(text)
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


def abstain_answer(knowledge: Knowledge, topics: Sequence[str], language: str, understanding: Understanding) -> Answer:
    """The honest way out: no guess, what can be asked here, the closest questions (`topics`) and a person."""
    text = say(
        language,
        "I do not have a checked answer to this. I know about housing, visas and papers, health insurance, French "
        "classes, buddies, the welcome session, internships and exchanges. Ask in other words, or ask for a person.",
    )
    buttons = (*(topic_button(knowledge, each, language) for each in topics), person_button(language))
    return Answer(text, understanding, buttons=buttons)


def language_buttons() -> tuple[Button, ...]:
    return tuple(Button(language.name, {"language": code}) for code, language in BY_CODE.items())
