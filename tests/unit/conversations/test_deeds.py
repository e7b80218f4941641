"""Deeds of several features together, and the questions of ours that a text answers."""

import pytest

from bot.conversations.deeds import Deeds, deed_button


def _nothing(*_: object) -> None:
    return None


def test_the_deeds_of_two_features_are_joined() -> None:
    both = Deeds(effects={"book": _nothing}) | Deeds(effects={"cancel": _nothing}, prompts={"day": _nothing})

    assert (set(both.effects), set(both.prompts)) == ({"book", "cancel"}, {"day"})


@pytest.mark.parametrize("kind", ["effects", "prompts"])
def test_two_deeds_of_one_name_are_refused(kind: str) -> None:
    one = Deeds(**{kind: {"book": _nothing}})

    with pytest.raises(ValueError, match="two deeds are called book"):
        _ = one | one


def test_a_button_names_its_deed_and_holds_its_values() -> None:
    assert deed_button("Book", "book", offer=3).payload == {"effect": "book", "values": {"offer": 3}}
    assert deed_button("Stop", "stop_reminders").payload == {"effect": "stop_reminders"}
