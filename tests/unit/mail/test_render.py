from datetime import UTC, datetime, timedelta

import pytest

from bot.channels.mail.channel import delay_after, render

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
CODE = {
    "kind": "link_code",
    "to": "amina@student.junia.com",
    "name": "Amina",
    "language": "en",
    "code": "012345",
    "expires_at": "2026-11-24T11:10:00+00:00",
}


def test_the_delay_doubles_from_five_seconds_to_an_hour():
    delays = [delay_after(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 12)]

    assert delays == [5, 10, 20, 2560, 3600, 3600]


def test_the_mail_with_a_code_says_until_when_on_a_french_clock():
    mail = render("link_code:7", CODE, "accueil@junia.example", NOW)

    assert (mail["To"], mail["From"]) == ("amina@student.junia.com", "accueil@junia.example")
    assert mail["Subject"] == "Your code for Accueil"
    assert mail["Content-Language"] == "en"
    assert mail.get_content_type() == "text/plain"
    assert "    012 345\n" in mail.get_content()
    assert "until 12:10 (French time)" in mail.get_content()


def test_the_same_row_always_has_the_same_message_id_and_another_row_another():
    first = render("link_code:7", CODE, "accueil@junia.example", NOW)
    again = render("link_code:7", CODE, "accueil@junia.example", NOW + timedelta(hours=1))
    other = render("link_code:8", CODE, "accueil@junia.example", NOW)

    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith("@junia.example>")


def test_the_notice_of_a_link_holds_no_code():
    mail = render("linked:x", {**CODE, "kind": "linked"}, "accueil@junia.example", NOW)

    assert mail["Subject"] == "A chat is linked to your record"
    assert "012" not in mail.get_content()


def test_a_name_cannot_add_a_header():
    with pytest.raises(ValueError):
        render("x", {**CODE, "to": "a@b.example\nBcc: all@b.example"}, "accueil@junia.example", NOW)


def test_an_unknown_kind_of_mail_is_refused():
    with pytest.raises(ValueError, match="birthday"):
        render("x", {**CODE, "kind": "birthday"}, "accueil@junia.example", NOW)


def test_a_sender_with_a_name_still_gives_a_valid_message_id():
    mail = render("link_code:7", CODE, "Accueil <accueil@junia.example>", NOW)

    assert mail["From"] == "Accueil <accueil@junia.example>"
    assert mail["Message-ID"].endswith("@junia.example>")
    assert mail["Message-ID"].count(">") == 1
