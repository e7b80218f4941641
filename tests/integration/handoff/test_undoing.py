"""Undo of a close, a give-back or a hand-over: what is put back, who may, until when, and what is too late."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot.conversations.models import Alert, Author, Control, Conversation
from bot.conversations.service import append
from bot.errors import AlreadyTaken, CannotChange, NotAllowed, NotFound, VersionChanged
from bot.handoff.beside import add_note, add_task, snooze
from bot.handoff.desks import join
from bot.handoff.models import Case, Mention, Note, Outcome, Reason, Task
from bot.handoff.queries import queue_position
from bot.handoff.service import claim, close, hand_to, open_case, queue_at, release, reply, request_person
from bot.handoff.tending import tend
from bot.handoff.undoing import UNDOABLE, keep_with_deed, undo
from bot.identity.models import AuditEntry, Role, Staff
from tests.factories import make_conversation, make_staff, receive, transcript
from tests.integration.handoff.test_tending import OFFICE, leave

MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(database, now):
    """Claire and Marc work at the office, Sofia at the housing desk; Ada may hand on what others hold."""
    with database.write() as session:
        found = {name: make_staff(session, now, name) for name in ("Claire", "Marc", "Sofia")}
        found["Ada"] = make_staff(session, now, "Ada", Role.COORDINATOR)
        for name, desk in {"Claire": "office", "Marc": "office", "Sofia": "housing"}.items():
            join(session, OFFICE, desk, found[name])
        return {name: person.id for name, person in found.items()}


@pytest.fixture
def talk(database, now):
    """Waits at the office."""
    with database.write() as session:
        conversation = make_conversation(session, now)
        receive(session, conversation.id, "a person please", now)
        request_person(session, conversation, Reason.ASKED, now, desk="office")
        return conversation.id


@pytest.fixture
def as_(database, talk, people):
    """Do something in one transaction as a colleague."""

    def run(name, deed, now, *arguments, **more):
        with database.write() as session:
            return deed(session, talk, session.get_one(Staff, people[name]), *arguments, now, **more)

    return run


@pytest.fixture
def undone(database, talk, people):
    def run(name, now, version=None):
        with database.write() as session:
            return undo(session, talk, session.get_one(Staff, people[name]), OFFICE, now, version)

    return run


def to_colleague(session, talk, staff, email, now):
    return hand_to(session, talk, staff, session.scalar(select(Staff).where(Staff.email == email)), now)


def to_desk(session, talk, staff, desk, now):
    return queue_at(session, talk, staff, OFFICE, desk, now)


DEEDS = {
    "close": (close,),
    "release": (release,),
    "hand over to a colleague": (to_colleague, "marc@junia.example"),
    "hand over to a desk": (to_desk, "housing"),
}
deeds = pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)


def everything(database, talk):
    """What must be as before: the conversation but for its counters, and every case."""
    leaves_out = {"version", "last_seq", "updated_at", "undoing"}
    with database.read() as session:
        conversation = session.get_one(Conversation, talk)
        columns = {column.name for column in Conversation.__table__.columns} - leaves_out
        cases = session.scalars(select(Case).order_by(Case.id)).all()
        return (
            {name: getattr(conversation, name) for name in columns},
            [{column.name: getattr(case, column.name) for column in Case.__table__.columns} for case in cases],
        )


def last_said(database, talk):
    with database.read() as session:
        return transcript(session, talk)[-1]


def asked(database):
    """What colleagues wrote beside the conversation: notes, who is named in them, promises."""
    with database.read() as session:
        return tuple(session.scalar(select(func.count()).select_from(table)) for table in (Note, Mention, Task))


# --- what is put back ---


@deeds
def test_what_a_colleague_held_they_hold_again_in_the_same_request(database, talk, as_, undone, now, deed):
    as_("Claire", claim, now + MINUTE)
    before = everything(database, talk)
    deed, *arguments = deed
    as_("Claire", deed, now + 5 * MINUTE, *arguments)
    done = everything(database, talk)
    undone("Claire", now + 6 * MINUTE)

    assert done != before
    assert everything(database, talk) == before
    assert last_said(database, talk) == ("system", "You are now talking to Claire.")


@deeds
def test_what_waited_waits_again_at_its_desk_in_its_place(database, talk, as_, undone, now, deed):
    with database.write() as session:
        later = make_conversation(session, now + MINUTE)
        request_person(session, later, Reason.ASKED, now + MINUTE, desk="office")
    before = everything(database, talk)
    deed, *arguments = deed
    as_("Claire", deed, now + 5 * MINUTE, *arguments)
    undone("Claire", now + 6 * MINUTE)

    assert everything(database, talk) == before
    with database.read() as session:
        assert queue_position(session, session.get_one(Conversation, talk)) == 1
    assert last_said(database, talk) == (
        "system",
        "Your request is now with: Office. A person will answer you here.",
    )


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (DEEDS["close"], "The assistant is back: you are talking to a machine again."),
        (DEEDS["hand over to a colleague"], "The assistant is back: you are talking to a machine again."),
        (
            DEEDS["hand over to a desk"],
            "The office has ended your request for a person. The assistant goes on answering.",
        ),
    ],
)
def test_what_the_bot_had_it_has_again_and_no_request_is_left(database, people, now, deed, words):
    with database.write() as session:
        talk = make_conversation(session, now).id
    before = everything(database, talk)
    deed, *arguments = deed
    with database.write() as session:
        claire = session.get_one(Staff, people["Claire"])
        deed(session, talk, claire, *arguments, now + MINUTE)
        undo(session, talk, claire, OFFICE, now + MINUTE)

    assert everything(database, talk) == before
    assert last_said(database, talk) == ("system", words)


def test_a_coordinator_gives_what_they_handed_on_back_to_whoever_held_it(database, talk, as_, undone, now):
    as_("Claire", claim, now)
    before = everything(database, talk)
    as_("Ada", to_colleague, now, "marc@junia.example")
    undone("Ada", now)

    assert everything(database, talk) == before
    assert last_said(database, talk) == ("system", "You are now talking to Claire.")


def test_the_reason_of_a_close_goes_with_it(database, talk, as_, undone, now):
    as_("Claire", close, now, outcome=Outcome.SPAM)
    conversation = undone("Claire", now)

    assert (conversation.control, conversation.outcome) == (Control.WAITING, None)


def test_the_note_and_the_promise_of_the_deed_go_and_others_stay(database, talk, as_, undone, people, now):
    with database.write() as session:
        claire = session.get_one(Staff, people["Claire"])
        conversation = claim(session, talk, claire, now)
        add_note(session, conversation, claire, "Speaks Spanish", now)
        add_task(session, conversation, claire, "Send the certificate", now.date(), now)
    with database.write() as session:
        claire = session.get_one(Staff, people["Claire"])
        given = release(session, talk, claire, now + MINUTE)
        task = add_task(session, given, claire, "Ask the prefecture", now.date(), now + MINUTE)
        note = add_note(session, given, claire, "@marc please look", now + MINUTE)
        keep_with_deed(given, claire, now + MINUTE, task=task.id)
        keep_with_deed(given, claire, now + MINUTE, note=note.id)
    both = asked(database)
    undone("Claire", now + MINUTE)

    assert (both, asked(database)) == ((2, 1, 2), (1, 0, 1))
    with database.read() as session:
        assert session.scalars(select(Note.text)).all() == ["Speaks Spanish"]
        assert session.scalars(select(Task.text)).all() == ["Send the certificate"]


def test_a_note_written_later_is_no_part_of_the_deed(database, talk, as_, undone, people, now):
    as_("Claire", release, now)
    with database.write() as session:
        claire = session.get_one(Staff, people["Claire"])
        conversation = session.get_one(Conversation, talk)
        note = add_note(session, conversation, claire, "Later", now + MINUTE)
        keep_with_deed(conversation, claire, now + MINUTE, note=note.id)
    undone("Claire", now + MINUTE)

    assert asked(database) == (1, 0, 0)


def test_what_called_somebody_calls_again(database, talk, as_, undone, now):
    with database.write() as session:
        earlier = Alert(conversation_id=talk, kind="urgent", key="1", created_at=now, seen_at=now)
        session.add_all([earlier, Alert(conversation_id=talk, kind="urgent", key="2", created_at=now)])
    as_("Claire", release, now + MINUTE)
    with database.write() as session:
        session.scalars(select(Alert).where(Alert.key == "2")).one().seen_at = now + MINUTE
    undone("Claire", now + MINUTE)

    with database.read() as session:
        assert session.scalars(select(Alert.seen_at).order_by(Alert.key)).all() == [now, None]


def test_what_was_laid_aside_is_so_again_unless_the_student_has_written(database, talk, as_, undone, now):
    until = now + timedelta(hours=3)
    with database.write() as session:
        snooze(session, talk, session.scalar(select(Staff).where(Staff.name == "Claire")), until, now)
    as_("Claire", release, now)
    quiet = undone("Claire", now)
    as_("Claire", release, now)
    with database.write() as session:
        receive(session, talk, "Are you there?", now)
    woken = undone("Claire", now)

    assert (quiet.snoozed_until, woken.snoozed_until) == (until, None)
    assert (quiet.control, woken.control) == (Control.WAITING, Control.WAITING)


def test_a_wait_that_was_told_is_not_told_again(database, talk, as_, undone, now):
    late = now + timedelta(hours=2)
    tend(database, OFFICE, lambda _: None, late, "http://desk.test")
    told = everything(database, talk)[1][0]["escalated_at"]
    as_("Claire", release, late)
    undone("Claire", late)

    assert (told, everything(database, talk)[1][0]["escalated_at"]) == (late, late)


def test_the_log_keeps_the_deed_and_its_undo(database, talk, as_, undone, people, now):
    as_("Claire", close, now)
    undone("Claire", now + MINUTE)

    with database.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(each.action, each.staff_id, each.details) for each in entries] == [
            ("close", people["Claire"], {}),
            ("undo", people["Claire"], {"of": "close"}),
        ]


def test_after_a_give_back_the_student_may_have_gone_on_with_the_bot(database, talk, as_, undone, now):
    as_("Claire", claim, now)
    as_("Claire", release, now)
    with database.write() as session:
        receive(session, talk, "When is the CVEC due?", now)
        append(session, session.get_one(Conversation, talk), Author.BOT, "Before you enrol.", now=now)

    assert undone("Claire", now).control == Control.STAFF


# --- what is refused: nothing changes then ---


@pytest.fixture
def refused(database, talk, undone):
    """The error, the conversation being as it was."""

    def run(name, now, version=None):
        before = everything(database, talk), last_said(database, talk)
        with pytest.raises((AlreadyTaken, CannotChange, NotAllowed, NotFound, VersionChanged)) as found:
            undone(name, now, version)
        assert (everything(database, talk), last_said(database, talk)) == before
        return type(found.value), found.value.details

    return run


def test_only_whoever_did_it_can_undo_it(talk, as_, undone, refused, now):
    as_("Claire", close, now)

    assert refused("Marc", now) == (CannotChange, {"why": "not_yours"})
    assert undone("Claire", now).control == Control.WAITING


def test_it_can_be_undone_for_two_minutes(talk, as_, undone, refused, now):
    as_("Claire", close, now)

    assert refused("Claire", now + UNDOABLE + timedelta(seconds=1)) == (CannotChange, {"why": "too_late"})
    assert undone("Claire", now + UNDOABLE).control == Control.WAITING


def test_a_close_stands_once_the_student_has_written(database, talk, as_, refused, now):
    as_("Claire", close, now)
    with database.write() as session:
        receive(session, talk, "One more thing", now)

    assert refused("Claire", now) == (VersionChanged, {})


def test_a_colleague_who_has_taken_it_keeps_it(talk, as_, refused, now):
    as_("Claire", claim, now)
    as_("Claire", to_desk, now, "housing")
    as_("Sofia", claim, now)

    assert refused("Claire", now) == (AlreadyTaken, {"colleague": "Sofia"})


def test_a_hand_over_stands_once_the_colleague_has_answered(database, talk, as_, undone, refused, now):
    as_("Claire", claim, now)
    as_("Claire", to_colleague, now, "marc@junia.example")
    with database.write() as session:
        receive(session, talk, "Hello?", now)
    taken_back = undone("Claire", now).assignee_id
    as_("Claire", to_colleague, now, "marc@junia.example")
    with database.write() as session:
        reply(session, talk, session.scalar(select(Staff).where(Staff.name == "Marc")), "1", "Here I am", now)

    assert refused("Claire", now) == (AlreadyTaken, {"colleague": "Marc"})
    with database.read() as session:
        assert session.get_one(Staff, taken_back).name == "Claire"


def test_a_deed_is_undone_once(talk, as_, undone, refused, now):
    as_("Claire", claim, now)
    as_("Claire", close, now)
    undone("Claire", now)

    assert refused("Claire", now) == (VersionChanged, {})


def test_what_was_never_done_cannot_be_undone(talk, refused, now):
    assert refused("Claire", now) == (VersionChanged, {})


def test_a_page_that_shows_an_older_state_undoes_nothing(talk, as_, undone, refused, now):
    version = as_("Claire", close, now).version

    assert refused("Claire", now, version - 1) == (VersionChanged, {})
    assert undone("Claire", now, version).version == version + 1


def test_only_the_last_deed_can_be_undone(talk, as_, undone, refused, now):
    first = as_("Claire", release, now).version
    as_("Claire", close, now)

    assert refused("Claire", now, first) == (VersionChanged, {})
    assert undone("Claire", now).control == Control.BOT


def test_whoever_gave_it_to_a_desk_of_others_can_take_it_back_and_no_other_stranger_sees_it(
    talk, as_, undone, refused, now
):
    as_("Claire", to_desk, now, "housing")

    assert refused("Marc", now) == (NotFound, {})
    assert undone("Claire", now).desk == "office"


def test_an_account_that_was_disabled_undoes_nothing(database, talk, as_, refused, people, now):
    as_("Claire", close, now)
    with database.write() as session:
        session.get_one(Staff, people["Claire"]).disabled = True

    assert refused("Claire", now) == (NotAllowed, {})


def test_an_undone_request_is_answered_and_closed_as_any_other(database, talk, as_, undone, now):
    as_("Claire", release, now)
    undone("Claire", now)
    as_("Claire", claim, now + MINUTE)
    as_("Claire", close, now + 2 * MINUTE)

    with database.read() as session:
        (case,) = session.scalars(select(Case)).all()
        assert (case.opened_at, case.claimed_at, case.closed_at) == (now, now + MINUTE, now + 2 * MINUTE)
        assert open_case(session, session.get_one(Conversation, talk)) is None
        assert datetime.fromisoformat(session.get_one(Conversation, talk).undoing["at"]).tzinfo == UTC


@pytest.mark.parametrize("way", ["disabled", "editor"])
def test_nobody_who_may_not_answer_any_more_is_given_the_conversation_back(
    database, talk, people, as_, undone, now, way
):
    as_("Claire", claim, now)
    as_("Ada", to_colleague, now, "marc@junia.example")
    with database.write() as session:
        leave(session, session.get_one(Staff, people["Claire"]), way)
    before = everything(database, talk)

    with pytest.raises(VersionChanged):
        undone("Ada", now + MINUTE)
    assert everything(database, talk) == before
    with database.read() as session:
        assert transcript(session, talk)[-1] == ("system", "You are now talking to Marc.")
