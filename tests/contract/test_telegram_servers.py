"""The channel against two Bot API servers: our strict fake, and the npm package `telegram-test-api` of others.

One set of tests, for the methods that both have. By webhook against our fake only: the package calls a webhook without
the secret header, and the gateway rightly refuses such a call.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers.words import HELP
from bot.conversations.words import greeting
from bot.i18n.translate import say
from tests.fakes import plain_answer
from tests.fakes.telegram_api import Fake, running
from tests.fakes.telegram_test_api import NotHere, OtherServer, other_server
from tests.integration.telegram.gateway import Gateway, gateway

# What this compares are servers; test_channel.py has both databases.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def package() -> Iterator[OtherServer]:
    """One process for all; every test has people of its own."""
    try:
        with other_server() as made:
            yield made
    except NotHere as error:
        pytest.skip(str(error))


@pytest.fixture
def ours() -> Iterator[Fake]:
    with running() as made:
        yield made


@pytest.fixture(params=["ours polling", "ours webhook", "package polling"])
def way(request: pytest.FixtureRequest) -> tuple[Fake | OtherServer, str]:
    """(server, mode)."""
    name, mode = request.param.split()
    return request.getfixturevalue(name), mode


@pytest.fixture
def server(way) -> Fake | OtherServer:
    return way[0]


@pytest.fixture
def desk(database, tmp_path: Path, way) -> Iterator[Gateway]:
    with gateway(database, tmp_path, way[0], mode=way[1]) as made:
        yield made


def test_a_student_who_starts_is_greeted_in_their_language(desk: Gateway, server: Fake | OtherServer):
    phone = server.phone(name="Amina", language_code="fr")

    phone.starts()

    assert [each.text for each in phone.reads(20)] == [greeting("fr")]


def test_a_question_is_answered_once_and_stands_in_the_transcript(desk: Gateway, server: Fake | OtherServer):
    phone = server.phone()
    phone.starts()
    phone.reads(20)

    phone.says("Where is the CAF?")

    assert [each.text for each in phone.reads(20)] == ["echo: Where is the CAF?"]
    assert phone.reads(2) == []
    assert desk.transcript(phone) == [
        ("bot", greeting("en")),
        ("student", "Where is the CAF?"),
        ("bot", "echo: Where is the CAF?"),
    ]


def test_several_questions_are_answered_in_order(desk: Gateway, server: Fake | OtherServer):
    one, other = server.phone(), server.phone()
    numbers = [one.says(f"question {number}") for number in range(3)]
    other.says("hello")

    assert [each.text for each in other.reads(20, 2)] == [greeting("en"), "echo: hello"]
    assert [each.text for each in one.reads(30, 4)] == [greeting("en"), *(f"echo: question {n}" for n in range(3))]
    assert numbers == sorted(set(numbers))


def test_a_press_on_a_button_does_its_deed(desk: Gateway, server: Fake | OtherServer):
    phone = server.phone()
    phone.says("/language")
    _, asked = phone.reads(20, 2)
    assert "Français" in asked.labels

    phone.presses("Français")

    assert [each.text for each in phone.reads(20)] == [say("fr", "I now answer in {language}.", language="Français")]
    assert desk.conversation(phone).language == "fr"


def test_a_long_answer_comes_in_parts_with_its_letters_as_they_are(desk: Gateway, server: Fake | OtherServer):
    paragraph = ("Bring **every paper** & the <form>. " * 40).strip()
    desk.engine.answer = lambda text: plain_answer("\n\n".join([paragraph] * 7))
    phone = server.phone()
    phone.says("everything?")

    parts = phone.reads(30, 4)[1:]

    assert [len(part.text) <= 4096 for part in parts] == [True, True, True]
    assert "\n\n".join(part.text for part in parts) == "\n\n".join([paragraph.replace("**", "")] * 7)


def test_the_bot_goes_on_whether_or_not_the_server_knows_every_method(desk: Gateway, server: Fake | OtherServer):
    """The package knows neither the menu, which is written at the start, nor typing, which comes with every answer."""
    phone = server.phone()
    phone.says("/help")
    assert [each.text for each in phone.reads(20, 2)] == [greeting("en"), say("en", HELP).replace("**", "")]

    for number in range(2):
        phone.says(f"question {number}")
        assert [each.text for each in phone.reads(20)] == [f"echo: question {number}"]

    assert (desk.status.state, desk.status.trouble) == ("on", "")


@pytest.mark.parametrize("method", ["getMyCommands", "setMyCommands", "sendChatAction", "leaveChat"])
def test_the_package_answers_500_to_a_method_it_lacks(database, package: OtherServer, method: str):
    """What the test before this one rests on."""
    assert package.http.post(f"/bot{package.token}/{method}", json={}).status_code == 500
