"""Topics of knowledge/ as answers: what comes first, what is said of language and age, what is offered next."""

from datetime import date

from bot.answers.topics import Personal, Reader, topic_answer
from bot.assistant.understanding import join
from bot.conversations.messages import Answer, Button, Effect, Understanding

TODAY = date(2026, 11, 24)
KNOWN = Understanding("ask/validate_visa", 0.9, "answer", "validate_visa", (), "paperwork")


def answer(knowledge, slug="validate_visa", language="en", today=TODAY, personal=None):
    return topic_answer(knowledge, slug, Reader(language, today), personal or Personal(), KNOWN)


def test_the_personal_sentence_comes_first(knowledge):
    own = "By 12 December 2026, because you arrived on 12 September 2026."

    reply = answer(knowledge, personal=Personal(own, can_link=True))

    assert reply.text.split("\n\n")[0] == own


def test_before_linking_the_link_is_the_first_thing_offered(knowledge):
    reply = answer(knowledge, slug="my_buddy", personal=Personal(can_link=True))

    assert reply.buttons[0].payload == {"effect": "start_link"}


def test_the_link_is_offered_beside_a_question_as_well(knowledge):
    reply = answer(knowledge, personal=Personal(can_link=True))

    payloads = [button.payload for button in reply.buttons]
    assert {"effect": "start_link"} in payloads
    assert {"told": {"citizenship": "eu"}, "topic": "validate_visa"} in payloads
    assert reply.effects == (Effect("remember", {"citizenship": ""}),)
    assert reply.text.endswith("To answer for you: which citizenship do you have?")


def test_a_question_once_asked_is_not_asked_again(knowledge):
    reader = Reader("en", TODAY, {}, {"citizenship": ""})

    reply = topic_answer(knowledge, "validate_visa", reader, Personal(), KNOWN)

    assert "**Algerian citizens:**" in reply.text
    assert "which citizenship" not in reply.text
    assert reply.effects == ()


def test_who_is_known_gets_their_own_part_alone(knowledge):
    reply = topic_answer(knowledge, "validate_visa", Reader("en", TODAY, {"citizenship": "eu"}), Personal(), KNOWN)

    assert reply.text.split("\n\n")[1] == knowledge.topic("validate_visa").pages["en"].variants["eu"]
    assert "Algerian" not in reply.text
    assert reply.effects == ()


def test_what_the_office_has_not_told_offers_a_person(knowledge):
    reply = answer(knowledge, slug="academic_calendar")

    assert "has not told me yet: the dates of the semesters, exams and holidays." in reply.text
    assert reply.buttons[-1].payload == {"effect": "request_person"}


def test_where_the_office_must_be_asked_a_person_is_always_offered(knowledge):
    full = next(slug for slug, topic in knowledge.topics.items() if topic.file.ask_office and len(topic.file.next) == 3)

    reply = answer(knowledge, slug=full, personal=Personal(can_link=True))

    assert len(reply.buttons) == 4
    assert reply.buttons[0].payload == {"effect": "start_link"}
    assert reply.buttons[-1].payload == {"effect": "request_person"}


def test_after_linking_the_link_is_not_offered_again(knowledge):
    reply = answer(knowledge, personal=Personal("By 12 December 2026.", can_link=True))

    assert all(button.payload != {"effect": "start_link"} for button in reply.buttons)


def test_a_language_without_content_gets_english_and_is_told_so_in_its_own_words(knowledge):
    reply = answer(knowledge, language="es")

    first, second = reply.text.split("\n\n")[:2]
    assert "inglés" in first
    assert second.startswith("Students from outside the EU")


def test_figures_are_filled_in_and_bring_their_source(knowledge):
    reply = answer(knowledge, slug="permit_cost")

    assert "€100" in reply.text
    assert "{{" not in reply.text
    assert str(knowledge.figures["vls_ts_tax"].source.url) in [source.url for source in reply.sources]


def test_an_answer_past_its_date_says_that_it_must_be_confirmed(knowledge):
    fresh = answer(knowledge)
    stale = answer(knowledge, today=date(2028, 1, 1))

    assert "should have been checked again" not in fresh.text
    assert "should have been checked again" in stale.text


def test_where_the_record_is_the_answer_the_general_text_is_left_out(knowledge):
    general = answer(knowledge, slug="my_housing")
    accepted = "Your application for a room is accepted."
    own = answer(knowledge, slug="my_housing", personal=Personal(accepted, is_whole_answer=True))

    assert own.text == accepted
    assert len(general.text) > len(own.text)


def test_where_the_record_only_adds_to_the_answer_both_are_given_with_what_can_be_done(knowledge):
    general = answer(knowledge, slug="career_center")
    button = Button("Book 9:00", {"effect": "book", "values": {"offer": 1}})
    both = answer(knowledge, slug="career_center", personal=Personal("Two slots are free.", buttons=(button,)))

    assert both.text == f"Two slots are free.\n\n{general.text}"
    assert both.buttons[0] == button


def test_two_answers_become_one_with_each_source_and_button_once():
    first = Answer("One.", KNOWN, (Button("Next", {"topic": "cvec"}),))
    second = Answer("Two.", Understanding("ask/cvec", 0.7, "answer", "cvec", (), "paperwork"), first.buttons)

    both = join([first, second, first])

    assert both.text == "One.\n\nTwo."
    assert both.understanding.topics == ("validate_visa", "cvec")
    assert (both.understanding.topic, both.understanding.confidence) == ("validate_visa", 0.7)
    assert len(both.buttons) == 1
