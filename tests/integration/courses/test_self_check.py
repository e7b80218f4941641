"""The self-check as a talk: what is asked, what old buttons do, and what of it is kept."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select

from actions.records import RECORDS
from bot.answers.topics import Personal
from bot.answers.urgent import build_door
from bot.assistant.turn import commit, compute, compute_without_prompt, load, settle
from bot.config import ROOT
from bot.conversations.messages import Button
from bot.conversations.models import Author, Conversation, Message
from bot.conversations.service import append, receive_message
from bot.courses.deeds import LASTS, placement_deeds
from bot.courses.levels import level_of
from bot.courses.models import Placement
from bot.courses.self_checks import check_button, level_answer
from bot.courses.statements import load_statements
from bot.i18n.languages import CODES
from bot.identity.deeds import identity_deeds
from bot.students.models import Student
from tests.factories import incoming, make_conversation, make_staff, make_student
from tests.fakes import FakeEngine

STATEMENTS = load_statements(ROOT / "knowledge" / "placement.yml")
DEEDS = placement_deeds(STATEMENTS) | identity_deeds(["student.junia.com"])
TEXTS = {each.text["en"]: each for each in STATEMENTS}

REPLIES = ["Yes, easily", "With difficulty", "No"]
INTRO = (
    "I show you statements about daily life in French, 10 at most. Say for each whether you can do it. "
    "The result is advice: the office confirms your level."
)
ADVICE = "This is advice: the office confirms your level."
NOT_KEPT = "I have not kept it: a result is only kept when this conversation is linked to a record."
IN_RECORD = "The result is in your record."
OVER = "No self-check is going on any more: it ended, or nothing was answered for half an hour."


class Desk:
    """One student at the widget: presses, writes, reads. `now` can be moved."""

    def __init__(self, database, knowledge, now: datetime, conversation_id: UUID) -> None:
        self.database, self.knowledge, self.now, self.id = database, knowledge, now, conversation_id
        self.engine = FakeEngine()
        self.door = build_door(knowledge.urgent)

    def begin(self) -> Message:
        """The button of the topic, pressed."""
        with self.database.write() as session:
            conversation = session.get_one(Conversation, self.id)
            button = check_button(conversation.language)
            message = append(session, conversation, Author.BOT, "Your level?", now=self.now, buttons=[button])
        return self.press(button.label, message)

    def press(self, label: str, of: Message | None = None) -> Message:
        """The button of this label, of the newest message unless another is given."""
        buttons = (of or self.newest()).buttons
        (key,) = [each["key"] for each in buttons if each["label"] == label]
        return self._take(None, key)

    def write(self, text: str) -> Message:
        return self._take(text, None)

    def answer(self, *labels: str) -> Message:
        for label in labels:
            message = self.press(label)
        return message

    def newest(self) -> Message:
        with self.database.read() as session:
            query = select(Message).where(Message.conversation_id == self.id, Message.author == Author.BOT)
            return session.scalars(query.order_by(Message.seq.desc()).limit(1)).one()

    def prompt(self) -> dict | None:
        with self.database.read() as session:
            return session.get_one(Conversation, self.id).prompt

    def _take(self, text: str | None, key: str | None) -> Message:
        with self.database.write() as session:
            receive_message(session, self.id, incoming(text, self.now, button=key), self.now)
        snapshot = load(self.database, self.id)
        outcome = asyncio.run(compute(self.engine, self.door, self.knowledge, snapshot, self.now))
        if outcome is None and not settle(self.database, DEEDS, snapshot, self.now):
            outcome = asyncio.run(compute_without_prompt(self.engine, self.knowledge, snapshot, self.now))
        if outcome is not None:
            commit(self.database, DEEDS, snapshot, outcome, self.now)
        return self.newest()


@pytest.fixture
def stranger(database, knowledge, now) -> Desk:
    with database.write() as session:
        return Desk(database, knowledge, now, make_conversation(session, now).id)


@pytest.fixture
def amina(database, knowledge, now) -> Desk:
    with database.write() as session:
        conversation = make_conversation(session, now)
        conversation.student_id = make_student(session, now).id
        return Desk(database, knowledge, now, conversation.id)


def labels(message: Message) -> list[str]:
    return [each["label"] for each in message.buttons]


def statement(message: Message) -> str:
    """The slug of what is asked."""
    return TEXTS[message.text.split("**")[1]].slug


def placement(desk: Desk) -> Placement | None:
    with desk.database.read() as session:
        return session.scalar(select(Placement))


def answer_of_record(desk: Desk) -> str:
    with desk.database.read() as session:
        return level_answer(session, session.scalars(select(Student)).one(), "en")


def confirm(desk: Desk, level: str) -> None:
    with desk.database.write() as session:
        student = session.scalars(select(Student)).one()
        row = session.scalar(select(Placement)) or Placement(student_id=student.id)
        row.confirmed_level, row.confirmed_by, row.confirmed_at = level, make_staff(session, desk.now).id, desk.now
        session.add(row)


EASILY_C2 = ["Yes, easily"] * 8
B1 = ["Yes, easily"] * 2 + ["No"] * 2


def test_it_begins_at_b1_and_says_what_it_is_for(stranger):
    message = stranger.begin()

    first = next(each for each in STATEMENTS if each.level == "B1")
    assert message.text == (
        f"{INTRO}\n\nStatement 1 of at most 10: can you do this in French?\n\n**{first.text['en']}**"
    )
    assert labels(message) == [*REPLIES, "Stop here"]


def test_a_second_statement_can_be_gone_back_from(stranger):
    first = statement(stranger.begin())
    second = stranger.press("Yes, easily")
    back = stranger.press("Back")

    assert labels(second) == [*REPLIES, "Back", "Stop here"]
    assert second.text.startswith("Statement 2 of at most 10: ")
    assert (statement(back), labels(back)) == (first, [*REPLIES, "Stop here"])
    assert stranger.prompt()["answers"] == []


@pytest.mark.parametrize(
    ("answers", "words", "level"),
    [
        (EASILY_C2, "You seem to be about C2.", "C2"),
        (B1, "You seem to be about B1.", "B1"),
        (["No"] * 6, "You seem to be at the very beginning of French: a class for beginners (A1) fits.", "A1"),
        (["Yes, easily", "Yes, easily", "Stop here"], "You seem to be about B1, perhaps higher.", "B1"),
        (["No", "No", "Stop here"], "You seem to be about A2, perhaps lower.", "A2"),
    ],
)
def test_the_result_of_a_linked_student_is_advice_and_is_kept(amina, now, answers, words, level):
    amina.begin()
    message = amina.answer(*answers)

    kept = placement(amina)
    assert message.text == f"{words} {ADVICE}\n\n{IN_RECORD}"
    assert labels(message) == ["See classes of this level"]
    assert (kept.level, kept.taken_at, kept.confirmed_level) == (level, now, None)
    assert len(kept.answers) == len([each for each in answers if each in REPLIES])
    assert amina.prompt() is None


def test_the_answers_are_kept_in_order(amina):
    asked = [statement(amina.begin())]
    asked += [statement(amina.press(label)) for label in ("Yes, easily", "With difficulty", "With difficulty")]
    amina.press("Stop here")

    assert placement(amina).answers == [
        {"item": asked[0], "answer": "easily"},
        {"item": asked[1], "answer": "with_difficulty"},
        {"item": asked[2], "answer": "with_difficulty"},
    ]


def test_without_a_link_nothing_is_kept_and_the_result_says_so(stranger):
    stranger.begin()
    message = stranger.answer(*B1)

    assert message.text == f"You seem to be about B1. {ADVICE}\n\n{NOT_KEPT}"
    assert labels(message) == ["See classes of this level", "Link my record"]
    assert placement(stranger) is None
    assert stranger.prompt() is None


def test_too_few_answers_say_no_level_and_leave_an_earlier_result(amina):
    amina.begin()
    amina.answer(*B1)
    amina.begin()
    message = amina.answer("No", "Stop here")

    assert message.text == "That was too little to say a level, so nothing is kept."
    assert labels(message) == ["Take the self-check (5 minutes)"]
    assert placement(amina).level == "B1"


def test_a_second_check_asks_other_statements_and_takes_the_place_of_the_first(amina):
    first = [statement(amina.begin()), *(statement(amina.press(each)) for each in B1[:-1])]
    amina.press(B1[-1])
    second = [statement(amina.begin()), *(statement(amina.press(each)) for each in EASILY_C2[:-1])]
    amina.press(EASILY_C2[-1])

    assert set(first) & set(second) == set()
    assert second[0].startswith("b1_")
    assert placement(amina).level == "C2"


def test_a_check_begins_at_the_level_that_is_known(amina):
    confirm(amina, "C1")

    assert statement(amina.begin()).startswith("c1_")


def test_a_confirmed_level_stays_and_is_the_one_that_counts(amina):
    confirm(amina, "B2")
    amina.begin()
    message = amina.answer(*["No"] * 4, "Yes, easily", "Yes, easily")

    kept = placement(amina)
    assert message.text == (
        f"You seem to be about A2. The office has confirmed B2 for you: that level counts.\n\n{IN_RECORD}"
    )
    assert (kept.level, kept.confirmed_level) == ("A2", "B2")
    with amina.database.read() as session:
        assert level_of(session, kept.student_id) == "B2"


def test_a_button_of_an_earlier_statement_is_refused_and_the_present_one_is_shown(amina):
    first = amina.begin()
    second = amina.press("Yes, easily")
    message = amina.press("No", of=first)

    assert message.text == f"That question is answered already; here is the present one.\n\n{second.text}"
    assert labels(message) == labels(second)
    assert [each["answer"] for each in amina.prompt()["answers"]] == ["easily"]


def test_after_a_step_back_the_buttons_of_the_later_statement_are_refused(amina):
    first = amina.begin()
    second = amina.press("Yes, easily")
    amina.press("Back")

    message = amina.press("No", of=second)
    again = amina.press("Back", of=second)

    refusal = "That question is not open now; here is the present one.\n\n"
    question = first.text.removeprefix(f"{INTRO}\n\n")
    assert (message.text, again.text) == (refusal + question, refusal + question)
    assert amina.prompt()["answers"] == []


def test_a_question_in_between_is_answered_and_the_check_goes_on(amina):
    amina.begin()
    second = amina.press("Yes, easily")

    between = amina.write("What is the CVEC?")
    third = amina.press("Yes, easily", of=second)

    assert between.text == "echo: What is the CVEC?"
    assert amina.engine.asked == ["What is the CVEC?"]
    assert third.text.startswith("Statement 3 of at most 10: ")


def test_to_begin_again_in_the_middle_shows_where_one_is(amina):
    amina.begin()
    second = amina.press("Yes, easily")

    assert amina.begin().text == f"Your self-check is still going on; here is the next statement.\n\n{second.text}"


def test_it_waits_for_half_an_hour_after_each_press(amina):
    amina.begin()
    amina.now += LASTS - timedelta(seconds=1)
    second = amina.press("Yes, easily")
    amina.now += LASTS - timedelta(seconds=1)
    third = amina.press("Yes, easily")
    amina.now += LASTS
    late = amina.press("Yes, easily", of=third)

    assert (second.text[:11], third.text[:11]) == ("Statement 2", "Statement 3")
    assert (late.text, labels(late)) == (OVER, ["Take the self-check (5 minutes)"])
    assert placement(amina) is None


@pytest.mark.parametrize("label", ["Yes, easily", "Back", "Stop here"])
def test_the_buttons_of_a_check_that_is_over_say_so(amina, label):
    amina.begin()
    amina.answer("No")
    last = amina.answer("No", "No", "No", "No")
    amina.press("No")
    message = amina.press(label, of=last)

    assert (message.text, labels(message)) == (OVER, ["Take the self-check (5 minutes)"])
    assert placement(amina).level == "A1"


def test_to_link_in_the_middle_ends_the_check(stranger):
    message = stranger.begin()
    stranger.write("amina@student.junia.com")

    assert stranger.press("No", of=message).text == OVER


def test_a_check_with_a_statement_that_was_withdrawn_begins_anew(amina):
    message = amina.begin()
    with amina.database.write() as session:
        conversation = session.get_one(Conversation, amina.id)
        conversation.prompt = {**conversation.prompt, "answers": [{"item": "b1_withdrawn", "answer": "easily"}]}

    assert amina.press("No", of=message).text == OVER


def test_an_answer_that_does_not_exist_is_asked_again(amina):
    message = amina.begin()
    with amina.database.write() as session:
        conversation = session.get_one(Conversation, amina.id)
        values = {"item": statement(message), "answer": "perhaps"}
        button = Button("Perhaps", {"effect": "placement_answer", "values": values})
        append(session, conversation, Author.BOT, "A forged one.", now=amina.now, buttons=[button])

    assert amina.press("Perhaps").text == message.text.removeprefix(f"{INTRO}\n\n")


@pytest.mark.parametrize("code", CODES)
def test_the_statements_come_in_the_language_of_the_conversation(stranger, code):
    with stranger.database.write() as session:
        session.get_one(Conversation, stranger.id).language = code

    first = next(each for each in STATEMENTS if each.level == "B1")
    assert stranger.begin().text.split("**")[1] == first.text[code]


def test_the_record_says_that_no_level_is_known(amina):
    assert answer_of_record(amina) == (
        "No level of French is in your record yet. A self-check gives you an idea of where you stand."
    )


def test_the_topic_says_what_is_known_before_its_general_text_and_offers_the_check(amina):
    with amina.database.read() as session:
        student = session.scalars(select(Student)).one()
        asked = SimpleNamespace(turn=SimpleNamespace(language="en"), session=session, student=student)
        personal = RECORDS["placement"](asked)

    button = Button("Take the self-check (5 minutes)", {"effect": "placement_start"})
    assert personal == Personal(answer_of_record(amina), buttons=(button,), can_link=True)


def test_the_record_says_what_the_self_check_found(amina):
    amina.begin()
    amina.answer(*B1)

    assert answer_of_record(amina) == f"Your own self-check of 24 November 2026 says about B1. {ADVICE}"


def test_the_record_says_who_confirmed_the_level_and_shows_the_self_check_beside_it(amina):
    confirm(amina, "B2")
    alone = answer_of_record(amina)
    amina.begin()
    amina.answer(*["Yes, easily"] * 2, *["No"] * 2)

    confirmed = "Your level of French is B2, confirmed by Claire on 24 November 2026."
    assert alone == confirmed
    assert answer_of_record(amina) == (
        f"{confirmed} Your own self-check of 24 November 2026 said about B2; the confirmed level counts."
    )


def test_a_level_confirmed_by_nobody_in_particular_is_the_office_s(amina):
    with amina.database.write() as session:
        session.add(Placement(student_id=session.scalars(select(Student.id)).one(), confirmed_level="A2"))

    assert answer_of_record(amina) == "Your level of French is A2: the office has confirmed it."


def test_days_are_those_of_france(amina):
    amina.now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    amina.begin()
    amina.answer(*B1)

    assert answer_of_record(amina) == f"Your own self-check of 1 December 2026 says about B1. {ADVICE}"
