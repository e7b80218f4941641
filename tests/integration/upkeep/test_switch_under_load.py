"""Students write while the engine changes its model: every question is answered once, by one model or the other."""

import asyncio

from sqlalchemy import select

from bot.answers.trained import write_current, write_engine
from bot.answers.urgent import build_door
from bot.assistant.gated import GatedEngine
from bot.assistant.lanes import Lanes
from bot.conversations.live import Live
from bot.conversations.models import Author, InboxEntry, InboxState, Message
from bot.db.session import Database
from bot.identity.models import Role
from bot.upkeep import retraining
from bot.upkeep.models import Retraining, Stage
from bot.upkeep.switching import Switcher
from tests.factories import make_conversation, make_staff, receive
from tests.fakes import OFFICE, TALK, plain_answer
from tests.integration.upkeep.test_retraining import OLD, report

TALKS = 12
ROUNDS = 5


class Engine:
    """Answers with the name of its model; away while it starts. A question during that time would be a lost turn."""

    def __init__(self) -> None:
        self.model: str | None = OLD.model
        self.asked_while_away = 0
        self.has_begun = asyncio.Event()

    async def ask(self, sender, text, *, language, today, metadata):
        if self.model is None:
            self.asked_while_away += 1
        model = self.model
        # The first one is still with the engine when the switch is asked for.
        takes = 0.02 if self.has_begun.is_set() else 1.0
        self.has_begun.set()
        await asyncio.sleep(takes)
        if self.model != model:
            self.asked_while_away += 1
        return plain_answer(f"{model}: {text}")


async def test_no_turn_is_dropped_or_doubled_while_the_engine_changes_its_model(
    database: Database, clock, knowledge, tmp_path, now
):
    models = tmp_path / "models"
    (models / "beside").mkdir(parents=True)
    for file in (models / OLD.model, models / "beside" / report().model):
        file.write_text("a model")
    write_current(models, OLD)
    write_engine(models, OLD.model)
    engine, switcher = Engine(), Switcher(database, models)
    live = Live(database, clock)
    gated = GatedEngine(engine, switcher.gate)
    lanes = Lanes(database, gated, build_door(knowledge.urgent), knowledge, live, clock, TALK, OFFICE)
    with database.write() as session:
        editor = make_staff(session, now, "Nadia", Role.EDITOR)
        talks = [make_conversation(session, now).id for _ in range(TALKS)]
        session.add(
            Retraining(
                stage=Stage.READY, report=report().model_dump(), staff_id=editor.id, asked_at=now, changed_at=now
            )
        )

    async def write() -> None:
        for number in range(ROUNDS):
            for conversation_id in talks:
                with database.write() as session:
                    receive(session, conversation_id, f"question number {number}", now)
                lanes.wake(conversation_id)
            await asyncio.sleep(0.1)

    async def supervise() -> None:
        """What the real one does: it ends the engine, and says when it answers again."""
        while not (models / "engine-wanted.txt").exists():  # noqa: ASYNC110  (a file)
            await asyncio.sleep(0.01)
        engine.model = None
        write_engine(models, None)
        await asyncio.sleep(0.5)
        engine.model = report().model
        write_engine(models, engine.model)

    async def switch() -> None:
        await engine.has_begun.wait()
        with database.write() as session:
            retraining.switch(session, editor, 1, OLD, now)
        while True:
            await switcher.step(now)
            with database.read() as session:
                if session.get_one(Retraining, 1).stage == Stage.IN_USE:
                    return
            await asyncio.sleep(0.02)

    sweeping = asyncio.create_task(lanes.run())
    await asyncio.gather(write(), supervise(), switch())
    while waiting(database):  # noqa: ASYNC110  (the database)
        await asyncio.sleep(0.05)
    sweeping.cancel()
    await lanes.stop()

    assert engine.asked_while_away == 0
    with database.read() as session:
        for conversation_id in talks:
            answers = session.scalars(
                select(Message.text)
                .where(Message.conversation_id == conversation_id, Message.author == Author.BOT)
                .order_by(Message.seq)
            ).all()[1:]
            asked = [text.partition(": ")[2] for text in answers]
            assert asked == [f"question number {number}" for number in range(ROUNDS)]
        everything = session.scalars(select(Message.text).where(Message.author == Author.BOT)).all()
    by_model = [text.partition(": ")[0] for text in everything if "question number" in text]
    assert set(by_model) == {OLD.model, report().model}


def waiting(database: Database) -> bool:
    with database.read() as session:
        return session.scalar(select(InboxEntry.id).where(InboxEntry.state == InboxState.PENDING).limit(1)) is not None


async def test_a_message_in_danger_is_answered_at_once_while_the_engine_rests(
    database: Database, clock, knowledge, tmp_path, now
):
    switcher = Switcher(database, tmp_path)
    switcher.gate.is_open = False
    door, live = build_door(knowledge.urgent), Live(database, clock)
    lanes = Lanes(database, GatedEngine(Engine(), switcher.gate), door, knowledge, live, clock, TALK, OFFICE)
    with database.write() as session:
        urgent, other = (make_conversation(session, now).id for _ in range(2))
        receive(session, urgent, "I want to kill myself", now)
        receive(session, other, "what is the CVEC", now)
    for conversation_id in (urgent, other):
        lanes.wake(conversation_id)
        await lanes._tasks[conversation_id]

    with database.read() as session:
        pending = session.scalars(select(InboxEntry.conversation_id).where(InboxEntry.state == InboxState.PENDING))
        assert pending.all() == [other]
