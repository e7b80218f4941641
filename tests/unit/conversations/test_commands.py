"""Texts that start with "/": few are commands, everything else is a question like any other."""

import pytest

from bot.conversations.commands import command_of


@pytest.mark.parametrize("text", ["/unlink", " /unlink ", "/UNLINK", "/unlink@accueil_bot", "/unlink please"])
def test_a_command_is_found_in_the_forms_that_messengers_send(text: str) -> None:
    assert command_of(text) == {"effect": "unlink"}


def test_ones_own_data_is_asked_for_by_a_command() -> None:
    assert command_of("/mydata") == {"effect": "show_my_data"}


@pytest.mark.parametrize("text", ["unlink", "/", "", "/dance", "/ unlink", "what does /unlink do", "//unlink"])
def test_any_other_text_is_no_command(text: str) -> None:
    assert command_of(text) is None
