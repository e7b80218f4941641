"""Every topic of knowledge/ answers the same questions."""

from datetime import date
from pathlib import Path
from typing import get_args

import pytest
import yaml

from actions.records import RECORDS
from bot.answers.topics import Personal, Reader, content_language, more_answer, topic_answer
from bot.answers.variants import CHOICES, choose, known
from bot.content.check import FEWEST_HELD_OUT, FEWEST_PHRASES, check, folded
from bot.content.loader import Knowledge, load_knowledge
from bot.content.phrases import read_training_phrases
from bot.content.render import figure_names, school_names
from bot.content.schema import ANSWERABLE_GROUPS, FAMILIES, RecordName, Topic
from bot.conversations.messages import Understanding
from bot.i18n.languages import CODES, CONTENT_CODES, language_name
from bot.i18n.translate import say
from bot.paperwork.schema import load_procedures

ROOT = Path(__file__).resolve().parents[2]
KNOWLEDGE: Knowledge = load_knowledge(ROOT / "knowledge")
PROCEDURES = {each.slug: each for each in load_procedures(ROOT / "knowledge" / "procedures")}
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


def understanding_of(topic: Topic) -> Understanding:
    return Understanding(f"ask/{topic.slug}", 0.9, "answer", topic.slug, (), topic.file.group)


def day_of_writing(topic: Topic) -> date:
    """A day on which every figure and every source of the topic was fresh."""
    return max(source.checked_on for source in topic.file.sources)


def test_there_are_a_hundred_and_fifty_topics_and_every_group_has_some() -> None:
    groups = {topic.file.group for topic in KNOWLEDGE.topics.values()}

    assert len(KNOWLEDGE.topics) >= 150
    assert groups == set(ANSWERABLE_GROUPS)


def test_check_content_finds_nothing() -> None:
    # `make check` looks as on the day of the commit; here the day is fixed, so that an old commit still passes.
    today = date(2026, 11, 24)
    procedures = {slug: procedure.valid_until for slug, procedure in PROCEDURES.items()}

    findings = check(KNOWLEDGE, ROOT / "data" / "nlu", ROOT / "tests" / "nlu", procedures, today)

    assert [str(finding) for finding in findings] == []


@every_topic
def test_it_is_written_in_every_content_language(topic: Topic) -> None:
    assert tuple(topic.pages) == CONTENT_CODES
    assert topic.pages["en"].whole != topic.pages["fr"].whole
    assert (topic.pages["en"].more == "") == (topic.pages["fr"].more == "")


@every_topic
def test_its_sources_are_dated_and_it_ends(topic: Topic) -> None:
    days = [source.checked_on for source in topic.file.sources]

    assert days != []
    assert max(days) < topic.file.valid_until
    assert len({str(source.url) for source in topic.file.sources}) == len(days)


@every_topic
def test_its_figures_and_blanks_are_the_same_in_every_language(topic: Topic) -> None:
    english, french = (topic.pages[code].whole for code in CONTENT_CODES)

    assert set(figure_names(english)) == set(figure_names(french))
    assert set(school_names(english)) == set(school_names(french))


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
def test_its_buttons_fit(topic: Topic, code: str) -> None:
    assert [
        text for text in (topic.file.question.get(code), topic.file.title.get(code)) if len(text) > LONGEST_BUTTON
    ] == []


@every_topic
@pytest.mark.parametrize("code", CODES)
def test_every_choice_of_its_question_shows_one_part_and_asks_no_more(topic: Topic, code: str) -> None:
    families = {FAMILIES[variant] for variant in topic.file.variants}
    asked = [(family, choice) for family in families for choice in CHOICES[family]]

    for family, choice in asked:
        reader = Reader(code, day_of_writing(topic), known(None, {family: choice}, day_of_writing(topic)))
        answer = topic_answer(KNOWLEDGE, topic.slug, reader, Personal(), understanding_of(topic))
        shown = choose(topic.file.variants, reader.known, {})

        assert answer.effects == ()
        assert "{" not in answer.text
        assert shown.ask is None
        assert [button for button in answer.buttons if "told" in button.payload] == []


@every_topic
@every_content_language
def test_behind_more_stands_more(topic: Topic, code: str) -> None:
    reader = Reader(code, day_of_writing(topic))
    answer = topic_answer(KNOWLEDGE, topic.slug, reader, Personal(), understanding_of(topic))
    offered = [button for button in answer.buttons if button.payload == {"topic": topic.slug, "more": True}]
    more = more_answer(KNOWLEDGE, topic.slug, reader, understanding_of(topic))

    assert len(offered) == (1 if topic.pages[code].more and not answer.effects else 0)
    assert "{" not in more.text
    assert (more.text != answer.text) == (topic.pages[code].more != "")


@every_topic
@pytest.mark.parametrize("code", CODES)
def test_it_is_answered_in_every_language(topic: Topic, code: str) -> None:
    reader = Reader(code, day_of_writing(topic))
    answer = topic_answer(KNOWLEDGE, topic.slug, reader, Personal(), understanding_of(topic))

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
    warning = "confirm it on the official site first"

    fresh, stale = (
        topic_answer(KNOWLEDGE, topic.slug, Reader("en", day), Personal(), understanding_of(topic)).text
        for day in (day_of_writing(topic), topic.file.valid_until)
    )

    assert (warning in fresh, warning in stale) == (False, True)


def test_every_record_that_a_topic_may_name_has_its_function() -> None:
    assert set(RECORDS) == set(get_args(RecordName))
