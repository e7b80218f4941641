"""Which questions are shown to the office, and how they come together."""

from datetime import timedelta

import numpy as np

from bot.conversations.models import Alert, Conversation
from bot.db.session import Database
from bot.editing.ratings import rate
from bot.upkeep.gathering import Gatherer, read_groups
from bot.upkeep.models import QuestionDecision, Verdict
from bot.upkeep.questions import Why, open_questions
from tests.factories import make_student
from tests.integration.upkeep.talks import ask, talk


def test_what_was_not_known_not_chosen_or_not_enough_is_listed_and_nothing_else(database: Database, now):
    with database.write() as session:
        first, second, third = (talk(session, now) for _ in range(3))
        unknown = ask(session, first, "where can I park my horse", "abstain", now, "bikes")
        ask(session, first, "what is the CVEC", "answer", now, "cvec")
        chosen = ask(session, second, "the money for my room", "clarify", now, "deposit", "visale", buttons=True)
        ask(session, second, "About visale", "answer", now, "visale")
        not_chosen = ask(session, second, "the money for the flat", "clarify", now, "deposit", "visale", buttons=True)
        ask(session, second, "none of these", "chat", now)
        answered = ask(session, third, "how do I open a bank account", "answer", now, "bank_account")
        ask(session, third, "I want a person", "handoff", now)
        ask(session, third, "ok", "abstain", now)
    with database.read() as session:
        found = {each.message_id: each.why for each in open_questions(session, now)}

    assert chosen not in found
    assert found == {unknown: Why.UNKNOWN, not_chosen: Why.ASKED_BACK, answered: Why.WANTED_A_PERSON}


def test_a_question_whose_answer_did_not_help_is_listed_until_the_student_thinks_better_of_it(database: Database, now):
    with database.write() as session:
        conversation = talk(session, now)
        down = ask(session, conversation, "when do I get the money back", "answer", now, answered="deposit")
        ask(session, conversation, "where is the town hall", "answer", now, answered="town_hall_french")
        for seq, helpful in ((3, False), (5, True)):
            rate(session, conversation, seq, now, helpful=helpful)
    with database.read() as session:
        assert {each.message_id: each.why for each in open_questions(session, now)} == {down: Why.VOTED_DOWN}
    with database.write() as session:
        rate(session, conversation, 3, now, helpful=True)
    with database.read() as session:
        assert open_questions(session, now) == []


def test_old_questions_and_talks_with_an_alert_of_danger_are_left_out(database: Database, now):
    with database.write() as session:
        in_danger, old = talk(session, now), talk(session, now)
        ask(session, in_danger, "nobody would miss me here", "abstain", now)
        session.add(Alert(conversation_id=in_danger, kind="urgent", key="urgent:1", created_at=now))
        ask(session, old, "where can I park my horse", "abstain", now - timedelta(days=91))
    with database.read() as session:
        assert open_questions(session, now) == []


def test_the_name_of_the_linked_student_is_taken_out(database: Database, now):
    with database.write() as session:
        conversation = talk(session, now)
        session.get_one(Conversation, conversation).student_id = make_student(session, now, "Amina").id
        ask(session, conversation, "does amina need a horse", "abstain", now, "bikes")
    with database.read() as session:
        [question] = open_questions(session, now)

    assert (question.text, question.thoughts) == ("does … need a horse", {"bikes": 0.2})


def test_a_snoozed_question_comes_back_and_an_ignored_one_does_not(database: Database, now):
    with database.write() as session:
        conversation = talk(session, now)
        snoozed = ask(session, conversation, "where can I park my horse", "abstain", now)
        ignored = ask(session, conversation, "who won the football match", "abstain", now)
        later = now + timedelta(days=30)
        for message, verdict, until in ((snoozed, Verdict.SNOOZED, later), (ignored, Verdict.IGNORED, None)):
            session.add(QuestionDecision(message_id=message, verdict=verdict, until=until, decided_at=now))
    with database.read() as session:
        assert open_questions(session, now) == []
        assert [each.message_id for each in open_questions(session, later)] == [snoozed]


def fake_encode(texts):
    """One axis per first word."""
    axes = {"where": 0, "who": 1}
    return np.stack([np.eye(3, dtype=np.float32)[axes.get(text.split()[0], 2)] for text in texts])


def test_questions_are_grouped_in_steps_and_encoded_once(database: Database, now, tmp_path):
    encoded: list[str] = []
    seen: list[tuple[int, int]] = []

    def encode(texts):
        encoded.extend(texts)
        return fake_encode(texts)

    def rest(_seconds: float) -> None:
        groups = read_groups(tmp_path)
        seen.append((groups.done, groups.total))

    with database.write() as session:
        conversation = talk(session, now)
        where = [ask(session, conversation, f"where is house {each}", "abstain", now) for each in "abcdefgh"]
        who = ask(session, conversation, "who are you really", "abstain", now)
    gatherer = Gatherer(database, tmp_path, encode, rest)
    first = gatherer.gather(now)
    again = gatherer.gather(now)

    assert [sorted(each) for each in first.groups] == [where, [who]]
    assert again == first == read_groups(tmp_path)
    assert len(encoded) == 9
    assert seen == [(0, 9), (8, 9)]


def test_vectors_of_an_erased_conversation_go_with_the_next_gathering(database: Database, now, tmp_path):
    with database.write() as session:
        first, second = talk(session, now), talk(session, now)
        ask(session, first, "where is my horse", "abstain", now)
        kept = ask(session, second, "who are you really", "abstain", now)
    gatherer = Gatherer(database, tmp_path, fake_encode, lambda _: None)
    gatherer.gather(now)
    with database.write() as session:
        session.delete(session.get_one(Conversation, first))
    groups = gatherer.gather(now)

    [file] = tmp_path.glob("vectors-*.npz")
    with np.load(file) as vectors:
        assert (groups.groups, len(vectors["keys"])) == ([[kept]], 1)
