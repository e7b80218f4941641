"""What a call says."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.calling.rules import Wait, Words
from bot.calling.words import waits_mail, waits_note, words_note

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
TALK = UUID(int=1)


def wait(number: int = 1, minutes: int = 16, topic: str | None = "visale") -> Wait:
    return Wait(
        UUID(int=number), number, "housing", topic, NOW - timedelta(minutes=minutes), timedelta(minutes=minutes)
    )


def test_a_mail_says_how_long_where_about_what_and_leads_there():
    subject, text = waits_mail(
        "en", [wait(), wait(2, 1, None)], {"housing": "Housing"}, {"visale": "Visale guarantee"}, "https://desk.test"
    )

    assert subject == "A student waits for a person"
    assert text == (
        "Nobody has taken over yet:\n\n"
        "- has waited for 16 minutes of opening time\n  Housing · Visale guarantee\n"
        f"  https://desk.test/staff#{TALK}\n\n"
        f"- has waited for 1 minute of opening time\n  Housing\n  https://desk.test/staff#{UUID(int=2)}\n\n"
        "You asked for this mail on the page of your account, where you can turn it off:\n\n"
        "https://desk.test/staff/account\n"
    )


def test_a_mail_names_ten_and_counts_the_others():
    def lines(count: int) -> list[str]:
        _, text = waits_mail("en", [wait(each) for each in range(1, count + 1)], {}, {}, "")
        return [line for line in text.splitlines() if line.startswith(("- ", "… "))]

    assert [line[:2] for line in lines(10)] == ["- "] * 10
    assert [line[:2] for line in lines(12)] == ["- "] * 10 + ["… "]
    assert lines(12)[-1] == "… and 2 more requests"


def test_a_message_of_the_browser_leads_to_the_one_who_waits_and_to_the_list_when_they_are_several():
    assert waits_note("en", [wait()]) == {
        "title": "Somebody is waiting for a person.",
        "body": "Since 11:44, French time.",
        "tag": "wait",
        "url": f"/staff#{TALK}",
    }
    assert waits_note("en", [wait(1, 5), wait(2, 16)]) == {
        "title": "2 students are waiting for a person.",
        "body": "The first since 11:44, French time.",
        "tag": "wait",
        "url": "/staff",
    }


def test_a_message_about_words_quotes_none():
    assert words_note("en", [Words(TALK, 3)]) == {
        "title": "A student has written to you.",
        "body": "",
        "tag": "wrote",
        "url": f"/staff#{TALK}",
    }
