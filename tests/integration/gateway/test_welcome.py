"""What the welcome page offers to ask, in languages in which the answers are not written."""

from datetime import date

import pytest

from bot.config import ROOT
from bot.content.loader import Knowledge, load_knowledge
from bot.gateway.answers import EXAMPLES, SHOWN, welcome_groups
from bot.i18n.languages import CODES, CONTENT_CODES
from bot.i18n.translate import say

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge(ROOT / "knowledge")


def test_the_examples_are_the_questions_of_the_first_groups_as_the_office_asks_them(knowledge):
    first = [topics[0] for _slug, _title, topics in SHOWN]

    assert list(EXAMPLES) == first[: len(EXAMPLES)]
    assert {slug: knowledge.topic(slug).file.question.en for slug in EXAMPLES} == EXAMPLES


@pytest.mark.parametrize("language", CODES)
def test_an_example_is_in_the_readers_language_and_the_answer_in_one_it_is_written_in(knowledge, language):
    entries = {each.slug: each for group in welcome_groups(knowledge, language, TODAY) for each in group.entries}

    if language in CONTENT_CODES:
        assert {entries[slug].example for slug in EXAMPLES} == {""}
    else:
        assert {slug: entries[slug].example for slug in EXAMPLES} == {
            slug: say(language, words) for slug, words in EXAMPLES.items()
        }
        assert {entries[slug].language for slug in EXAMPLES} == {"en"}
