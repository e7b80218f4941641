from datetime import date

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from bot.editing.models import Edition, EditionSave, Origin, State
from bot.editing.queries import (
    files_of,
    history,
    last_save,
    live_texts,
    open_edition,
    under_way,
    writers_of,
)
from bot.editing.rules import fields_of
from bot.editing.service import Faulty, OwnWork, PublishedMeanwhile, SavedMeanwhile, UnderWay
from bot.errors import InvalidField, NotAllowed, NotFound, VersionChanged
from bot.identity.models import AuditEntry

SLUG = "cvec_payment"


@pytest.fixture
def texts(mine):
    return dict(files_of(mine, SLUG))


def longer(texts, more):
    return {name: text if name == "topic.yml" else f"{text}\n{more}\n" for name, text in texts.items()}


@pytest.fixture
def publish(desk):
    """Write as one, review as another; returns the number of the edition."""

    def run(texts, writer, reviewer, slug=SLUG):
        with desk(writer) as editing:
            edition = editing.start(slug)
            editing.save(edition.id, 1, texts)
            editing.submit(edition.id, 2)
        with desk(reviewer) as editing:
            editing.publish(edition.id, 2)
        return edition.id

    return run


def live(database, knowledge, slug=SLUG):
    with database.read() as session:
        return live_texts(session, knowledge, slug)


def test_a_draft_begins_with_what_students_read_now(database, desk, people, mine, texts):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)

    with database.read() as session:
        assert last_save(session, edition.id).texts == texts
        assert [each.origin for each in history(session, SLUG)] == [Origin.FILES]
    assert edition.state is State.DRAFT
    assert live(database, mine) == texts


def test_a_second_editor_opens_the_same_draft(desk, people):
    with desk(people.nora) as editing:
        first = editing.start(SLUG).id
    with desk(people.paul) as editing:
        assert editing.start(SLUG).id == first


def test_written_by_one_reviewed_by_another_it_is_live(database, publish, people, mine, texts):
    edition_id = publish(longer(texts, "Bring the certificate."), people.nora, people.claire)

    assert live(database, mine) == longer(texts, "Bring the certificate.")
    with database.read() as session:
        edition = session.get_one(Edition, edition_id)
        assert (edition.author_id, edition.reviewer_id, edition.publication) == (people.nora.id, people.claire.id, 2)
        entries = session.execute(select(AuditEntry.action, AuditEntry.staff_id, AuditEntry.details)).all()
    about = {"topic": SLUG, "edition": edition_id}
    assert [tuple(each) for each in entries] == [
        ("edition_submitted", people.nora.id, about),
        ("edition_published", people.claire.id, about),
    ]


def test_nobody_reviews_what_they_wrote_a_part_of(database, desk, people, mine, texts):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
        editing.save(edition.id, 1, longer(texts, "One."))
    with desk(people.paul) as editing:
        editing.save(edition.id, 2, longer(texts, "One. Two."))
        editing.submit(edition.id, 3)
    for writer in (people.nora, people.paul):
        with pytest.raises(OwnWork), desk(writer) as editing:
            editing.publish(edition.id, 3)

    with database.read() as session:
        assert writers_of(session, edition.id) == {people.nora.id, people.paul.id}
    assert live(database, mine) == texts


def test_the_database_itself_refuses_the_author_as_reviewer_and_a_text_without_one(database, desk, people):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
    for values in (
        {"reviewer_id": people.nora.id},
        {"state": "published", "publication": 9},
        {"publication": 9},
    ):
        with pytest.raises(IntegrityError), database.write() as session:
            session.execute(update(Edition).where(Edition.id == edition.id).values(**values))


@pytest.mark.parametrize("name", ["adviser", "auditor"])
def test_a_role_that_only_reads_writes_nothing(desk, people, name):
    with pytest.raises(NotAllowed), desk(getattr(people, name)) as editing:
        editing.start(SLUG)


def test_the_second_to_save_is_told_who_was_faster_and_nothing_is_lost(database, desk, people, texts, now):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
    with desk(people.paul) as editing:
        editing.save(edition.id, 1, longer(texts, "By Paul."))
    with pytest.raises(SavedMeanwhile) as refused, desk(people.nora) as editing:
        editing.save(edition.id, 1, longer(texts, "By Nora."))

    assert refused.value.details == {"colleague": "Paul", "at": now, "number": 2}
    with desk(people.nora) as editing:
        editing.save(edition.id, 2, longer(texts, "By Nora."))
    with database.read() as session:
        saves = session.scalars(select(EditionSave).where(EditionSave.edition_id == edition.id)).all()
    assert [(save.number, save.texts) for save in saves] == [
        (1, texts),
        (2, longer(texts, "By Paul.")),
        (3, longer(texts, "By Nora.")),
    ]


def test_saving_the_same_again_is_no_new_save(database, desk, people, texts):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
        editing.save(edition.id, 1, texts)

    with database.read() as session:
        assert last_save(session, edition.id).number == 1


def test_a_text_with_a_fault_is_saved_and_not_sent_to_review(database, desk, people, texts):
    wrong = longer(texts, "{{ no_such_figure }}")
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
        editing.save(edition.id, 1, wrong)
    with pytest.raises(Faulty) as refused, desk(people.nora) as editing:
        editing.submit(edition.id, 2)

    assert [(each.file, each.values) for each in refused.value.faults] == [
        ("en.md", {"name": "no_such_figure"}),
        ("fr.md", {"name": "no_such_figure"}),
    ]
    with database.read() as session:
        assert last_save(session, edition.id).texts == wrong
        assert session.get_one(Edition, edition.id).state == State.DRAFT


def test_the_reviewer_publishes_only_what_was_on_the_screen(desk, people, texts):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
        editing.save(edition.id, 1, longer(texts, "One."))
        editing.submit(edition.id, 2)
    with desk(people.nora) as editing:
        editing.take_back(edition.id)
        editing.save(edition.id, 2, longer(texts, "Two."))
        editing.submit(edition.id, 3)
    with pytest.raises(SavedMeanwhile), desk(people.claire) as editing:
        editing.publish(edition.id, 2)


def test_a_draft_is_not_published_without_a_review(desk, people):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
    with pytest.raises(VersionChanged), desk(people.claire) as editing:
        editing.publish(edition.id, 1)


def test_sent_back_with_a_remark_it_is_a_draft_again(desk, people, texts):
    with desk(people.nora) as editing:
        edition = editing.start(SLUG)
        editing.submit(edition.id, 1)
    with pytest.raises(InvalidField), desk(people.claire) as editing:
        editing.send_back(edition.id, "  ")
    with desk(people.claire) as editing:
        back = editing.send_back(edition.id, "Say where to pay.")

    assert (back.state, back.remark) == (State.DRAFT, "Say where to pay.")


def test_a_draft_that_was_given_up_leaves_room_and_can_come_back(database, desk, people, texts):
    with desk(people.nora) as editing:
        given_up = editing.start(SLUG)
        editing.save(given_up.id, 1, longer(texts, "One."))
        editing.withdraw(given_up.id)
    with desk(people.paul) as editing:
        other = editing.start(SLUG)
    with pytest.raises(UnderWay), desk(people.nora) as editing:
        editing.revive(given_up.id)
    with desk(people.paul) as editing:
        editing.withdraw(other.id)
    with desk(people.nora) as editing:
        editing.revive(given_up.id)

    with database.read() as session:
        assert [each.id for each in under_way(session)] == [given_up.id]
        assert last_save(session, given_up.id).texts == longer(texts, "One.")


def test_an_earlier_edition_comes_back_in_one_step_as_an_edition_of_its_own(
    database, publish, desk, people, mine, texts
):
    first = publish(longer(texts, "One."), people.nora, people.claire)
    publish(longer(texts, "Two."), people.paul, people.claire)
    with desk(people.nora) as editing:
        again = editing.restore(first)

    assert live(database, mine) == longer(texts, "One.")
    assert (again.origin, again.restores_id, again.author_id) == (Origin.RESTORED, first, people.nora.id)
    with database.read() as session:
        assert [each.origin for each in history(session, SLUG)] == ["restored", "written", "written", "files"]
    with pytest.raises(VersionChanged), desk(people.nora) as editing:
        editing.restore(first)


def test_the_files_come_back_like_any_edition(database, publish, desk, people, mine, texts):
    publish(longer(texts, "One."), people.nora, people.claire)
    with database.read() as session:
        files = history(session, SLUG)[-1]
    with desk(people.claire) as editing:
        editing.restore(files.id)

    assert live(database, mine) == texts


def test_a_draft_does_not_silently_undo_what_was_published_meanwhile(database, publish, desk, people, mine, texts):
    first = publish(longer(texts, "One."), people.nora, people.claire)
    publish(longer(texts, "Two."), people.nora, people.claire)
    with desk(people.paul) as editing:
        edition = editing.start(SLUG)
        editing.save(edition.id, 1, longer(texts, "Three."))
        editing.submit(edition.id, 2)
    with desk(people.nora) as editing:
        editing.restore(first)
    with pytest.raises(PublishedMeanwhile), desk(people.claire) as editing:
        editing.publish(edition.id, 2)
    with desk(people.paul) as editing:
        editing.take_back(edition.id)
        editing.rebase(edition.id)
        editing.submit(edition.id, 2)
    with desk(people.claire) as editing:
        editing.publish(edition.id, 2)

    assert live(database, mine) == longer(texts, "Three.")


def test_still_true_today_is_an_edition_with_new_days_for_a_second_person(database, desk, people, mine, now):
    with desk(people.nora) as editing:
        edition = editing.confirm(SLUG, "2027-09-01")
    assert (edition.state, edition.origin) == (State.REVIEW, Origin.CHECKED)
    with pytest.raises(OwnWork), desk(people.nora) as editing:
        editing.publish(edition.id, 1)
    with desk(people.claire) as editing:
        editing.publish(edition.id, 1)

    fields = fields_of(live(database, mine))
    assert {source.checked_on for source in fields.sources} == {"2026-11-24"}
    assert fields.valid_until == "2027-09-01"


@pytest.mark.parametrize("day", ["", "soon", "2026-11-24", "2020-01-01"])
def test_a_new_day_that_is_none_or_not_ahead_is_refused(database, desk, people, day):
    with pytest.raises(InvalidField) as refused, desk(people.nora) as editing:
        editing.confirm(SLUG, day)

    assert refused.value.details["field"] == "valid_until"
    with database.read() as session:
        assert open_edition(session, SLUG) is None


def test_what_somebody_works_on_is_not_confirmed_beside_it(desk, people):
    with desk(people.nora) as editing:
        editing.start(SLUG)
    with pytest.raises(UnderWay), desk(people.paul) as editing:
        editing.confirm(SLUG, "2027-09-01")


def test_an_unknown_topic_is_said_to_be_none(desk, people):
    with pytest.raises(NotFound), desk(people.nora) as editing:
        editing.start("no_such_topic")


def test_a_topic_that_is_out_of_date_may_be_taken_back_to_nevertheless(database, publish, desk, people, mine, texts):
    assert mine.topics[SLUG].file.valid_until > date(2026, 11, 24)
    old = publish({**longer(texts, "One.")}, people.nora, people.claire)
    publish(longer(texts, "Two."), people.nora, people.claire)
    with database.write() as session:
        save = last_save(session, old)
        save.texts = {**save.texts, "topic.yml": save.texts["topic.yml"].replace("2027-05-01", "2026-11-01")}
    with desk(people.nora) as editing:
        editing.restore(old)

    assert "2026-11-01" in live(database, mine)["topic.yml"]
