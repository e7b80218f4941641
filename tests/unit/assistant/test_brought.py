"""What is said to something that is not a text."""

import pytest

from bot.answers.words import person_button
from bot.assistant.brought import INSTEAD, Thing, before_answer, kept, not_passed_on, without_words
from bot.conversations.brought import FILES, LINES
from bot.conversations.messages import Understanding

RULE = (
    "I did not keep the file. A person of the office can take files of up to 20 MB in this chat, once they have "
    "taken over."
)
NOT_KEPT = "I did not keep what you sent."


def test_there_is_a_sentence_for_every_kind_and_each_is_its_own():
    assert INSTEAD.keys() == LINES.keys()
    assert len(set(INSTEAD.values())) == len(INSTEAD)


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_file_in_the_bots_hands_is_refused_with_the_limit_and_a_person_is_offered(kind):
    answer = without_words("en", Thing(kind, is_kept=False, is_large=False), is_waiting=False)

    assert answer is not None
    assert answer.text == f"{INSTEAD[kind]}\n\n{RULE}"
    assert answer.buttons == (person_button("en"),)
    assert answer.understanding == Understanding("brought", 1.0, "chat", group="small_talk")


def test_whoever_waits_for_a_person_already_is_not_offered_one():
    answer = without_words("en", Thing("photo", is_kept=False, is_large=True), is_waiting=True)

    assert answer is not None
    assert (answer.text, answer.buttons) == (f"{INSTEAD['photo']}\n\n{RULE}", ())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("sticker", INSTEAD["sticker"]),
        ("location", f"{INSTEAD['location']} {NOT_KEPT}"),
        ("contact", f"{INSTEAD['contact']} {NOT_KEPT}"),
        ("poll", f"{INSTEAD['poll']} {NOT_KEPT}"),
        ("other", INSTEAD["other"]),
        ("unheard_of", INSTEAD["other"]),
    ],
)
def test_what_is_no_file_gets_a_sentence_of_its_own(kind, text):
    answer = without_words("en", Thing(kind, is_kept=False, is_large=False), is_waiting=False)

    assert answer is not None
    assert (answer.text, answer.buttons) == (text, ())


def test_a_file_that_was_kept_before_the_bot_had_the_conversation_again_is_with_the_office():
    answer = without_words("en", Thing("document", is_kept=True, is_large=False), is_waiting=False)

    assert answer is not None
    assert answer.text == kept("en") == "Your file is with the office."


def test_an_album_is_answered_once():
    thing = Thing("photo", is_kept=False, is_large=False, was_told=True)

    assert without_words("en", thing, is_waiting=False) is None
    assert before_answer("en", thing) == ""
    assert not_passed_on("en", Thing("video", is_kept=False, is_large=True, was_told=True)) is None


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        (Thing("photo", is_kept=False, is_large=False), "I read your text only; I did not keep the picture."),
        (Thing("video", is_kept=False, is_large=True), "I read your text only; I did not keep what came with it."),
        (Thing("photo", is_kept=True, is_large=False), "Your file is with the office."),
    ],
)
def test_an_answer_to_a_caption_says_first_what_became_of_the_file(thing, sentence):
    assert before_answer("en", thing) == sentence


@pytest.mark.parametrize(
    ("thing", "notice"),
    [
        (Thing("photo", is_kept=True, is_large=False), None),
        (Thing("location", is_kept=False, is_large=False), None),
        (
            Thing("video", is_kept=False, is_large=True),
            "This file was not passed on: it is larger than 20 MB. Send a smaller one, please.",
        ),
        (Thing("photo", is_kept=False, is_large=False), "This file was not passed on. Send it again, please."),
    ],
)
def test_while_a_colleague_answers_only_a_file_that_does_not_reach_them_is_spoken_of(thing, notice):
    assert not_passed_on("en", thing) == notice
