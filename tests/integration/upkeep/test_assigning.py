"""A group goes to a topic: phrases into the files, a test beside them, and everything back again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import yaml
from sqlalchemy import select

from bot.answers.inputs import inputs_fingerprint
from bot.answers.trained import Current, read_current, write_current
from bot.content.phrases import read_training_phrases
from bot.db.session import Database
from bot.errors import InvalidField, NotAllowed, NotFound
from bot.identity.models import AuditEntry, Role, Staff
from bot.upkeep import assigning
from bot.upkeep.assigning import Desk
from bot.upkeep.models import PhraseAssignment
from bot.upkeep.phrases import Phrase, changed_files, patch, regressions
from bot.upkeep.questions import open_questions
from tests.factories import make_staff
from tests.integration.upkeep.talks import ask, talk

DEPOSIT = """\
version: "3.1"
nlu:
- intent: ask/deposit
  examples: |
    - security deposit
    - wen do i get my deposit bak
"""
SHARED = """\
version: "3.1"
nlu:
- intent: ask/deposit
  examples: |
    - fianza del piso
- intent: ask/visale
  examples: |
    - aval visale
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "data/nlu/en/deposit.yml": DEPOSIT,
        "data/nlu/en/visale.yml": DEPOSIT.replace("deposit", "visale").replace("security visale", "guarantee visale"),
        "data/nlu/es/_topics.yml": SHARED,
        "tests/nlu/en/deposit.yml": '- "how many months of deposit may the owner ask for"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def desk(root: Path) -> Desk:
    return Desk(root, {"deposit", "visale"}, root / "models")


LEARNED = Phrase("en", "who keeps the money I left at the start", "learn")
TEST = Phrase("en", "the landlord's two months: mine again?", "test")
SPANISH = Phrase("es", "el dinero que dejé al principio", "learn")


def test_phrases_are_added_in_the_shape_of_the_files_and_a_test_is_written(database: Database, desk, root, now):
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.EDITOR)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
        assigning.assign(session, desk, staff, "deposit", [message], [LEARNED, TEST, SPANISH], now)

    assert (root / "data/nlu/en/deposit.yml").read_text() == f"{DEPOSIT}    - {LEARNED.text}\n"
    spanish = SHARED.replace("    - fianza del piso\n", f"    - fianza del piso\n    - {SPANISH.text}\n")
    assert (root / "data/nlu/es/_topics.yml").read_text() == spanish
    assert regressions(root) == [{"language": "en", "label": "ask/deposit", "text": TEST.text}]
    with database.read() as session:
        assert open_questions(session, now) == []
        assert assigning.phrases_since(session, None) == 2
        assert [each.action for each in session.scalars(select(AuditEntry))] == ["phrases_assigned"]


def test_what_was_given_is_taken_back_letter_by_letter(database: Database, desk, root, now):
    before = {file: file.read_text() for file in root.rglob("*.yml")}
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.EDITOR)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
        made = assigning.assign(session, desk, staff, "deposit", [message], [LEARNED, TEST, SPANISH], now)
        assigning.take_back(session, desk, staff, made.id, now)

    assert {file: file.read_text() for file in before} == before
    assert regressions(root) == []
    with database.write() as session:
        assert [each.message_id for each in open_questions(session, now)] == [message]
        with pytest.raises(NotFound):
            assigning.take_back(session, desk, staff, made.id, now)


def test_a_start_does_not_train_by_itself_what_a_colleague_has_written_or_taken_back(
    database: Database, desk, root, now
):
    trained(desk, inputs_fingerprint(root))
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.EDITOR)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
        made = assigning.assign(session, desk, staff, "deposit", [message], [LEARNED, TEST], now)
        written = (inputs_fingerprint(root), read_current(desk.models))
        assigning.take_back(session, desk, staff, made.id, now)

    present, current = written
    assert current == Current(model="model.tar.gz", fingerprint=inputs_fingerprint(root), refused=present)
    assert read_current(desk.models) == current.model_copy(update={"refused": None})


def test_what_somebody_else_has_changed_in_the_files_is_still_trained_at_the_start(database: Database, desk, root, now):
    trained(desk, "of files before a change")
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.EDITOR)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
        assigning.assign(session, desk, staff, "deposit", [message], [LEARNED, TEST], now)

    assert read_current(desk.models).refused is None


def test_of_two_editors_at_once_neither_loses_a_phrase(database: Database, desk, root, now, monkeypatch):
    """The first stops between reading the files and writing them, as long as the second needs to overtake."""
    other = Phrase("en", "is the sum I paid the owner gone for good", "learn")
    other_test = Phrase("en", "could the owner just keep everything I handed over", "test")
    with database.write() as session:
        nadia, theo = make_staff(session, now, "Nadia", Role.EDITOR), make_staff(session, now, "Theo", Role.EDITOR)
        questions = [ask(session, talk(session, now), text, "abstain", now) for text in ("who keeps it", "is it gone")]
    read = changed_files

    def slowly(*given):
        changed = read(*given)
        started.set()
        overtaken.wait(0.5)
        return changed

    started, overtaken = Event(), Event()
    monkeypatch.setattr(assigning, "changed_files", slowly)

    def give(staff: Staff, question: int, *phrases: Phrase) -> None:
        with database.write() as session:
            assigning.assign(session, desk, staff, "deposit", [question], phrases, now)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(give, nadia, questions[0], LEARNED, TEST)
        assert started.wait(5)
        monkeypatch.setattr(assigning, "changed_files", read)
        pool.submit(give, theo, questions[1], other, other_test).add_done_callback(lambda _: overtaken.set())
        first.result(10)

    written = (root / "data/nlu/en/deposit.yml").read_text()
    assert written == f"{DEPOSIT}    - {LEARNED.text}\n    - {other.text}\n"
    assert [each["text"] for each in regressions(root)] == [TEST.text, other_test.text]


def trained(desk: Desk, fingerprint: str) -> None:
    desk.models.mkdir()
    (desk.models / "model.tar.gz").write_text("a model")
    write_current(desk.models, Current(model="model.tar.gz", fingerprint=fingerprint))


@pytest.mark.parametrize(
    ("topic", "phrases", "field", "fault"),
    [
        ("horses", [LEARNED, TEST], "topic", "unknown_topic"),
        ("deposit", [LEARNED], "phrases", "none_to_test"),
        ("deposit", [TEST], "phrases", "none_to_learn"),
        ("deposit", [TEST, Phrase("en", "security deposit", "learn")], "phrases", "none_to_learn"),
        ("deposit", [Phrase("xx", "where is it", "learn"), TEST], "0", "language"),
        ("deposit", [TEST, Phrase("en", "my [room](place) is", "learn")], "1", "markup"),
        ("deposit", [TEST, Phrase("en", "/restart now", "learn")], "1", "markup"),
        ("deposit", [TEST, Phrase("en", "…", "learn")], "1", "length"),
        ("deposit", [TEST, Phrase("en", "guarantee visale", "learn")], "1", "other_topic"),
        (
            "deposit",
            [TEST, Phrase("en", "How many months of deposit may an owner ask for?", "learn")],
            "1",
            "held_out",
        ),
        ("deposit", [LEARNED, Phrase("en", LEARNED.text.upper(), "test")], "0", "test_repeats"),
        ("deposit", [LEARNED, Phrase("en", "Security deposit", "test")], "1", "test_repeats"),
    ],
)
def test_a_wrong_form_is_refused_by_its_field_and_nothing_is_written(
    database: Database, desk, root, now, topic, phrases, field, fault
):
    before = {file: file.read_text() for file in root.rglob("*.yml")}
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.EDITOR)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
    with database.write() as session, pytest.raises(InvalidField) as refused:
        assigning.assign(session, desk, staff, topic, [message], phrases, now)

    assert (refused.value.details["field"], str(refused.value)) == (field, fault)
    assert {file: file.read_text() for file in root.rglob("*.yml")} == before
    with database.read() as session:
        assert session.scalars(select(PhraseAssignment)).all() == []


def test_a_folder_that_is_read_only_gives_a_patch(database: Database, desk, root, now, monkeypatch):
    monkeypatch.setattr(assigning, "is_writable", lambda *_: False)
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.EDITOR)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
        made = assigning.assign(session, desk, staff, "deposit", [message], [LEARNED, TEST], now)
        changes = patch(root, changed_files(root, made.label, assigning.phrases_of(made)))

    assert (root / "data/nlu/en/deposit.yml").read_text() == DEPOSIT
    assert f"+    - {LEARNED.text}\n" in changes
    assert "--- /dev/null\n+++ b/tests/nlu/regressions.yml\n" in changes
    with database.read() as session:
        assert assigning.phrases_since(session, None) == 0


@pytest.mark.parametrize("role", [Role.ADVISER, Role.AUDITOR])
def test_a_role_that_only_reads_decides_nothing(database: Database, desk, now, role):
    with database.write() as session:
        staff = make_staff(session, now, "Theo", role)
        message = ask(session, talk(session, now), "who keeps the money", "abstain", now)
        for deed in (
            lambda: assigning.assign(session, desk, staff, "deposit", [message], [LEARNED, TEST], now),
            lambda: assigning.take_back(session, desk, staff, 1, now),
            lambda: assigning.ignore(session, staff, [message], now),
            lambda: assigning.snooze(session, staff, [message], now),
            lambda: assigning.reopen_all(session, staff, now),
        ):
            with pytest.raises(NotAllowed):
                deed()


def test_ignored_and_snoozed_questions_come_back_together(database: Database, now):
    with database.write() as session:
        staff = make_staff(session, now, "Nadia", Role.COORDINATOR)
        conversation = talk(session, now)
        first = ask(session, conversation, "who keeps the money", "abstain", now)
        second = ask(session, conversation, "where is my horse", "abstain", now)
        assigning.ignore(session, staff, [first], now)
        assigning.snooze(session, staff, [second], now)
        assert open_questions(session, now) == []
        assert assigning.reopen_all(session, staff, now) == 2
        assert {each.message_id for each in open_questions(session, now)} == {first, second}


def test_phrases_with_a_colon_or_a_quote_are_read_back_as_they_are(root):
    odd = [Phrase("en", "room: who's paying #1?", "learn"), Phrase("en", "it's mine: # or not", "test")]
    changed = changed_files(root, "ask/deposit", odd)

    (root / "copy.yml").write_text(changed[Path("data/nlu/en/deposit.yml")])
    assert read_training_phrases(root / "copy.yml")["ask/deposit"][-1] == odd[0].text
    [test] = yaml.safe_load(changed[Path("tests/nlu/regressions.yml")])
    assert test["text"] == odd[1].text
