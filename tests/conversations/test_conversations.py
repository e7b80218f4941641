"""Every file beside this one is a conversation with the trained engine: one situation, named for what the user does."""

from pathlib import Path

import pytest

from bot.assistant.deeds import deeds_of
from bot.assistant.lanes import Lanes
from bot.assistant.rasa_http import RasaEngine
from bot.conversations.models import Message
from tests.conversations.talk import Expect, Talk, read_script
from tests.plugins.engine import EngineDesk

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*/user_*.yml"))
KINDS = (
    "bookings",
    "choices",
    "corrections",
    "digressions",
    "follow_ups",
    "handoff",
    "happy_path",
    "housing_help",
    "languages",
    "my_data",
    "out_of_scope",
    "path",
    "personal",
    "reminders",
    "self_check",
    "several_questions",
    "small_talk",
    "unclear",
    "urgent",
)


@pytest.mark.engine
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_the_conversation_goes_as_written(path: Path, engine_desk: EngineDesk) -> None:
    script, services = read_script(path), engine_desk.services
    engine = RasaEngine(engine_desk.rasa_url, services.settings.turn_timeout)
    deeds = deeds_of(services)
    lanes = Lanes(
        services.database,
        engine,
        services.door,
        services.knowledge,
        services.live,
        services.clock,
        deeds,
        services.office,
    )
    try:
        talk = Talk(services, lanes, script)
        if script.student is not None:
            await talk.link(script.student)
        for number, step in enumerate(script.turns, start=1):
            replies = await talk.take(step)
            faults = differences(talk, replies, step.expect)
            heard = "\n".join(reply.text for reply in replies)
            assert faults == [], f"turn {number} of {path.name}; what was said:\n{heard}"
    finally:
        await engine.close()


def differences(talk: Talk, replies: list[Message], expect: Expect) -> list[str]:
    """What is not as expected, one sentence each."""
    if expect.silent and replies:
        return [f"the bot spoke: {replies[0].text!r}"]
    reply = replies[-1] if replies else None
    understood = (reply.understanding or {}) if reply else {}
    text = with_plain_spaces(reply.text) if reply else ""
    conversation = talk.conversation()
    pairs = [
        ("action", expect.action, understood.get("action")),
        ("topic", expect.topic, understood.get("topic")),
        ("topics", expect.topics, understood.get("topics")),
        ("buttons", expect.buttons, [with_plain_spaces(b["label"]) for b in reply.buttons] if reply else None),
        ("control", expect.control, str(conversation.control)),
        ("language", expect.language, conversation.language),
        ("alerts", expect.alerts, talk.alerts()),
    ]
    faults = [f"{name}: {found!r}, not {wanted!r}" for name, wanted, found in pairs if wanted not in (None, found)]
    faults += [f"not said: {each!r}" for each in expect.says if each not in text]
    faults += [f"said: {each!r}" for each in expect.not_says if each in text]
    if expect.not_action is not None and expect.not_action == understood.get("action"):
        faults.append(f"action: {expect.not_action!r}")
    if expect.sources is not None and len(reply.sources if reply else ()) < expect.sources:
        faults.append(f"fewer sources than {expect.sources}")
    return faults


def with_plain_spaces(text: str) -> str:
    """French typography has spaces that do not break, which nobody types into a test."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_every_kind_of_turn_has_conversations_and_no_file_is_left_out() -> None:
    assert tuple(sorted({path.parent.name for path in FILES})) == KINDS
    assert sorted(FOLDER.glob("*/*.yml")) == FILES
    assert len(FILES) >= 30


def test_no_two_conversations_have_one_title() -> None:
    titles = [read_script(path).title for path in FILES]

    assert sorted(set(titles)) == sorted(titles)
