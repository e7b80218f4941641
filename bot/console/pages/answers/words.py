"""What the page of answers shows, in the colleague's words: states, faults, previews, differences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.answers.variants import label
from bot.clock import day_in_france
from bot.console.words import short_moment
from bot.content.check import Fault
from bot.content.loader import TOPIC_FILE, Texts
from bot.conversations.messages import Answer, Source
from bot.editing.models import Edition, Origin, Reason, State
from bot.editing.preview import Shown
from bot.editing.queries import Asked, Unhelpful
from bot.editing.rules import differences, excerpt
from bot.i18n.formats import date_words
from bot.i18n.languages import BY_CODE
from bot.i18n.translate import mark, say, say_n
from bot.upkeep.masking import masked

STATES = {
    State.DRAFT: mark("Draft"),
    State.REVIEW: mark("Waits for a review"),
    State.PUBLISHED: mark("Published"),
    State.WITHDRAWN: mark("Given up"),
}
ORIGINS = {
    Origin.FILES: mark("The text of the files"),
    Origin.WRITTEN: mark("New text"),
    Origin.CHECKED: mark("Checked: still true"),
    Origin.RESTORED: mark("An earlier text again"),
}
REASONS = {
    Reason.WRONG: mark("It is wrong"),
    Reason.UNCLEAR: mark("It is unclear"),
    Reason.NOT_MY_CASE: mark("It is not my case"),
}
FILES = {"en.md": mark("English text"), "fr.md": mark("French text"), TOPIC_FILE: mark("Title, sources and dates")}
FIELDS = {
    "title": mark("Title"),
    "question": mark("Question"),
    "owner": mark("Who answers for it"),
    "valid_until": mark("Check again by"),
    "sources": mark("Sources"),
    "next": mark("Topics offered next"),
}
BOTH_TEXTS = mark("Both texts")
OWNERS = {"international_office": mark("international office")}

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
TelegramForm = Callable[[str, Sequence[Source], str], Iterable[str]]
"""(Markdown, sources, language) → the messages as Telegram's HTML."""


def fault_words(fault: Fault, language: str) -> dict[str, str]:
    """`where`: a field of the form, or one of the texts."""
    where = FIELDS.get(fault.field) or FILES.get(fault.file) or BOTH_TEXTS
    return {
        "field": fault.field or fault.file,
        "where": say(language, where),
        "what": say(language, fault.what, **fault.values),
    }


def edition_words(edition: Edition, names: Mapping[int, str], language: str) -> dict[str, Any]:
    at = edition.published_at or edition.changed_at
    return {
        "id": edition.id,
        "slug": edition.slug,
        "state": str(edition.state),
        "state_words": say(language, STATES[State(edition.state)]),
        "origin": str(edition.origin),
        "origin_words": say(language, ORIGINS[Origin(edition.origin)]),
        "author": names.get(edition.author_id or 0, ""),
        "reviewer": names.get(edition.reviewer_id or 0, ""),
        "remark": edition.remark,
        "at": short_moment(language, at),
        "publication": edition.publication,
        "is_exported": edition.exported_at is not None and edition.origin != Origin.FILES,
    }


def asked_words(row: Asked, language: str) -> dict[str, Any]:
    return {
        "slug": row.slug,
        "title": row.topic.file.title.get(language),
        "owner": owner_words(row.topic.file.owner, language),
        "asked": row.asked,
        "unhelpful": row.unhelpful,
        "checked_on": date_words(row.checked_on, language),
        "valid_until": date_words(row.topic.file.valid_until, language),
        "days_left": days_words(row.days_left, language),
        "is_late": row.days_left <= 0,
    }


def owner_words(owner: str, language: str) -> str:
    """Who answers for a topic; what the office wrote itself stays as written."""
    return say(language, OWNERS[owner]) if owner in OWNERS else owner.replace("_", " ")


def day_words(day: str, language: str) -> str:
    """A day of topic.yml in words."""
    return date_words(date.fromisoformat(day), language)


def days_words(days: int, language: str) -> str:
    if days < 0:
        return say_n(language, "{number} day late", "{number} days late", -days)
    return say_n(language, "{number} day left", "{number} days left", days)


def preview_rows(shown: Sequence[Shown], telegram: TelegramForm | None, language: str) -> list[dict[str, Any]]:
    return [
        {
            "name": _name(each, language),
            "answers": [
                {"language": BY_CODE[code], **_answer(answer, telegram, code)} for code, answer in each.answers.items()
            ],
        }
        for each in shown
    ]


def _name(shown: Shown, language: str) -> str:
    if shown.is_more:
        return say(language, "After “More”")
    if shown.variant is None:
        return say(language, "When nothing is known of the student")
    return label(shown.variant, language)


def _answer(answer: Answer, telegram: TelegramForm | None, code: str) -> dict[str, Any]:
    return {
        "html": Markup(_markdown.render(answer.text)),  # noqa: S704 - HTML in the Markdown is escaped
        "buttons": [button.label for button in answer.buttons],
        "sources": [
            {"title": source.title, "url": source.url, "checked_on": date_words(source.checked_on, code)}
            for source in answer.sources
        ],
        # Telegram's own few tags, made by our writer from escaped text.
        "telegram": [Markup(part) for part in telegram(answer.text, answer.sources, code)]  # noqa: S704
        if telegram
        else [],
    }


def difference_words(old: Texts, new: Texts, language: str) -> list[dict[str, Any]]:
    return [
        {"name": say(language, FILES[name]), "pieces": excerpt(pieces)}
        for name, pieces in differences(old, new).items()
    ]


def rating_words(
    unhelpful: Unhelpful, names: Mapping[str, str], language: str, *, sees_every_question: bool
) -> dict[str, Any]:
    """`names`: titles of topics. A conversation that the colleague may not read has no number here."""
    rating, is_readable = unhelpful.rating, unhelpful.is_readable
    is_seen = is_readable or sees_every_question
    return {
        "question": masked(unhelpful.question or "", unhelpful.names) if is_seen else "",
        "topic": rating.topic,
        "title": names.get(rating.topic, rating.topic),
        "reason": say(language, REASONS[Reason(rating.reason)]) if rating.reason else "",
        "language": BY_CODE[rating.language].name if rating.language in BY_CODE else rating.language,
        "day": date_words(day_in_france(rating.created_at), language),
        "conversation_id": str(rating.conversation_id) if is_readable else None,
    }
