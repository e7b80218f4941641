"""What is kept of something that is not a text, under which name, and what the transcript shows."""

import pytest

from bot.conversations.brought import (
    LINES,
    LONGEST_EXTERNAL,
    LONGEST_NAME,
    MOST_BYTES,
    can_be_kept,
    clean_name,
    handed_over,
    is_too_large,
    line_of,
    media_type_of,
)
from bot.conversations.messages import Brought, IncomingMessage


def brought(kind: str, size: int = 1000, external: str = "file-1", **values: str) -> Brought:
    return Brought(kind, values.pop("name", "scan.pdf"), values.pop("media_type", ""), size, external, **values)


@pytest.mark.parametrize("kind", ["photo", "document", "voice", "audio", "video"])
def test_a_file_of_at_most_20_mb_can_be_kept(kind):
    assert (can_be_kept(brought(kind, MOST_BYTES)), is_too_large(brought(kind, MOST_BYTES))) == (True, False)
    assert (can_be_kept(brought(kind, MOST_BYTES + 1)), is_too_large(brought(kind, MOST_BYTES + 1))) == (False, True)


@pytest.mark.parametrize("kind", ["sticker", "location", "contact", "poll", "other"])
def test_what_is_no_file_is_neither_kept_nor_too_large(kind):
    assert (can_be_kept(brought(kind, MOST_BYTES + 1)), is_too_large(brought(kind, MOST_BYTES + 1))) == (False, False)


@pytest.mark.parametrize("external", ["", "x" * (LONGEST_EXTERNAL + 1)])
def test_a_file_that_the_channel_cannot_find_again_is_not_kept(external):
    assert can_be_kept(brought("photo", external=external)) is False


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("scan.pdf", "scan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\amina\\visa.pdf", "visa.pdf"),
        ("visa\r\nSet-Cookie: x.pdf", "visa Set-Cookie: x.pdf"),
        ("visa\x00.pdf", "visa.pdf"),
        ("visa\u202efdp.exe", "visafdp.exe"),
        ("visa\u2066\u2069\u200f.pdf", "visa.pdf"),
        ("visa\ud800.pdf", "visa.pdf"),
        ("attestation d’hébergement.pdf", "attestation d’hébergement.pdf"),
        ("نامه\u200cها.pdf", "نامه\u200cها.pdf"),
        ("..", "file"),
        ("", "file"),
        ("a/b/", "file"),
    ],
)
def test_a_name_loses_its_folders_and_what_a_screen_hides(given, name):
    assert clean_name(given) == name


def test_a_long_name_keeps_its_ending():
    assert clean_name("é" * 500 + ".pdf") == "é" * (LONGEST_NAME - 4) + ".pdf"
    assert clean_name("a." + "b" * 500) == "a." + "b" * (LONGEST_NAME - 2)


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ("application/pdf", "application/pdf"),
        ("Image/JPEG; charset=binary", "image/jpeg"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/pdf\r\nX: y", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_type_that_is_not_known_to_be_harmless_is_plain_bytes(given, handed_on):
    assert media_type_of(given) == handed_on


@pytest.mark.parametrize(
    ("kind", "with_bot", "with_staff"),
    [
        ("photo", "[Photo]", "[Photo]"),
        ("document", "[Document: scan.pdf]", "[Document: scan.pdf]"),
        ("voice", "[Voice message]", "[Voice message]"),
        ("audio", "[Audio]", "[Audio]"),
        ("video", "[Video]", "[Video]"),
        ("other", "[Something that is not text]", "[Something that is not text]"),
        ("unheard_of", "[Something that is not text]", "[Something that is not text]"),
    ],
)
def test_the_transcript_has_a_line_for_each_kind(kind, with_bot, with_staff):
    lines = [line_of(brought(kind), "en", is_with_staff=is_with_staff) for is_with_staff in (False, True)]

    assert lines == [with_bot, with_staff]


@pytest.mark.parametrize(
    ("kind", "summary", "with_bot", "with_staff"),
    [
        ("sticker", "🙂", "[Sticker] 🙂", "[Sticker] 🙂"),
        ("location", "50.63000, 3.06000", "[Location]", "[Location] 50.63000, 3.06000"),
        ("contact", "Sami\u202e, +33", "[Contact]", "[Contact] Sami, +33"),
        ("poll", "Pizza?", "[Poll]", "[Poll] Pizza?"),
    ],
)
def test_where_people_are_and_whom_they_know_is_for_a_colleague_only(kind, summary, with_bot, with_staff):
    given = brought(kind, summary=summary)

    assert line_of(given, "en", is_with_staff=False) == with_bot
    assert line_of(given, "en", is_with_staff=True) == with_staff


def test_every_kind_that_channels_name_has_a_line():
    assert LINES.keys() == {
        *("photo", "document", "voice", "audio", "video", "sticker", "location", "contact", "poll", "other")
    }


def test_the_content_tells_a_file_from_its_caption_alone(now):
    with_photo = IncomingMessage("telegram", "7", "visa?", None, now, brought("photo", album="a1"))

    assert with_photo.content == {"brought": "photo", "text": "visa?", "album": "a1"}
    assert IncomingMessage("telegram", "7", "visa?", None, now).content == {"text": "visa?"}


def test_a_file_with_its_bytes_can_be_kept_although_no_channel_has_to_find_it():
    file = handed_over("../visa.pdf", "application/pdf; x=1", b"%PDF")

    assert (file.kind, file.name, file.media_type, file.size, file.external) == (
        "document",
        "visa.pdf",
        "application/pdf",
        4,
        "",
    )
    assert can_be_kept(file) is True
    assert can_be_kept(handed_over("visa.pdf", "application/pdf", b"x" * (MOST_BYTES + 1))) is False


@pytest.mark.parametrize(
    ("media_type", "kind"), [("image/jpeg", "photo"), ("image/svg+xml", "document"), ("video/mp4", "document")]
)
def test_only_an_image_of_a_known_type_is_a_photo(media_type, kind):
    assert handed_over("a", media_type, b"x").kind == kind


def test_a_photo_that_has_a_name_is_shown_with_it():
    assert line_of(handed_over("passport.png", "image/png", b"x"), "en", is_with_staff=True) == "[Photo] passport.png"


def test_another_name_type_or_content_is_another_file():
    same = [handed_over("a.png", "image/png", b"x").digest, handed_over("b/a.png", "IMAGE/PNG", b"x").digest]
    others = [
        handed_over("b.png", "image/png", b"x").digest,
        handed_over("a.png", "image/gif", b"x").digest,
        handed_over("a.png", "image/png", b"y").digest,
    ]

    assert len({*same}) == 1
    assert len({*same, *others}) == 4


def test_the_bytes_of_a_file_are_in_no_line_of_a_log():
    assert "secret" not in repr(handed_over("a.txt", "text/plain", b"secret"))
