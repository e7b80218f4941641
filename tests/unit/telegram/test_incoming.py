"""What each kind of update is for us, on payloads as the Bot API documents them."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.channels.telegram.incoming import (
    Edited,
    Elsewhere,
    Handed,
    Nothing,
    Person,
    Pressed,
    Reach,
    Said,
    Started,
    brought_in,
    read,
)
from bot.conversations.messages import Brought

SAMPLES = Path(__file__).parents[2] / "data" / "telegram"
AMINA = Person("4001", "Amina B. (@amina_b)", "fr")


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def message(**fields: Any) -> dict[str, Any]:
    """An update with a message of Amina's in her private chat."""
    base = sample("text")
    del base["message"]["text"]
    base["message"].update(fields)
    return base


def test_a_text_is_said_by_a_person_in_a_chat():
    said = read(sample("text"))

    assert isinstance(said, Said)
    assert (said.person, said.message_id, said.text) == (AMINA, 77, "Comment ouvrir un compte ?")


@pytest.mark.parametrize(
    ("text", "payload"),
    [("/start", ""), ("/start  abc_-9 ", "abc_-9"), ("/START@accueil_bot x", "x"), ("/start " + "a" * 90, "a" * 64)],
)
def test_start_is_known_in_every_form_with_what_the_link_carries(text: str, payload: str):
    started = read(message(text=text))

    assert isinstance(started, Started)
    assert started.payload == payload


@pytest.mark.parametrize("text", ["/started", "start", "please /start"])
def test_what_only_looks_like_start_is_a_text(text: str):
    assert isinstance(read(message(text=text)), Said)


def test_a_press_says_which_message_and_which_button():
    pressed = read(sample("press"))

    assert isinstance(pressed, Pressed)
    assert (pressed.person, pressed.message_id, pressed.key, pressed.callback_id) == (AMINA, 78, "k3yK3y", "9977")


def test_a_press_on_a_message_too_old_for_telegram_is_a_press_as_well():
    payload = sample("press")
    payload["callback_query"]["message"] = {"chat": {"id": 4001, "type": "private"}, "message_id": 3, "date": 0}

    pressed = read(payload)

    assert isinstance(pressed, Pressed)
    assert (pressed.message_id, pressed.key) == (3, "k3yK3y")


def test_a_press_of_a_server_that_leaves_out_the_instance_is_a_press_as_well():
    payload = sample("press")
    del payload["callback_query"]["chat_instance"]

    pressed = read(payload)

    assert isinstance(pressed, Pressed)
    assert (pressed.person, pressed.message_id, pressed.key, pressed.callback_id) == (AMINA, 78, "k3yK3y", "9977")


def test_a_press_without_any_message_is_nothing():
    payload = sample("press")
    del payload["callback_query"]["message"]
    payload["callback_query"]["inline_message_id"] = "x"

    assert read(payload) == Nothing()


def test_new_words_of_a_message_and_of_a_caption_are_an_edit():
    payload = sample("text")
    payload["edited_message"] = {**payload.pop("message"), "edit_date": 1_795_000_100, "text": "Neu"}
    assert read(payload) == Edited(AMINA, 77, "Neu")

    del payload["edited_message"]["text"]
    payload["edited_message"]["caption"] = "Caption"
    assert read(payload) == Edited(AMINA, 77, "Caption")

    del payload["edited_message"]["caption"]
    assert read(payload) == Nothing()


STICKER = {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False, "emoji": "👍"}
SIZES = {"duration": 3, "width": 1, "height": 1}
FILE = {"file_id": "F", "file_unique_id": "U", "file_size": 12}
PHOTO = {"photo": [{**FILE, "file_id": "small", "width": 1, "height": 1}, {**FILE, "width": 9, "height": 9}]}
PLACE = {"latitude": 50.634, "longitude": 3.0486}


@pytest.mark.parametrize(
    ("fields", "brought"),
    [
        (PHOTO, Brought("photo", "photo.jpg", "image/jpeg", 12, "F")),
        ({**PHOTO, "media_group_id": "A"}, Brought("photo", "photo.jpg", "image/jpeg", 12, "F", "A")),
        (
            {"document": {**FILE, "file_name": "visa.pdf", "mime_type": "application/pdf"}},
            Brought("document", "visa.pdf", "application/pdf", 12, "F"),
        ),
        ({"document": FILE}, Brought("document", "document", "", 12, "F")),
        ({"voice": {**FILE, "duration": 3}}, Brought("voice", "voice.ogg", "audio/ogg", 12, "F")),
        ({"audio": {**FILE, "duration": 3}}, Brought("audio", "audio", "", 12, "F")),
        ({"video": {**FILE, **SIZES}}, Brought("video", "video.mp4", "video/mp4", 12, "F")),
        ({"video_note": {**FILE, "duration": 3, "length": 1}}, Brought("video", "video.mp4", "video/mp4", 12, "F")),
        (
            {"sticker": {**FILE, **STICKER}},
            Brought("sticker", "", "", 0, "", summary="👍"),
        ),
        ({"location": PLACE}, Brought("location", "", "", 0, "", summary="50.63400, 3.04860")),
        (
            {"contact": {"phone_number": "+33100000000", "first_name": "Jonas", "last_name": "K."}},
            Brought("contact", "", "", 0, "", summary="Jonas K., +33100000000"),
        ),
        ({"dice": {"emoji": "🎲", "value": 3}}, Brought("other", "", "", 0, "")),
    ],
)  # fmt: skip
def test_what_is_not_a_text_is_handed_over_as_what_it_is(fields: dict[str, Any], brought: Brought):
    handed = read(message(**fields, caption="Look"))

    assert isinstance(handed, Handed)
    assert (handed.brought, handed.caption) == (brought, "Look")


def test_a_poll_is_handed_over_with_its_question():
    poll = SimpleNamespace(question="When?")
    nothing = dict.fromkeys(("media_group_id", "photo", "document", "voice", "audio", "video", "video_note", "sticker"))
    nothing |= dict.fromkeys(("location", "contact"))

    assert brought_in(SimpleNamespace(**nothing, poll=poll)) == Brought("poll", "", "", 0, "", summary="When?")


def test_a_part_that_the_library_cannot_read_is_something_other_and_never_lost():
    handed = read(message(poll={"id": "1", "question": "Of an older Telegram?"}, caption="Look"))
    assert isinstance(handed, Handed)
    assert (handed.person, handed.brought, handed.caption) == (AMINA, Brought("other", "", "", 0, ""), "Look")

    said = read(message(text="And this?", entities=[{"type": "bold"}]))
    assert isinstance(said, Said)
    assert said.text == "And this?"


def test_a_message_that_telegram_writes_itself_is_nothing():
    assert read(message(delete_chat_photo=True)) == Nothing()


def test_shutting_us_out_and_letting_us_in_again_is_known():
    payload = sample("blocked")
    assert read(payload) == Reach("4001", is_open=False)

    member, kicked = payload["my_chat_member"]["old_chat_member"], payload["my_chat_member"]["new_chat_member"]
    payload["my_chat_member"].update(old_chat_member=kicked, new_chat_member=member)
    assert read(payload) == Reach("4001", is_open=True)


def test_a_group_is_left_with_a_word_and_a_channel_without():
    group = sample("text")
    group["message"]["chat"] = {"id": -100500, "type": "supergroup", "title": "Flat"}
    assert read(group) == Elsewhere("-100500", may_speak=True)

    post = sample("text")
    post["channel_post"] = {**post.pop("message"), "chat": {"id": -100600, "type": "channel", "title": "News"}}
    assert read(post) == Elsewhere("-100600", may_speak=False)


def test_being_added_to_a_group_is_enough_to_leave_it_and_having_been_removed_is_nothing():
    payload = sample("blocked")
    change = payload["my_chat_member"]
    change["chat"] = {"id": -100500, "type": "group", "title": "Flat"}
    assert read(payload) == Nothing()

    change["new_chat_member"] = change["old_chat_member"]
    assert read(payload) == Elsewhere("-100500", may_speak=True)


def test_a_group_that_became_a_supergroup_has_nobody_to_leave():
    group = sample("text")
    del group["message"]["text"]
    group["message"].update(chat={"id": -5, "type": "group", "title": "Flat"}, migrate_to_chat_id=-1005)

    assert read(group) == Nothing()


def test_what_we_never_asked_for_is_nothing():
    assert read({"update_id": 1, "something_new": {"id": 3}}) == Nothing()
