"""The answers that the welcome page shows without JavaScript, taken from knowledge/."""

from datetime import date

from bot.answers.topics import body, content_language
from bot.answers.variants import choose
from bot.channels.web.pages import Entry, Group, SourceLink
from bot.content.loader import Knowledge
from bot.content.render import render
from bot.i18n.translate import mark, say

SHOWN = (
    ("housing", mark("Housing"), ("housing_search", "visale", "housing_aid", "rental_scam")),
    ("papers", mark("Visa and papers"), ("visa_needed", "validate_visa", "permit_renewal", "cvec")),
    ("health", mark("Health"), ("health_registration", "doctor_and_refund", "ehic_card")),
    ("french", mark("French classes"), ("french_classes_offer", "french_level")),
    ("welcome", mark("Buddies and welcome"), ("buddy_system", "welcome_session", "first_days")),
    ("exchange", mark("Exchange and career"), ("exchange_application", "learning_agreement", "student_job_hours")),
)
"""What is asked most; everything else is asked in the chat."""
EXAMPLES = {
    "housing_search": mark("How do I find a room?"),
    "visa_needed": mark("Do I need a visa to study in France?"),
    "health_registration": mark("How do I register for health cover?"),
    "french_classes_offer": mark("Does JUNIA offer French classes?"),
}
"""What is offered to be tried, for readers in whose language the answers are not written: the chat understands them."""


def welcome_groups(knowledge: Knowledge, language: str, today: date) -> list[Group]:
    return [
        Group(
            slug=slug,
            title=say(language, title),
            entries=tuple(_entry(knowledge, topic, language, today) for topic in topics if topic in knowledge.topics),
        )
        for slug, title, topics in SHOWN
    ]


def _entry(knowledge: Knowledge, slug: str, language: str, today: date) -> Entry:
    topic = knowledge.topic(slug)
    written = content_language(topic, language)
    return Entry(
        slug=slug,
        question=topic.file.question.get(written),
        example=say(language, EXAMPLES[slug]) if written != language and slug in EXAMPLES else "",
        answer=render(
            body(topic.pages[written], choose(topic.file.variants, {}, {}), written), knowledge, written, today
        ),
        language=written,
        sources=tuple(SourceLink(s.title, str(s.url), s.checked_on) for s in topic.file.sources),
    )
