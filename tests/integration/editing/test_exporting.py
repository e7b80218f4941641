"""What was published goes into the files, and the files then say the same."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.__main__ import whole_app
from bot.clock import day_in_france
from bot.content.check import check
from bot.content.loader import load_knowledge, topic_texts
from bot.editing.exporting import export_editions
from bot.editing.live import Editions
from bot.editing.models import Edition
from bot.editing.queries import history, last_save
from bot.editing.rules import fields_of, with_fields
from bot.editing.service import Editing
from bot.errors import ContentError, InvalidField
from bot.paperwork.schema import load_procedures
from tests.integration.editing.conftest import PROCEDURES

SLUGS = ("bank_account", "cvec_payment")


@pytest.fixture
def edit(database, folder, people, now):
    """Publish another title of a topic of the folder."""
    knowledge = load_knowledge(folder)

    def run(slug, title):
        with database.write() as session:
            editing = Editing(session, knowledge, PROCEDURES, people.nora, now)
            edition = editing.start(slug)
            texts = last_save(session, edition.id).texts
            fields = fields_of(texts)
            changed = replace(fields, title={"en": title, "fr": title})
            editing.save(edition.id, 1, with_fields(texts, changed))
            editing.submit(edition.id, 2)
            Editing(session, knowledge, PROCEDURES, people.claire, now).publish(edition.id, 2)

    return run


def exported(database, folder, out, now):
    with database.write() as session:
        return export_editions(session, load_knowledge(folder), out, now)


def followed(database, folder):
    """The knowledge of a process that has looked at the database."""
    knowledge = load_knowledge(folder)
    Editions(database, knowledge, lambda slugs: None).refresh()
    return knowledge


def test_out_and_in_again_gives_the_same_answers(database, folder, edit, now):
    edit("cvec_payment", "Paying the fee: how")
    edit("bank_account", "Opening an account")
    before = followed(database, folder)
    assert before.topics != load_knowledge(folder).topics

    assert exported(database, folder, folder, now) == list(SLUGS)
    assert load_knowledge(folder).topics == before.topics
    assert followed(database, folder).topics == before.topics
    assert exported(database, folder, folder, now) == []


def test_the_exported_files_pass_the_check_of_the_content(database, folder, edit, now):
    edit("cvec_payment", "Paying the fee: how")
    exported(database, folder, folder, now)
    procedures = {str(each.slug): each.valid_until for each in load_procedures(folder / "procedures")}
    root = folder.parent
    findings = check(load_knowledge(folder), root / "none", root / "none", procedures, day_in_france(now))

    assert [each for each in findings if each.where.startswith("topics/")] == []


def test_only_what_differs_is_another_file(database, folder, edit, now):
    before = topic_texts(folder / "topics" / "cvec_payment")
    edit("cvec_payment", "Paying the fee")
    exported(database, folder, folder, now)
    after = topic_texts(folder / "topics" / "cvec_payment")

    assert {name for name in before if before[name] != after[name]} == {"topic.yml"}
    assert sorted(path.name for path in (folder / "topics" / "cvec_payment").iterdir()) == [
        "en.md",
        "fr.md",
        "topic.yml",
    ]


def test_files_that_are_changed_later_count_and_become_the_base_of_the_next_draft(database, folder, edit, people, now):
    edit("cvec_payment", "Paying the fee")
    exported(database, folder, folder, now)
    file = folder / "topics" / "cvec_payment" / "en.md"
    file.write_text(file.read_text(encoding="utf-8") + "\nA release says more.\n", encoding="utf-8")
    knowledge = followed(database, folder)
    assert knowledge.topics == load_knowledge(folder).topics
    with database.write() as session:
        draft = Editing(session, knowledge, PROCEDURES, people.nora, now).start("cvec_payment")

        assert last_save(session, draft.id).texts["en.md"].endswith("A release says more.\n")
        assert [each.origin for each in history(session, "cvec_payment")] == ["files", "written", "files"]


def test_another_checkout_gets_the_files_and_students_still_read_the_edition(database, folder, edit, tmp_path, now):
    edit("cvec_payment", "Paying the fee")
    other = tmp_path / "other"
    (other / "topics").mkdir(parents=True)

    assert exported(database, folder, other, now) == ["cvec_payment"]
    assert topic_texts(other / "topics" / "cvec_payment")["topic.yml"].count("Paying the fee") == 2
    assert followed(database, folder).topics["cvec_payment"].file.title.en == "Paying the fee"


def test_a_folder_without_topics_is_refused_and_nothing_is_marked(database, folder, edit, tmp_path, now):
    edit("cvec_payment", "Paying the fee")
    with pytest.raises(InvalidField, match="has no folder topics/"):
        exported(database, folder, tmp_path, now)

    with database.read() as session:
        assert session.scalars(select(Edition.exported_at).where(Edition.origin == "written")).all() == [None]


def test_a_text_that_is_no_topic_any_more_stops_the_export_before_a_file_is_written(database, folder, edit, now):
    edit("bank_account", "Opening an account")
    edit("cvec_payment", "Paying the fee")
    with database.write() as session:
        last = history(session, "cvec_payment")[0]
        last_save(session, last.id).texts = {"topic.yml": "group: none\n"}
    before = load_knowledge(folder).topics
    with pytest.raises(ContentError, match=r"topics/cvec_payment/topic\.yml"):
        exported(database, folder, folder, now)

    assert load_knowledge(folder).topics == before


def test_the_command_says_that_there_is_nothing_to_write(monkeypatch, tmp_path):
    monkeypatch.setenv("ACCUEIL_DATA", str(tmp_path / "data"))
    done = CliRunner().invoke(whole_app(), ["export-knowledge", "--out", str(tmp_path)])
    refused = (done.exit_code, "has no folder topics/" in done.output)
    (tmp_path / "topics").mkdir()
    empty = CliRunner().invoke(whole_app(), ["export-knowledge", "--out", str(tmp_path)])

    assert refused == (2, True)
    assert (empty.exit_code, empty.stdout) == (0, "The files already say what students read.\n")
