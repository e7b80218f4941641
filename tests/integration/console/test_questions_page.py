"""The page of questions, as an editor and an auditor use it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot.answers.inputs import inputs_fingerprint
from bot.answers.trained import write_current, write_engine
from bot.bootstrap import Services
from bot.config import Settings
from bot.content.loader import Knowledge
from bot.identity.models import AuditEntry, Role
from bot.upkeep.gathering import Gatherer
from bot.upkeep.models import PhraseAssignment, QuestionDecision, Retraining, Stage, Verdict
from tests.factories import make_staff
from tests.integration.console.desk import browser, desk_app, desk_services, enter
from tests.integration.upkeep.talks import ask, talk
from tests.integration.upkeep.test_assigning import DEPOSIT
from tests.integration.upkeep.test_questions import fake_encode
from tests.integration.upkeep.test_retraining import OLD, report

PAGE = "/staff/questions"


class InAFolder(Settings):
    """Settings whose checkout is the data folder: phrases are written there."""

    @property
    def root(self) -> Path:
        return self.data


@pytest.fixture
def services(database, clock, knowledge: Knowledge, tmp_path: Path) -> Services:
    for name in ("data/nlu/en", "tests/nlu", "models"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data/nlu/en/deposit.yml").write_text(DEPOSIT)
    built = desk_services(database, clock)
    return replace(built, knowledge=knowledge, settings=InAFolder(data=tmp_path, _env_file=None))


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(desk_app(services)) as client:
        yield client


@pytest.fixture
def asked(services: Services) -> list[int]:
    """Two questions of one meaning and one of another, sorted."""
    now = services.clock.now()
    with services.database.write() as session:
        conversation = talk(session, now)
        numbers = [
            ask(session, conversation, text, "abstain", now, topic)
            for text, topic in (
                ("where is my money <b>", "deposit"),
                ("where did the money go", "deposit"),
                ("who feeds my horse", "bikes"),
            )
        ]
    Gatherer(services.database, services.settings.data / "upkeep", fake_encode, lambda _: None).gather(now)
    return numbers


def sign_in(client: httpx.AsyncClient, services: Services, role: Role) -> None:
    with services.database.write() as session:
        staff = make_staff(session, services.clock.now(), "Nadia", role)
    enter(client, services, staff)


async def test_groups_are_shown_with_counts_and_what_was_thought_of(client, services, asked):
    sign_in(client, services, Role.EDITOR)
    page = (await client.get(PAGE)).text

    assert "Asked 2 times" in page
    assert "where is my money &lt;b&gt;" in page
    assert services.knowledge.topics["deposit"].file.title.get("en") in page


async def test_an_auditor_reads_and_finds_no_button(client, services, asked):
    sign_in(client, services, Role.AUDITOR)
    page = (await client.get(f"{PAGE}?group={asked[0]}")).text
    refused = await client.post(f"{PAGE}/ignore", data={"message": [asked[0]]})

    assert "Asked 2 times" in page
    assert f'action="{PAGE}' not in page
    assert refused.status_code == 403


async def test_before_the_first_sorting_the_page_says_so(client, services):
    sign_in(client, services, Role.EDITOR)

    assert "sorted for the first time" in (await client.get(PAGE)).text


async def test_a_group_is_given_to_a_topic_and_taken_back(client, services, asked):
    sign_in(client, services, Role.EDITOR)
    form = (await client.get(f"{PAGE}?group={asked[0]}")).text
    response = await client.post(
        f"{PAGE}/assign",
        data={
            "message": asked[:2],
            "topic": "deposit",
            "text": ["where is my money", "where did the money go", ""],
            "language": ["en", "en", "en"],
            "use": ["test", "learn", "learn"],
        },
    )
    page = (await client.get(response.headers["Location"])).text

    assert "Keep as a test" in form
    assert response.status_code == 303
    assert "The phrases are saved" in page
    assert "New phrases that the assistant has not learned yet: 1" in page
    file = services.settings.data / "data/nlu/en/deposit.yml"
    assert file.read_text() == f"{DEPOSIT}    - where did the money go\n"
    with services.database.read() as session:
        assignment = session.scalars(select(PhraseAssignment.id)).one()
        assert sorted(session.scalars(select(QuestionDecision.message_id))) == asked[:2]
    await client.post(f"{PAGE}/take-back", data={"assignment": assignment})
    assert file.read_text() == DEPOSIT


async def test_a_patch_is_saved_under_its_number_and_is_in_the_log(client, services, asked):
    sign_in(client, services, Role.EDITOR)
    with services.database.write() as session:
        phrases = [{"language": "en", "text": "where did the money go", "use": "learn"}]
        made = PhraseAssignment(label="ask/deposit", phrases=phrases, is_written=False, at=services.clock.now())
        session.add(made)
    file = await client.post(f"{PAGE}/patch", data={"assignment": made.id})
    gone = await client.post(f"{PAGE}/patch", data={"assignment": made.id + 1})

    assert file.headers["Content-Disposition"] == f'attachment; filename="phrases-{made.id}.patch"'
    assert "+    - where did the money go\n" in file.text
    assert gone.headers["Location"] == f"{PAGE}?trouble=gone"
    with services.database.read() as session:
        exports = select(AuditEntry.details).where(AuditEntry.action == "file_exported")
        assert session.scalars(exports).all() == [{"file": f"phrases-{made.id}.patch"}]


async def test_the_form_as_it_is_offered_is_accepted_where_the_same_words_were_asked_twice(client, services):
    now = services.clock.now()
    with services.database.write() as session:
        conversation = talk(session, now)
        texts = ("where did they put all of it", "where is my money", "where is my money?", "where is my moneyy")
        numbers = [ask(session, conversation, text, "abstain", now, "deposit") for text in texts]
    Gatherer(services.database, services.settings.data / "upkeep", fake_encode, lambda _: None).gather(now)
    sign_in(client, services, Role.EDITOR)
    form = (await client.get(f"{PAGE}?group={numbers[0]}")).text
    lines = lines_of(form)
    response = await client.post(
        f"{PAGE}/assign",
        data={
            "message": numbers,
            "topic": "deposit",
            "text": [text for text, _ in lines],
            "language": ["en"] * len(lines),
            "use": [use for _, use in lines],
        },
    )

    assert sorted(use for text, use in lines if text) == ["learn", "leave", "test"]
    assert response.headers.get("Location") == f"{PAGE}?done=assigned"


def lines_of(form: str) -> list[tuple[str, str]]:
    """(text, what to do with it) of each line that is offered."""
    texts = re.findall(r'<textarea name="text"[^>]*>([^<]*)</textarea>', form)
    uses = [re.findall(r'<option value="(\w+)" selected', each)[0] for each in form.split('name="use"')[1:]]
    return list(zip(texts, uses, strict=True))


async def test_files_that_the_model_does_not_know_can_be_trained_without_new_phrases(client, services):
    sign_in(client, services, Role.EDITOR)
    models = services.settings.data / "models"
    (models / OLD.model).write_text("a model")
    write_current(models, OLD.model_copy(update={"fingerprint": inputs_fingerprint(services.settings.root)}))
    known = (await client.get(PAGE)).text
    write_current(models, OLD)
    behind = (await client.get(PAGE)).text

    assert ("There is nothing new to learn" in known, "Train again" in known) == (True, False)
    assert ("have changed since the assistant learned them" in behind, "Train again" in behind) == (True, True)


async def test_a_wrong_line_is_marked_and_what_was_typed_is_kept(client, services, asked):
    sign_in(client, services, Role.EDITOR)
    response = await client.post(
        f"{PAGE}/assign",
        data={
            "message": asked[:2],
            "topic": "deposit",
            "text": ["where is my money", "see [here](me)"],
            "language": ["en", "en"],
            "use": ["test", "learn"],
        },
    )

    assert response.status_code == 422
    assert 'aria-describedby="fault-1"' in response.text
    assert "Leave out brackets" in response.text
    assert "see [here](me)" in response.text


async def test_a_group_is_ignored_and_brought_back(client, services, asked):
    sign_in(client, services, Role.COORDINATOR)
    await client.post(f"{PAGE}/ignore", data={"message": asked[2:]})
    with services.database.read() as session:
        verdicts = [(each.message_id, each.verdict) for each in session.scalars(select(QuestionDecision))]
    without = (await client.get(PAGE)).text
    await client.post(f"{PAGE}/reopen")
    back = (await client.get(PAGE)).text

    assert verdicts == [(asked[2], Verdict.IGNORED)]
    assert ("who feeds my horse" in without, "who feeds my horse" in back) == (False, True)


async def test_what_somebody_else_decided_a_moment_ago_is_said(client, services, asked):
    sign_in(client, services, Role.EDITOR)
    response = await client.post(f"{PAGE}/ignore", data={"message": [999]})

    assert "Somebody else decided this" in (await client.get(response.headers["Location"])).text


def make_ready(services: Services) -> int:
    now = services.clock.now()
    write_current(services.settings.data / "models", OLD)
    (services.settings.data / "models" / OLD.model).write_text("a model")
    with services.database.write() as session:
        found = Retraining(stage=Stage.READY, report=report().model_dump(), asked_at=now, changed_at=now)
        session.add(found)
        session.flush()
        return found.id


async def test_a_new_model_is_shown_with_before_and_after_and_switched_to(client, services):
    sign_in(client, services, Role.EDITOR)
    number = make_ready(services)
    page = (await client.get(PAGE)).text
    alone = await client.post(f"{PAGE}/switch", data={"training": number})
    write_engine(services.settings.data / "models", OLD.model)
    switched = await client.post(f"{PAGE}/switch", data={"training": number})
    again = await client.post(f"{PAGE}/switch", data={"training": number})

    assert "Answered rightly" in page
    assert [each.headers["Location"].partition("?")[2] for each in (alone, switched, again)] == [
        "trouble=unsupervised",
        "done=switching",
        "trouble=gone",
    ]
    with services.database.read() as session:
        found = session.get_one(Retraining, number)
        assert (found.stage, found.former) == (Stage.SWITCHING, OLD.model_dump())


async def test_a_second_click_on_train_starts_nothing(client, services):
    sign_in(client, services, Role.EDITOR)
    answers = [await client.post(f"{PAGE}/train") for _ in range(2)]

    assert [each.headers["Location"] for each in answers] == [f"{PAGE}?done=asked", f"{PAGE}?trouble=busy"]


async def test_a_training_is_followed_until_it_is_ready(client, services):
    sign_in(client, services, Role.EDITOR)
    await client.post(f"{PAGE}/train")
    goes_on = (await client.get(PAGE)).text
    with services.database.write() as session:
        found = session.scalars(select(Retraining)).one()
        found.stage, found.report = Stage.READY, report().model_dump()
    ready = (await client.get(PAGE)).text

    follows = 'hx-get="/staff/questions" hx-trigger="every 10s" hx-select="#training-now"'
    assert (follows in goes_on, follows in ready) == (True, False)
    assert "Switch to the new model" in ready


async def test_a_page_that_follows_by_itself_does_not_keep_the_session_and_leads_to_the_sign_in(client, services):
    sign_in(client, services, Role.EDITOR)
    by_itself = {"HX-Request": "true"}
    services.clock.instant += timedelta(minutes=20)
    seen = await client.get(PAGE, headers=by_itself)
    services.clock.instant += timedelta(minutes=10)
    over = await client.get(PAGE, headers=by_itself)

    assert (seen.status_code, over.status_code) == (200, 401)
    assert over.headers["HX-Redirect"] == "/staff/sign-in?next=%2Fstaff%2Fquestions"
