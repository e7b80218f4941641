"""A publication reaches every process that holds the knowledge, without a restart."""

import subprocess
import sys
from dataclasses import replace

import pytest

from bot.answers.search import Words
from bot.config import ROOT
from bot.content.loader import load_knowledge, topic_texts
from bot.editing.live import Editions
from bot.editing.queries import files_of, history, last_save
from bot.editing.rules import fields_of, with_fields
from bot.editing.service import Editing
from tests.integration.editing.conftest import PROCEDURES

SLUG = "cvec_payment"
FOLLOWER = """
import asyncio, sys
from pathlib import Path
from bot.content.loader import load_knowledge
from bot.db.session import Database
from bot.editing.live import Editions, follow

knowledge = load_knowledge(Path(sys.argv[2]))
before = {slug: topic.file.title.en for slug, topic in knowledge.topics.items()}
def changed(slugs):
    # The files themselves are published first: an edition with the words that are here already.
    new = [slug for slug in slugs if knowledge.topics[slug].file.title.en != before[slug]]
    for slug in new:
        print(slug, knowledge.topics[slug].file.title.en, flush=True)
    if new:
        raise SystemExit
print("ready", flush=True)
editions = Editions(Database(sys.argv[1]), knowledge, changed)
asyncio.run(follow(lambda: editions))
"""


@pytest.fixture
def publish(desk, mine, people):
    def run(title, slug=SLUG):
        with desk(people.nora) as editing:
            edition = editing.start(slug)
            texts = files_of(mine, slug)
            fields = replace(fields_of(texts), title={"en": title, "fr": title})
            editing.save(edition.id, 1, with_fields(texts, fields))
            editing.submit(edition.id, 2)
        with desk(people.claire) as editing:
            return editing.publish(edition.id, 2)

    return run


def holder(database, knowledge, told=None):
    own = replace(knowledge, topics=dict(knowledge.topics))
    return own, Editions(database, own, (told if told is not None else []).append)


def test_two_holders_of_one_database_read_the_new_text_at_their_next_look(database, knowledge, publish):
    told = []
    (gateway, first), (actions, second) = holder(database, knowledge, told), holder(database, knowledge)
    assert first.refresh() == ()
    publish("Paying the fee")

    assert gateway.topics[SLUG].file.title.en == "Paying the CVEC"
    assert (first.refresh(), second.refresh()) == ((SLUG,), (SLUG,))
    assert gateway.topics[SLUG] == actions.topics[SLUG]
    assert gateway.topics[SLUG].file.title.en == "Paying the fee"
    assert told == [(SLUG,)]
    assert first.refresh() == ()


def test_a_process_that_starts_later_begins_with_what_is_published(database, knowledge, publish):
    publish("Paying the fee")
    publish("Opening an account at a bank", "bank_account")
    own, editions = holder(database, knowledge)

    assert sorted(editions.refresh()) == ["bank_account", SLUG]
    assert own.topics["bank_account"].file.title.en == "Opening an account at a bank"


def test_another_process_reads_it(database, publish, postgresql_or_file):
    with subprocess.Popen(
        [sys.executable, "-c", FOLLOWER, postgresql_or_file, str(ROOT / "knowledge")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        publish("Paying the fee")
        said = process.stdout.read()

    assert said == f"{SLUG} Paying the fee\n"


@pytest.fixture
def postgresql_or_file(database):
    return database.engine.url.render_as_string(hide_password=False)


def test_the_search_finds_the_new_words(database, mine, publish):
    words = Words(mine, ROOT / "data" / "nlu")
    editions = Editions(database, mine, words.update)
    assert words.ranking("zeppelin") == ()
    publish("Paying by zeppelin")
    editions.refresh()

    assert words.ranking("zeppelin") == [SLUG]


def test_going_back_to_the_files_is_followed_too(database, mine, desk, people, publish):
    editions = Editions(database, mine, lambda slugs: None)
    before = mine.topics[SLUG]
    publish("Paying the fee")
    editions.refresh()
    with database.read() as session:
        files = history(session, SLUG)[-1]
    with desk(people.claire) as editing:
        editing.restore(files.id)

    assert editions.refresh() == (SLUG,)
    assert mine.topics[SLUG] == before


def test_a_text_that_a_later_version_refuses_leaves_the_files_in_place(database, mine, people, publish):
    edition = publish("Paying the fee")
    with database.write() as session:
        save = last_save(session, edition.id)
        save.texts = {**save.texts, "topic.yml": "group: no_such_group\n"}
    before = mine.topics[SLUG]
    editions = Editions(database, mine, lambda slugs: None)
    editions.refresh()

    assert mine.topics[SLUG] == before


def test_an_exported_edition_gives_way_to_files_that_were_changed_afterwards(database, folder, people, now):
    knowledge = load_knowledge(folder)
    with database.write() as session:
        editing = Editing(session, knowledge, PROCEDURES, people.nora, now)
        edition = editing.confirm(SLUG, "2027-09-01")
        editing = Editing(session, knowledge, PROCEDURES, people.claire, now)
        editing.publish(edition.id, 1).exported_at = now
    file = folder / "topics" / SLUG / "topic.yml"
    file.write_text(topic_texts(file.parent)["topic.yml"].replace("2027-05-01", "2027-08-08"), encoding="utf-8")
    restarted = load_knowledge(folder)
    Editions(database, restarted, lambda slugs: None).refresh()

    assert restarted.topics[SLUG].file.valid_until.isoformat() == "2027-08-08"
