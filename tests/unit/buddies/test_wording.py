"""Mails and what comes next, in words."""

import pytest

from bot.buddies.models import BuddyProfile, BuddyRole, ProfileState
from bot.buddies.wording import mail_of, what_comes
from bot.reminders.wording import Note


def test_a_mail_has_no_signs_of_markdown_and_says_where_the_buttons_are():
    mail = mail_of(Note("A\nsubject", "Hello **Amina**."), "en", "https://accueil.example")

    assert mail == {
        "subject": "A subject",
        "text": "Hello Amina.\n\nAnswer in the chat: https://accueil.example\n\n"
        "Link your record there, write “my buddy”, and I show you this with its buttons.\n",
    }


@pytest.mark.parametrize(
    ("role", "state", "has_next", "position", "words"),
    [
        ("newcomer", "signed_up", True, None, "I have already found the next best for you and ask you both at once."),
        (
            "newcomer",
            "signed_up",
            False,
            3,
            "You are back on the waiting list, place 3; the international office knows.",
        ),
        ("newcomer", "signed_up", False, None, "You are back on the waiting list; the international office knows."),
        ("newcomer", "paused", False, None, "I pause your sign-up until you tell me that you would still like to."),
        ("newcomer", "withdrawn", False, None, ""),
        ("buddy", "signed_up", False, None, "You stay on the list of buddies, and I ask you again when somebody fits."),
    ],
)
def test_what_comes_after_an_end(role, state, has_next, position, words):
    profile = BuddyProfile(role=BuddyRole(role), state=ProfileState(state))

    assert what_comes(profile, "en", has_next=has_next, position=position) == words
    assert what_comes(None, "en", has_next=has_next, position=position) == ""
