"""The page of answers, pressed through as colleagues do."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from bot.bootstrap import Services
from bot.content.loader import topic_texts
from bot.conversations.models import Alert, Author, Conversation
from bot.conversations.service import append
from bot.editing.live import Editions
from bot.editing.models import Reason
from bot.editing.ratings import rate
from bot.handoff.desks import join
from bot.identity.models import Role, Staff
from bot.paperwork.schema import load_procedures
from tests.factories import make_conversation, make_staff, make_student, receive
from tests.integration.console.desk import browser, desk_app, desk_services, enter

SLUG = "cvec_payment"


@pytest.fixture
def services(database, clock, knowledge) -> Services:
    return replace(
        desk_services(database, clock),
        knowledge=replace(knowledge, topics=dict(knowledge.topics)),
        procedures=load_procedures(knowledge.folder / "procedures"),
    )


@pytest.fixture
def people(services) -> dict[str, Staff]:
    with services.database.write() as session:
        return {
            name: make_staff(session, services.clock.now(), name, role)
            for name, role in (("Nora", Role.EDITOR), ("Paul", Role.EDITOR), ("Otto", Role.AUDITOR))
        }


class Colleague:
    """One browser; `post` follows to the page that comes next."""

    def __init__(self, client: httpx.AsyncClient, services: Services, staff: Staff) -> None:
        self._client, self._services, self._staff = client, services, staff

    async def get(self, **query):
        self._sit_down()
        return await self._client.get("/staff/answers", params=query)

    async def post(self, action, /, **fields):
        self._sit_down()
        response = await self._client.post(f"/staff/answers/{action}", data=fields)
        if response.status_code == 303:
            return await self._client.get(response.headers["Location"])
        return response

    def _sit_down(self):
        self._client.cookies.set("accueil_staff", f"token-of-{self._staff.email}", domain="desk.test")
        self._client.headers["X-CSRF-Token"] = f"csrf-of-{self._staff.email}"


@pytest.fixture
async def at(services, people):
    async with browser(desk_app(services)) as client:
        for staff in people.values():
            enter(client, services, staff)
        yield {name: Colleague(client, services, staff) for name, staff in people.items()}


def number_of(page) -> str:
    found = re.search(r'name="edition" value="(\d+)"', page.text)
    assert found is not None
    return found[1]


def differences(page) -> list[tuple[str, str]]:
    return re.findall(r"<(del|ins)>([^<]*)</", page.text)


def form(knowledge, **changes):
    texts = topic_texts(knowledge.folder / "topics" / SLUG)
    file = knowledge.topics[SLUG].file
    return {
        "title_en": file.title.en,
        "title_fr": file.title.fr,
        "question_en": file.question.en,
        "question_fr": file.question.fr,
        "owner": file.owner,
        "valid_until": file.valid_until.isoformat(),
        "next": ", ".join(file.next),
        "source_title": [*(source.title for source in file.sources), ""],
        "source_url": [*(str(source.url) for source in file.sources), ""],
        "source_checked_on": [*(source.checked_on.isoformat() for source in file.sources), ""],
        "text_en": texts["en.md"],
        "text_fr": texts["fr.md"],
        **changes,
    }


async def test_from_the_pen_of_one_by_the_eyes_of_another_to_the_student(at, services, knowledge):
    draft = await at["Nora"].post("edit", topic=SLUG)
    edition = number_of(draft)
    changes = form(knowledge, title_en="Paying the fee", title_fr="Payer la contribution")
    review = await at["Nora"].post("save", edition=edition, number=1, then="submit", **changes)
    assert "Waits for a review" in review.text
    own = await at["Nora"].post("decide", edition=edition, number=2, deed="publish")
    assert own.status_code == 422
    assert "a colleague must review it" in own.text
    seen = await at["Paul"].get(edition=edition)
    assert "<del>CVEC</del><ins>fee</ins>" in seen.text.replace("\n", "")
    published = await at["Paul"].post("decide", edition=edition, number=2, deed="publish")

    assert "Published: students read it within five seconds." in published.text
    Editions(services.database, services.knowledge, lambda slugs: None).refresh()
    assert services.knowledge.topics[SLUG].file.title.en == "Paying the fee"


async def test_a_fault_is_named_at_its_field_and_the_draft_is_kept(at, knowledge):
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    changes = form(knowledge, valid_until="2020-01-01", text_en="Pay {{ no_such_figure }}.")
    page = await at["Nora"].post("save", edition=edition, number=1, then="submit", **changes)

    assert page.status_code == 422
    assert "Saved, but not sent to review" in page.text
    assert "the figure no_such_figure is not in figures.yml" in page.text
    assert re.search(r'name="valid_until"[^>]*aria-invalid="true"', page.text)
    assert "Pay {{ no_such_figure }}." in page.text


async def test_the_second_to_save_sees_who_was_faster_and_both_texts(at, knowledge):
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    await at["Paul"].post("save", edition=edition, number=1, **form(knowledge, text_en="Written by Paul."))
    page = await at["Nora"].post("save", edition=edition, number=1, **form(knowledge, text_en="Written by Nora."))

    assert page.status_code == 409
    assert "Paul saved this text at" in page.text
    assert "<del>Paul.</del><ins>Nora.</ins>" in page.text
    assert 'name="number" value="2"' in page.text
    again = await at["Nora"].post("save", edition=edition, number=2, **form(knowledge, text_en="Both of us."))
    assert "Both of us." in again.text


async def test_a_text_that_is_too_long_comes_back_and_nothing_is_saved(at, knowledge):
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    long = "Nora wrote on and on.\r\n" * 1500
    page = await at["Nora"].post("save", edition=edition, number=1, **form(knowledge, text_en=long))

    assert page.status_code == 422
    assert "Nothing is saved yet: a text has at most 16000 characters." in page.text
    assert page.text.count("Nora wrote on and on.") >= 1500
    assert 'name="number" value="1"' in page.text
    # 16,000 as the page counts them: a browser sends two signs for the end of a line.
    fits = ("x" * 9 + "\r\n") * 1600
    saved = await at["Nora"].post("save", edition=edition, number=1, **form(knowledge, text_en=fits))
    assert "Saved. Below you see it as students would." in saved.text


async def test_a_reviewer_sees_the_part_that_changes_open(at, knowledge):
    texts = topic_texts(knowledge.folder / "topics" / SLUG)
    with_more = {f"text_{code}": f"{texts[f'{code}.md']}\n\n<!-- more -->\n\nABC" for code in ("en", "fr")}
    first = number_of(await at["Nora"].post("edit", topic=SLUG))
    await at["Nora"].post("save", edition=first, number=1, then="submit", **form(knowledge, **with_more))
    await at["Paul"].post("decide", edition=first, number=2, deed="publish")
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    unchanged = await at["Nora"].get(edition=edition)
    with_more["text_en"] += " and D"
    changed = await at["Nora"].post("save", edition=edition, number=1, **form(knowledge, **with_more))

    shown = r'<details class="form-of-answer" open>\s*<summary>(.*?)</summary>'
    assert re.findall(shown, unchanged.text) == ["When nothing is known of the student"]
    assert re.findall(shown, changed.text) == ['After “More” <span class="mark">changed</span>']


async def test_an_earlier_text_comes_back_with_one_press(at, knowledge):
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    await at["Nora"].post("save", edition=edition, number=1, then="submit", **form(knowledge, owner="library"))
    await at["Paul"].post("decide", edition=edition, number=2, deed="publish")
    topic = await at["Paul"].get(topic=SLUG)
    first = re.findall(r"edition=(\d+)", topic.text)[-1]
    page = await at["Paul"].post("decide", edition=first, deed="restore")

    assert "The earlier text is published again" in page.text
    assert "An earlier text again" in page.text


async def test_before_one_goes_back_to_an_earlier_text_one_sees_what_that_changes_for_students(at, knowledge):
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    changes = form(knowledge, title_en="Paying the fee")
    await at["Nora"].post("save", edition=edition, number=1, then="submit", **changes)
    await at["Paul"].post("decide", edition=edition, number=2, deed="publish")
    topic = await at["Paul"].get(topic=SLUG)
    live, first = re.findall(r"edition=(\d+)", topic.text)
    earlier = await at["Paul"].get(edition=first)
    now = await at["Paul"].get(edition=live)

    assert differences(earlier) == [("del", "fee"), ("ins", "CVEC")]
    assert "Crossed out: as it was. Underlined: as it will be." in earlier.text
    assert differences(now) == [("del", "CVEC"), ("ins", "fee")]
    assert "Crossed out: as it was before. Underlined: as it was published." in now.text


async def test_still_true_needs_the_sources_read_and_a_day_ahead(at):
    unread = await at["Nora"].post("confirm", topic=SLUG, valid_until="2027-09-01")
    past = await at["Nora"].post("confirm", topic=SLUG, valid_until="2020-01-01", read_again="yes")
    sent = await at["Nora"].post("confirm", topic=SLUG, valid_until="2027-09-01", read_again="yes")

    assert (unread.status_code, past.status_code, sent.status_code) == (422, 422, 200)
    assert "Open every source first" in unread.text
    assert "Write a day after today" in past.text
    assert "Waits for a review" in sent.text


async def test_an_auditor_reads_and_finds_nothing_to_press(at):
    for query in ({}, {"view": "all"}, {"view": "work"}, {"view": "thumbs"}, {"topic": SLUG}):
        page = await at["Otto"].get(**query)
        assert page.status_code == 200
        assert 'action="/staff/answers/' not in page.text
    refused = await at["Otto"].post("edit", topic=SLUG)
    assert refused.status_code == 403


@pytest.mark.parametrize("query", [{"topic": "no_such"}, {"edition": "999"}, {"edition": "x"}, {"topic": "../../x"}])
async def test_what_does_not_exist_is_said_on_the_lists(at, query):
    page = await at["Nora"].get(**query)

    assert page.status_code == 200
    assert "There is no such answer." in page.text


async def test_what_did_not_help_is_listed_with_its_reason_and_the_question_without_names(at, services):
    now = services.clock.now()
    with services.database.write() as session:
        student = make_student(session, now, "Amina")
        older = voted_down(session, now - timedelta(days=1), "How does <b>Amina</b> pay it?", student.id)
        newer = voted_down(session, now, "Call me on +33 6 12 34 56 78 about the fee")
        in_danger = voted_down(session, now - timedelta(days=2), "I cannot go on and the fee is too much")
        session.add(Alert(conversation_id=in_danger, kind="urgent", key="urgent:1", created_at=now))
    pages = [(await at["Otto"].get(**query)).text for query in ({"view": "thumbs"}, {"topic": SLUG})]
    other = (await at["Otto"].get(topic="cvec_refund")).text

    for page in pages:
        assert "It is unclear" in page
        assert re.findall(r'<q class="asked" dir="auto">([^<]*)</q>', page) == [
            "Call me on … about the fee",
            "How does &lt;b&gt;…&lt;/b&gt; pay it?",
        ]
        assert re.findall(r'href="/staff#([^"]+)"', page) == [str(newer), str(older), str(in_danger)]
    assert "Paying the CVEC" in pages[0]
    assert "nobody pressed “No”" in other


async def test_what_did_not_help_at_another_desk_names_no_conversation_and_shows_an_adviser_no_question(
    at, services, people
):
    """Ada and Nora work for housing; editors see every question, since answers belong to no desk."""
    now = services.clock.now()
    with services.database.write() as session:
        ada = make_staff(session, now, "Ada")
        for staff in (ada, people["Nora"]):
            join(session, services.office, "housing", staff)
        talks = [voted_down(session, now - timedelta(hours=hours), f"Asked {hours}") for hours in range(3)]
        for talk, desk in zip(talks, ("office", "housing", None), strict=True):
            session.get_one(Conversation, talk).desk = desk
    async with browser(desk_app(services)) as client:
        enter(client, services, ada)
        pages = [
            (await client.get("/staff/answers", params=query)).text for query in ({"view": "thumbs"}, {"topic": SLUG})
        ]
    editors = (await at["Nora"].get(view="thumbs")).text

    for page, questions in (
        *((page, ["Asked 1", "Asked 2"]) for page in pages),
        (editors, ["Asked 0", "Asked 1", "Asked 2"]),
    ):
        assert page.count("It is unclear") == 3
        assert re.findall(r'<q class="asked" dir="auto">([^<]*)</q>', page) == questions
        assert re.findall(r'href="/staff#([^"]+)"', page) == [str(talk) for talk in talks[1:]]


def voted_down(session, now, question, student_id=None):
    conversation = make_conversation(session, now)
    conversation.student_id = student_id
    asked = receive(session, conversation.id, question, now).message
    understanding = {"action": "answer", "topic": SLUG}
    answer = append(
        session, conversation, Author.BOT, "Pay it.", now=now, in_reply_to=asked.seq, understanding=understanding
    )
    rate(session, conversation.id, answer.seq, now, helpful=False, reason=Reason.UNCLEAR)
    return conversation.id


async def test_a_form_of_another_site_has_no_way_to_break_the_page(at, knowledge):
    edition = number_of(await at["Nora"].post("edit", topic=SLUG))
    wicked = '<script>alert(1)</script> [x](javascript:alert(1)) "onload="'
    page = await at["Nora"].post("save", edition=edition, number=1, **form(knowledge, text_en=wicked, owner=wicked))

    assert "<script>alert" not in page.text
    assert 'href="javascript' not in page.text
