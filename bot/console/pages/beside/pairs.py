"""An answer of ours as this student would read it, beside the same one in the colleague's language. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from markdown_it import MarkdownIt

from bot.answers.topics import Personal, Reader, content_language, topic_answer
from bot.answers.variants import known
from bot.content.loader import Knowledge
from bot.conversations.messages import Understanding
from bot.i18n.formats import date_words
from bot.i18n.languages import BY_CODE, Language, language_name
from bot.i18n.translate import say
from bot.students.facts import Facts

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
_SHOWN = Understanding(intent=None, confidence=1.0, action="answer")


@dataclass(frozen=True)
class Told:
    """What the conversation itself says of the student: choices by family, and the language."""

    choices: dict[str, Any]
    language: str


@dataclass(frozen=True)
class Side:
    """One of the two: `text` is Markdown to be sent, `html` the same to be looked at, in `language`."""

    language: Language
    text: str
    html: str


@dataclass(frozen=True)
class Pair:
    """`own` is None where both would be the same."""

    title: str
    theirs: Side
    own: Side | None
    note: str
    valid_until: str
    is_old: bool
    sources: tuple[tuple[str, str], ...]


def pair_of(knowledge: Knowledge, slug: str, told: Told, facts: Facts | None, language: str, today: date) -> Pair:
    """The general answer in the student's variant. What the record itself adds stays with the bot."""
    topic = knowledge.topic(slug)
    choices = known(facts, told.choices, today)

    def side(code: str) -> Side:
        written = content_language(topic, code)
        # Every family counts as asked: a colleague's answer must not end with the bot's question.
        asked = {**dict.fromkeys(("citizenship", "programme", "campus", "age", "visa"), ""), **told.choices}
        answer = topic_answer(knowledge, slug, Reader(written, today, choices, asked), Personal(), _SHOWN)
        links = "\n".join(f"- [{source.title}]({source.url})" for source in answer.sources)
        text = f"{answer.text}\n\n{links}" if links else answer.text
        return Side(BY_CODE[written], text, _markdown.render(answer.text))

    theirs, own = side(told.language), side(language)
    sources = topic_answer(knowledge, slug, Reader(language, today, choices), Personal(), _SHOWN).sources
    note = ""
    if theirs.language.code != told.language:
        note = say(
            language,
            "There is no text in {wanted}: this is the one in {written}.",
            wanted=language_name(told.language, language),
            written=language_name(theirs.language.code, language),
        )
    return Pair(
        title=topic.file.title.get(language),
        theirs=theirs,
        own=own if own.language != theirs.language else None,
        note=note,
        valid_until=date_words(topic.file.valid_until, language),
        is_old=topic.file.valid_until <= today,
        sources=tuple((source.title, source.url) for source in sources),
    )
