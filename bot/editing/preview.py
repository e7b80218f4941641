"""A text that is not live yet as every student would get it: by variant, by language, and what "More" shows. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from bot.answers.topics import Personal, Reader, more_answer, topic_answer
from bot.answers.variants import CHOICES
from bot.content.loader import Knowledge
from bot.content.schema import FAMILIES, Topic, Variant
from bot.conversations.messages import Answer, Understanding
from bot.i18n.languages import CONTENT_CODES


@dataclass(frozen=True)
class Shown:
    """One form of the answer, by language. `variant`: for whom; None: nothing is known of the student."""

    variant: Variant | None
    is_more: bool
    answers: dict[str, Answer]


def previews(knowledge: Knowledge, topic: Topic, today: date) -> tuple[Shown, ...]:
    """The topic in the place of the live one. Raises ContentError where a text names a figure that does not exist."""
    with_it = replace(knowledge, topics={**knowledge.topics, topic.slug: topic})
    return tuple(_shown(with_it, topic, today))


def _shown(knowledge: Knowledge, topic: Topic, today: date) -> Iterator[Shown]:
    understanding = Understanding(f"ask/{topic.slug}", 1.0, "answer", topic.slug, (), topic.file.group, ())
    for variant in (None, *topic.file.variants):
        readers = {code: Reader(code, today, _known(variant)) for code in CONTENT_CODES}
        yield Shown(
            variant,
            False,
            {
                code: topic_answer(knowledge, topic.slug, reader, Personal(), understanding)
                for code, reader in readers.items()
            },
        )
    if any(page.more for page in topic.pages.values()):
        yield Shown(
            None,
            True,
            {code: more_answer(knowledge, topic.slug, Reader(code, today), understanding) for code in CONTENT_CODES},
        )


def _known(variant: Variant | None) -> dict[str, str]:
    """What a student has told for whom this part is written: "another country" stands for what has no button."""
    if variant is None:
        return {}
    family = FAMILIES[variant]
    return {family: "other" if variant == "non_eu" else variant} if family in CHOICES else {}
