"""Every topic of knowledge/ answers the same questions."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.answers.topics import Personal, content_language, topic_answer
from bot.content.check import FEWEST_PHRASES, LONGEST_ANSWER, check, folded, read_training_phrases
from bot.content.loader import Knowledge, load_knowledge
from bot.content.render import figure_names
from bot.content.schema import ANSWERABLE_GROUPS, Topic
from bot.conversations.messages import Understanding
from bot.i18n.languages import CODES, CONTENT_CODES, language_name
from bot.i18n.translate import say
from bot.paperwork.schema import load_procedures

ROOT = Path(__file__).resolve().parents[2]
KNOWLEDGE: Knowledge = load_knowledge(ROOT / "knowledge")
PROCEDURES = {each.slug: each for each in load_procedures(ROOT / "knowledge" / "procedures")}
FEWEST_HELD_OUT = 3
LONGEST_BUTTON = 60
"""Characters."""

every_topic = pytest.mark.parametrize("topic", KNOWLEDGE.topics.values(), ids=lambda topic: topic.slug)
every_content_language = pytest.mark.parametrize("code", CONTENT_CODES)


def phrases_of(topic: Topic, code: str) -> list[str]:
    return read_training_phrases(ROOT / "data" / "nlu" / code / f"{topic.slug}.yml")[f"ask/{topic.slug}"]


def held_out_of(topic: Topic, code: str) -> list[str]:
    held_out: list[str] = yaml.safe_load(
        (ROOT / "tests" / "nlu" / code / f"{topic.slug}.yml").read_text(encoding="utf-8")
    )
    return held_out


def day_of_writing(topic: Topic) -> date:
    """A day on which every figure and every source of the topic was fresh."""
    return max(source.checked_on for source in topic.file.sources)


def test_there_are_forty_topics_and_each_field_of_the_start_has_some() -> None:
    groups = {topic.file.group for topic in KNOWLEDGE.topics.values()}

    assert len(KNOWLEDGE.topics) >= 40
    assert groups == set(ANSWERABLE_GROUPS)


def test_check_content_finds_nothing() -> None:
    # `make check` looks as on the day of the commit; here the day is fixed, so that an old commit still passes.
    today = date(2026, 11, 24)
    procedures = {slug: procedure.valid_until for slug, procedure in PROCEDURES.items()}

    findings = check(KNOWLEDGE, ROOT / "data" / "nlu", ROOT / "tests" / "nlu", procedures, today)

    assert [str(finding) for finding in findings] == []


@every_topic
def test_it_is_written_in_every_content_language(topic: Topic) -> None:
    assert tuple(topic.texts) == CONTENT_CODES
    assert topic.texts["en"] != topic.texts["fr"]


@every_topic
def test_its_sources_are_dated_and_it_ends(topic: Topic) -> None:
    days = [source.checked_on for source in topic.file.sources]

    assert days != []
    assert max(days) < topic.file.valid_until
    assert len({str(source.url) for source in topic.file.sources}) == len(days)


@every_topic
def test_its_figures_are_the_same_in_every_language(topic: Topic) -> None:
    assert sorted(figure_names(topic.texts["en"])) == sorted(figure_names(topic.texts["fr"]))


@every_topic
def test_its_next_topics_exist_and_are_others(topic: Topic) -> None:
    assert set(topic.file.next) - KNOWLEDGE.topics.keys() == set()
    assert topic.slug not in topic.file.next
    assert len(set(topic.file.next)) == len(topic.file.next)


@every_topic
def test_its_personal_part_exists(topic: Topic) -> None:
    assert {topic.file.procedure} - {None, *PROCEDURES} == set()
    assert topic.file.procedure is None or topic.file.record is None


@every_topic
@every_content_language
def test_it_has_enough_phrases_and_none_twice(topic: Topic, code: str) -> None:
    phrases = [folded(phrase) for phrase in phrases_of(topic, code)]

    assert len(phrases) >= FEWEST_PHRASES
    assert sorted(set(phrases)) == sorted(phrases)


@every_topic
@every_content_language
def test_it_has_held_out_phrases_that_were_never_trained_on(topic: Topic, code: str) -> None:
    held_out = {folded(phrase) for phrase in held_out_of(topic, code)}

    assert len(held_out) >= FEWEST_HELD_OUT
    assert held_out & {folded(phrase) for phrase in phrases_of(topic, code)} == set()


@every_topic
@every_content_language
def test_its_buttons_fit_and_its_answer_is_short(topic: Topic, code: str) -> None:
    words = [word for word in topic.texts[code].split() if any(character.isalnum() for character in word)]

    assert [
        text for text in (topic.file.question.get(code), topic.file.title.get(code)) if len(text) > LONGEST_BUTTON
    ] == []
    assert len(words) <= LONGEST_ANSWER


@every_topic
@pytest.mark.parametrize("code", CODES)
def test_it_is_answered_in_every_language(topic: Topic, code: str) -> None:
    understanding = Understanding(f"ask/{topic.slug}", 0.9, "answer", topic.slug, (), topic.file.group)

    answer = topic_answer(KNOWLEDGE, topic.slug, code, day_of_writing(topic), Personal(), understanding)

    only = say(code, "This answer exists in {language} only so far:", language=language_name("en", code))
    assert "{" not in answer.text
    assert "}" not in answer.text
    assert (answer.text.count(only), content_language(topic, code)) == (
        (0, code) if code in CONTENT_CODES else (1, "en")
    )
    assert [label for label in (button.label for button in answer.buttons) if len(label) > LONGEST_BUTTON] == []
    assert 0 < len(answer.sources) == len({source.url for source in answer.sources})


@every_topic
def test_after_its_last_day_it_warns_and_before_it_does_not(topic: Topic) -> None:
    understanding = Understanding(f"ask/{topic.slug}", 0.9, "answer", topic.slug, (), topic.file.group)
    warning = "confirm it on the official site first"

    fresh, stale = (
        topic_answer(KNOWLEDGE, topic.slug, "en", day, Personal(), understanding).text
        for day in (day_of_writing(topic), topic.file.valid_until)
    )

    assert (warning in fresh, warning in stale) == (False, True)
