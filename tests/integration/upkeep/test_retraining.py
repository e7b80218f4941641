"""One training at a time, beside the running model, through every stage and restart."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.answers.trained import Current, read_current, read_wanted, write_current, write_engine
from bot.clock import FixedClock
from bot.db.session import Database
from bot.errors import NotAllowed, NotFound
from bot.identity.models import Role, Staff
from bot.upkeep import retraining
from bot.upkeep.models import Retraining, Stage
from bot.upkeep.report import Report, Side
from bot.upkeep.switching import PATIENCE, Switcher
from bot.upkeep.trainer import Trainer
from tests.factories import make_staff

OLD = Current(model="model-old.tar.gz", fingerprint="old", score=0.9)
# Stands in for `accueil train --beside`: writes what REPORT says, unless it fails.
TRAINS = """\
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1]) / "beside"
folder.mkdir(exist_ok=True)
print("  encoding", flush=True)
report = json.loads(sys.argv[2])
(folder / report["model"]).write_text("new")
(folder / "report.json").write_text(json.dumps(report))
"""
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
FAILS = "print('the data is wrong'); raise SystemExit(2)"


def report(*, is_worse: bool = False) -> Report:
    side = Side(recognised=0.9, answered=0.88, wrong=0.03, unsure=0.09)
    return Report(
        model="model-new.tar.gz",
        fingerprint="new",
        before=side,
        after=side,
        questions=2,
        topics=[],
        regressions=[],
        is_worse=is_worse,
    )


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / OLD.model).write_text("old")
    write_current(folder, OLD)
    write_engine(folder, OLD.model)
    return folder


@pytest.fixture
def editor(database: Database, now) -> Staff:
    with database.write() as session:
        return make_staff(session, now, "Nadia", Role.EDITOR)


def trainer(database: Database, clock: FixedClock, models, program: str = TRAINS, **changes: bool) -> Trainer:
    command = (sys.executable, "-S", "-c", program, str(models), report(**changes).model_dump_json())
    return Trainer(database, clock, models, models, command, after_kill=0)


def asked(database: Database, staff: Staff, now) -> bool:
    with database.write() as session:
        return retraining.ask(session, staff, now)


def only(database: Database) -> Retraining:
    with database.read() as session:
        return session.scalars(select(Retraining)).one()


def test_two_clicks_at_once_start_one_training(database: Database, editor, now):
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda _: asked(database, editor, now), range(8)))

    assert sorted(answers) == [False] * 7 + [True]
    assert only(database).stage == Stage.ASKED


async def test_a_look_for_a_training_that_nobody_asked_for_writes_nothing(
    database: Database, clock, models, monkeypatch: pytest.MonkeyPatch
):
    def write() -> None:
        raise AssertionError("other writers would wait for a look")

    monkeypatch.setattr(database, "write", write)

    await trainer(database, clock, models).step()


async def test_a_training_becomes_ready_and_touches_nothing(database: Database, clock, models, editor, now):
    asked(database, editor, now)
    await trainer(database, clock, models).step()

    found = only(database)
    assert (found.stage, found.progress, found.ended_at) == (Stage.READY, "encoding", None)
    assert Report.model_validate(found.report) == report()
    assert read_current(models) == OLD


async def test_a_worse_model_is_refused_and_a_failure_says_why(database: Database, clock, models, editor, now):
    asked(database, editor, now)
    await trainer(database, clock, models, is_worse=True).step()
    asked(database, editor, now)
    await trainer(database, clock, models, FAILS).step()

    with database.read() as session:
        ended = [(each.stage, each.trouble) for each in session.scalars(select(Retraining).order_by(Retraining.id))]
    assert ended == [(Stage.REFUSED, ""), (Stage.FAILED, "the data is wrong")]


async def test_a_report_of_the_time_before_is_not_believed(database: Database, clock, models, editor, now):
    asked(database, editor, now)
    await trainer(database, clock, models, is_worse=True).step()
    asked(database, editor, now)
    await trainer(database, clock, models, "pass").step()

    with database.read() as session:
        assert retraining.history(session)[0].stage == Stage.FAILED


async def test_a_training_that_a_restart_cut_off_begins_again_three_times_at_most(
    database: Database, clock, models, editor, now
):
    asked(database, editor, now)
    for _ in range(retraining.MOST_TRIES):
        with database.write() as session:
            assert retraining.begin(session, now) is not None
    with database.write() as session:
        assert retraining.begin(session, now) is None

    assert (only(database).stage, only(database).trouble) == (Stage.FAILED, "interrupted")


async def test_a_training_that_ends_with_the_desk_is_begun_again_by_the_next_one(
    database: Database, clock, models, editor, now
):
    asked(database, editor, now)
    await trainer(database, clock, models, KILLED).step()
    killed = (only(database).stage, only(database).ended_at, only(database).tries)
    await trainer(database, clock, models).step()

    assert killed == (Stage.TRAINING, None, 1)
    assert (only(database).stage, only(database).tries) == (Stage.READY, 2)


async def ready(database: Database, clock, models, editor) -> Switcher:
    asked(database, editor, clock.now())
    await trainer(database, clock, models).step()
    return Switcher(database, models)


def wish(database: Database, deed, *arguments) -> None:
    with database.write() as session:
        deed(session, *arguments)


async def test_the_switch_waits_for_turns_under_way_and_for_the_engine(database: Database, clock, models, editor):
    switcher = await ready(database, clock, models, editor)
    wish(database, retraining.switch, editor, only(database).id, OLD, clock.now())
    with switcher.gate.asking():
        await switcher.step(clock.now())
        assert (switcher.gate.is_open, read_current(models)) == (False, OLD)
    await switcher.step(clock.now())

    assert (switcher.gate.is_open, read_wanted(models)) == (False, "model-new.tar.gz")
    assert read_current(models) == Current(model="model-new.tar.gz", fingerprint="new", score=0.9)
    write_engine(models, "model-new.tar.gz")
    await switcher.step(clock.now())
    assert (switcher.gate.is_open, only(database).stage) == (True, Stage.IN_USE)
    assert sorted(each.name for each in models.glob("*.tar.gz")) == ["model-new.tar.gz", "model-old.tar.gz"]


async def test_phrases_written_since_the_training_began_still_wait_for_the_next_one(
    database: Database, clock, models, editor
):
    switcher = await ready(database, clock, models, editor)
    write_current(models, OLD.model_copy(update={"refused": "newer than the training"}))
    wish(database, retraining.switch, editor, only(database).id, OLD, clock.now())
    await switcher.step(clock.now())

    taken = Current(model="model-new.tar.gz", fingerprint="new", score=0.9, refused="newer than the training")
    assert read_current(models) == taken


async def test_one_click_goes_back_and_the_next_start_does_not_train_the_same_again(
    database: Database, clock, models, editor
):
    switcher = await ready(database, clock, models, editor)
    wish(database, retraining.switch, editor, only(database).id, OLD, clock.now())
    write_engine(models, "model-new.tar.gz")
    await switcher.step(clock.now())
    wish(database, retraining.go_back, editor, only(database).id, clock.now())
    await switcher.step(clock.now())

    assert read_wanted(models) == OLD.model
    assert read_current(models) == OLD.model_copy(update={"refused": "new"})
    write_engine(models, OLD.model)
    await switcher.step(clock.now())
    assert (switcher.gate.is_open, only(database).stage) == (True, Stage.WENT_BACK)
    with database.write() as session, pytest.raises(NotFound):
        retraining.go_back(session, editor, only(database).id, clock.now())


async def test_a_model_with_which_the_engine_does_not_answer_is_left_for_the_former_one(
    database: Database, clock, models, editor, now
):
    switcher = await ready(database, clock, models, editor)
    wish(database, retraining.switch, editor, only(database).id, OLD, now)
    write_engine(models, None)
    await switcher.step(now)
    later = now + PATIENCE + timedelta(seconds=1)
    await switcher.step(later)
    await switcher.step(later)
    write_engine(models, OLD.model)
    await switcher.step(later)

    assert (only(database).stage, only(database).trouble) == (Stage.WENT_BACK, "no_answer")
    assert (switcher.gate.is_open, read_current(models).model) == (True, OLD.model)


async def test_another_gateway_takes_up_a_switch_that_was_cut_off(database: Database, clock, models, editor):
    switcher = await ready(database, clock, models, editor)
    wish(database, retraining.switch, editor, only(database).id, OLD, clock.now())
    await switcher.step(clock.now())
    write_engine(models, "model-new.tar.gz")
    await Switcher(database, models).step(clock.now())

    assert only(database).stage == Stage.IN_USE


async def test_an_archive_that_is_gone_ends_the_switch_and_opens_the_gate(database: Database, clock, models, editor):
    switcher = await ready(database, clock, models, editor)
    (models / "beside" / "model-new.tar.gz").unlink()
    wish(database, retraining.switch, editor, only(database).id, OLD, clock.now())
    await switcher.step(clock.now())

    assert (only(database).stage, only(database).trouble) == (Stage.FAILED, "missing")
    assert (switcher.gate.is_open, read_current(models)) == (True, OLD)


async def test_a_model_is_switched_to_once_and_never_after_it_was_left(database: Database, clock, models, editor):
    await ready(database, clock, models, editor)
    wish(database, retraining.discard, editor, only(database).id, clock.now())
    for deed, more in ((retraining.discard, ()), (retraining.switch, (OLD,))):
        with database.write() as session, pytest.raises(NotFound):
            deed(session, editor, only(database).id, *more, clock.now())


@pytest.mark.parametrize("role", [Role.ADVISER, Role.AUDITOR])
def test_a_role_that_only_reads_trains_and_switches_nothing(database: Database, now, role):
    with database.write() as session:
        staff = make_staff(session, now, "Theo", role)
        for deed in (
            lambda: retraining.ask(session, staff, now),
            lambda: retraining.switch(session, staff, 1, OLD, now),
            lambda: retraining.discard(session, staff, 1, now),
            lambda: retraining.go_back(session, staff, 1, now),
        ):
            with pytest.raises(NotAllowed):
                deed()
