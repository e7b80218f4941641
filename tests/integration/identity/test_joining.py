"""A page and a messenger become one conversation, by a link that is confirmed where it was made."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.conversations.deeds import Context
from bot.conversations.messages import IncomingMessage
from bot.conversations.models import Address, Author, Conversation, Message, OutboxEntry
from bot.conversations.service import append, locked_conversation, open_conversation, receive_message
from bot.conversations.words import greeting
from bot.db.session import Database
from bot.identity.deeds import identity_deeds
from bot.identity.joining import (
    LINK_LIFE,
    LONGEST_NAME,
    Claim,
    Standing,
    claim,
    clean_name,
    confirm,
    issue,
    part_by_page,
    refuse,
    standing,
    words_of,
)
from bot.identity.models import AuditEntry, ChannelJoin, JoinState
from tests.factories import make_student, transcript
from tests.integration.identity.conftest import new_conversation

TELEGRAM = "telegram"
MINUTE = timedelta(minutes=1)
LEFT = (
    "This chat has left the conversation it had joined. What was said there stays there, and I know nothing of it here."
)
JOINED = (
    "This conversation now goes on in Telegram as well. I answer where you wrote last, and the page shows everything. "
    "To end that, send /unlink in Telegram."
)
PARTED = "Telegram has left this conversation. It goes on here."
ELSEWHERE = "This Telegram chat now goes on in another conversation."


class Desk:
    """Pages and chats of one database, at a time that the test may move."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.database, self.now = database, now

    def chat(self, external: str, language: str = "en") -> UUID:
        """Somebody has written to us on Telegram."""
        with self.database.write() as session:
            conversation, _ = open_conversation(
                session, language=language, language_chosen=False, greeting="Hi", channel=TELEGRAM, now=self.now
            )
            session.add(Address(channel=TELEGRAM, external=external, conversation_id=conversation.id))
            return conversation.id

    def link(self, page: UUID) -> str:
        with self.database.write() as session:
            return issue(session, locked_conversation(session, page), TELEGRAM, self.now)

    def open(self, token: str, external: str, name: str = "Ana") -> Claim:
        with self.database.write() as session:
            return claim(session, token, TELEGRAM, external, name, self.now)

    def seen(self, page: UUID) -> Standing:
        with self.database.read() as session:
            return standing(session, session.get_one(Conversation, page), TELEGRAM, self.now)

    def key(self, page: UUID) -> str:
        key = self.seen(page).key
        assert key is not None
        return key

    def yes(self, page: UUID, key: str) -> set[UUID]:
        with self.database.write() as session:
            return confirm(session, session.get_one(Conversation, page), TELEGRAM, key, self.now)

    def no(self, page: UUID, key: str) -> None:
        with self.database.write() as session:
            refuse(session, session.get_one(Conversation, page), TELEGRAM, key, self.now)

    def disconnect(self, page: UUID) -> set[UUID]:
        with self.database.write() as session:
            return part_by_page(session, session.get_one(Conversation, page), TELEGRAM, self.now)

    def unlink(self, conversation_id: UUID) -> str:
        """As the turn does it: the answer stands in the conversation it was asked in."""
        with self.database.write() as session:
            conversation = locked_conversation(session, conversation_id)
            answer = identity_deeds([]).effects["unlink"](Context(session, conversation, self.now), {})
            assert answer is not None
            append(session, conversation, Author.BOT, answer.text, now=self.now)
            return answer.text

    def join(self, page: UUID, external: str, name: str = "Ana") -> None:
        self.open(self.link(page), external, name)
        self.yes(page, self.key(page))

    def write(self, channel: str, conversation_id: UUID, text: str) -> None:
        with self.database.write() as session:
            incoming = IncomingMessage(channel, f"{channel}:{text}", text, None, self.now)
            receive_message(session, conversation_id, incoming, self.now)

    def answer(self, conversation_id: UUID, text: str) -> None:
        with self.database.write() as session:
            append(session, locked_conversation(session, conversation_id), Author.BOT, text, now=self.now)

    def leads_to(self, external: str) -> UUID | None:
        with self.database.read() as session:
            return session.scalar(select(Address.conversation_id).where(Address.external == external))

    def said(self, conversation_id: UUID) -> list[tuple[str, str]]:
        with self.database.read() as session:
            return transcript(session, conversation_id)

    def pushed(self, conversation_id: UUID) -> list[str]:
        """The texts that wait to be delivered on Telegram."""
        with self.database.read() as session:
            return list(
                session.scalars(
                    select(Message.text)
                    .join(OutboxEntry, OutboxEntry.conversation_id == Message.conversation_id)
                    .where(
                        OutboxEntry.channel == TELEGRAM,
                        OutboxEntry.conversation_id == conversation_id,
                        OutboxEntry.payload["seq"].as_integer() == Message.seq,
                    )
                    .order_by(Message.seq)
                )
            )

    def empty_outbox(self) -> None:
        with self.database.write() as session:
            for entry in session.scalars(select(OutboxEntry)):
                session.delete(entry)

    def audit(self) -> list[tuple[str, UUID | None, dict]]:
        with self.database.read() as session:
            entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(entry.action, entry.conversation_id, entry.details) for entry in entries]


@pytest.fixture
def desk(database, now) -> Desk:
    return Desk(database, now)


@pytest.fixture
def page(conversation) -> UUID:
    return conversation


def test_a_link_that_is_opened_and_confirmed_makes_one_conversation_of_both(desk, page):
    alone = desk.chat("7")
    token = desk.link(page)
    issued = desk.seen(page)

    opened = desk.open(token, "7", "Ana Silva (@ana)")
    asked = desk.seen(page)
    changed = desk.yes(page, asked.key)

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token)
    assert issued == Standing("issued", "", asked.key, desk.now + LINK_LIFE)
    assert opened == Claim.YOURS
    assert asked == Standing("claimed", "Ana Silva (@ana)", asked.key, desk.now + LINK_LIFE)
    assert changed == {page, alone}
    assert desk.seen(page) == Standing("joined", "Ana Silva (@ana)")
    assert desk.leads_to("7") == page
    assert desk.said(page)[-1] == ("system", JOINED)
    assert desk.said(alone) == [("bot", "Hi"), ("system", ELSEWHERE)]
    assert desk.audit() == [("join", page, {"channel": TELEGRAM})]


def test_only_a_hash_of_the_token_is_stored(desk, page):
    token = desk.link(page)

    with desk.database.read() as session:
        row = session.scalars(select(ChannelJoin)).one()
        assert token not in str(vars(row))
        assert len(row.token_hash) == 64


def test_opening_alone_joins_nothing(desk, page):
    alone = desk.chat("7")

    desk.open(desk.link(page), "7")

    assert desk.leads_to("7") == alone
    assert desk.said(page) == [("bot", "Hello")]


def test_answers_go_to_the_channel_used_last(desk, page):
    desk.chat("7")
    desk.join(page, "7")
    assert desk.pushed(page) == [JOINED]
    desk.empty_outbox()

    desk.write("web", page, "from the page")
    desk.answer(page, "read on the page")
    desk.write(TELEGRAM, page, "from the phone")
    desk.answer(page, "delivered to the phone")

    assert desk.pushed(page) == ["delivered to the phone"]
    assert [text for author, text in desk.said(page) if author == "bot"][-2:] == [
        "read on the page",
        "delivered to the phone",
    ]


def test_a_chat_that_never_wrote_to_us_is_joined_as_well(desk, page):
    desk.join(page, "7")

    assert desk.leads_to("7") == page


def test_a_chat_that_had_shut_us_out_is_open_again_once_it_joins(desk, page):
    desk.chat("7")
    with desk.database.write() as session:
        session.scalars(select(Address)).one().blocked_at = desk.now

    desk.join(page, "7")

    with desk.database.read() as session:
        assert session.scalars(select(Address)).one().blocked_at is None


def test_what_was_said_for_the_chat_before_is_still_delivered_to_it(desk, page):
    alone = desk.chat("7")
    desk.answer(alone, "an earlier answer")

    desk.join(page, "7")

    with desk.database.read() as session:
        rows = session.scalars(select(OutboxEntry).where(OutboxEntry.conversation_id == alone).order_by(OutboxEntry.id))
        assert [row.payload for row in rows] == [{"seq": 1, "to": "7"}, {"seq": 2, "to": "7"}]
    desk.answer(alone, "too late for the chat")
    assert desk.pushed(alone) == ["Hi", "an earlier answer"]


def test_a_link_passed_on_is_shown_under_the_other_name_and_no_joins_nobody(desk, page):
    stranger = desk.chat("666")
    token = desk.link(page)
    desk.open(token, "666", "Mallory")

    own = desk.open(token, "7", "Ana")
    asked = desk.seen(page)
    desk.no(page, asked.key)

    assert own == Claim.ANOTHERS
    assert (asked.step, asked.name) == ("claimed", "Mallory")
    assert desk.seen(page) == Standing("refused")
    assert desk.leads_to("666") == stranger
    assert desk.yes(page, asked.key) == set()
    desk.join(page, "7")
    assert desk.leads_to("7") == page


def test_the_same_chat_may_open_its_link_again_until_it_is_used(desk, page):
    token = desk.link(page)

    assert [desk.open(token, "7"), desk.open(token, "7")] == [Claim.YOURS, Claim.YOURS]
    desk.yes(page, desk.key(page))
    assert desk.open(token, "7") == Claim.OVER


@pytest.mark.parametrize("token", ["", "x", "nonsense" * 8, "é", "\x00"])
def test_an_unknown_token_is_nothing(desk, token):
    assert desk.open(token, "7") == Claim.UNKNOWN


def test_the_token_of_another_channel_is_unknown(desk, page):
    token = desk.link(page)

    with desk.database.write() as session:
        assert claim(session, token, "whatsapp", "7", "Ana", desk.now) == Claim.UNKNOWN


def test_a_new_link_voids_the_one_before_opened_or_not(desk, page):
    first = desk.link(page)
    second = desk.link(page)
    desk.open(second, "7")
    key = desk.key(page)
    third = desk.link(page)

    assert desk.open(first, "7") == Claim.UNKNOWN
    assert desk.open(second, "7") == Claim.UNKNOWN
    assert desk.yes(page, key) == set()
    assert desk.seen(page).step == "issued"
    assert desk.open(third, "7") == Claim.YOURS


def test_a_yes_to_the_account_shown_before_does_not_count_for_the_next_one(desk, page):
    desk.open(desk.link(page), "7", "Ana")
    shown = desk.key(page)
    desk.open(desk.link(page), "666", "Mallory")

    assert desk.yes(page, shown) == set()
    assert (desk.seen(page).step, desk.seen(page).name) == ("claimed", "Mallory")


@pytest.mark.parametrize(("late", "opened"), [(-timedelta(seconds=1), Claim.YOURS), (timedelta(), Claim.OVER)])
def test_a_link_can_be_opened_for_a_quarter_of_an_hour(desk, page, late, opened):
    token = desk.link(page)
    desk.now += LINK_LIFE + late

    assert desk.open(token, "7") == opened


def test_a_yes_after_the_time_joins_nothing(desk, page):
    alone = desk.chat("7")
    desk.open(desk.link(page), "7")
    key = desk.key(page)
    desk.now += LINK_LIFE

    assert desk.yes(page, key) == set()
    assert desk.seen(page) == Standing("over")
    assert desk.leads_to("7") == alone


def test_a_second_yes_changes_nothing(desk, page):
    desk.open(desk.link(page), "7")
    key = desk.key(page)
    desk.yes(page, key)
    said = desk.said(page)

    assert desk.yes(page, key) == set()
    assert desk.said(page) == said
    assert desk.seen(page).step == "joined"


def test_no_after_yes_changes_nothing(desk, page):
    desk.open(desk.link(page), "7")
    key = desk.key(page)
    desk.yes(page, key)

    desk.no(page, key)

    assert desk.seen(page).step == "joined"


def test_another_page_can_answer_neither_yes_nor_no(desk, page):
    other = new_conversation(desk.database, desk.now)
    desk.open(desk.link(page), "7")
    key = desk.key(page)

    desk.no(other, key)

    assert desk.yes(other, key) == set()
    assert desk.seen(page).step == "claimed"
    assert desk.seen(other) == Standing("none")


def test_a_yes_to_a_link_that_nobody_opened_joins_nothing(desk, page):
    desk.link(page)

    assert desk.yes(page, desk.key(page)) == set()
    assert desk.yes(page, "4711") == set()
    assert desk.seen(page).step == "issued"


def test_another_account_takes_the_place_of_the_one_before(desk, page):
    desk.join(page, "7", "Ana")
    desk.join(page, "8", "Ana at home")

    own = desk.leads_to("7")

    assert desk.leads_to("8") == page
    assert desk.seen(page) == Standing("joined", "Ana at home")
    assert own != page
    assert desk.said(own) == [("bot", f"{LEFT}\n\n{greeting('en')}")]


def test_a_chat_that_joins_a_second_page_leaves_the_first(desk, page):
    second = new_conversation(desk.database, desk.now)
    desk.join(page, "7")
    desk.join(second, "7")

    assert desk.leads_to("7") == second
    assert desk.seen(page) == Standing("none")
    assert desk.said(page)[-1] == ("system", ELSEWHERE)
    with desk.database.read() as session:
        assert session.get_one(Conversation, page).channel == "web"


def test_the_page_can_disconnect_telegram(desk, page):
    with desk.database.write() as session:
        session.get_one(Conversation, page).student_id = make_student(session, desk.now).id
    desk.join(page, "7")

    changed = desk.disconnect(page)

    own = desk.leads_to("7")
    assert changed == {page, own}
    assert own != page
    assert desk.said(page)[-1] == ("system", PARTED)
    assert desk.said(own) == [("bot", f"{LEFT}\n\n{greeting('en')}")]
    assert desk.pushed(own) == [f"{LEFT}\n\n{greeting('en')}"]
    assert desk.seen(page) == Standing("none")
    assert [action for action, *_ in desk.audit()] == ["join", "part"]
    with desk.database.read() as session:
        assert session.get_one(Conversation, page).student_id is not None
        assert session.get_one(Conversation, own).student_id is None
    assert desk.disconnect(page) == set()


def test_unlink_in_telegram_leaves_the_page_and_keeps_its_link_and_the_language(desk, page):
    with desk.database.write() as session:
        conversation = session.get_one(Conversation, page)
        conversation.student_id = make_student(session, desk.now).id
        conversation.language, conversation.language_chosen = "fr", True
    desk.join(page, "7")
    desk.write(TELEGRAM, page, "/unlink")
    desk.empty_outbox()

    answer = desk.unlink(page)

    own = desk.leads_to("7")
    assert desk.said(page)[-1] == ("bot", answer)
    assert desk.pushed(page) == []
    assert len(desk.pushed(own)) == 1
    with desk.database.read() as session:
        left, new = session.get_one(Conversation, page), session.get_one(Conversation, own)
        assert (left.student_id is None, left.channel) == (False, "web")
        assert (new.student_id, new.channel, new.language, new.language_chosen) == (None, TELEGRAM, "fr", True)


def test_unlink_on_the_page_forgets_the_record_and_leaves_telegram_joined(desk, page):
    with desk.database.write() as session:
        session.get_one(Conversation, page).student_id = make_student(session, desk.now).id
    desk.join(page, "7")
    desk.write("web", page, "/unlink")

    answer = desk.unlink(page)

    assert answer.startswith("This conversation is no longer linked to your record")
    assert desk.leads_to("7") == page
    assert desk.seen(page).step == "joined"


def test_unlink_in_a_chat_of_its_own_forgets_the_record(desk):
    alone = desk.chat("7")
    with desk.database.write() as session:
        session.get_one(Conversation, alone).student_id = make_student(session, desk.now).id

    answer = desk.unlink(alone)

    assert answer.startswith("This conversation is no longer linked to your record")
    assert desk.leads_to("7") == alone


def test_unlink_takes_back_somebody_elses_link_before_it_is_confirmed(desk, page):
    alone = desk.chat("7")
    with desk.database.write() as session:
        session.get_one(Conversation, alone).student_id = make_student(session, desk.now).id
    desk.open(desk.link(page), "7")
    key = desk.key(page)

    answer = desk.unlink(alone)

    assert answer == "The link is over, and nothing was joined."
    assert desk.yes(page, key) == set()
    assert desk.seen(page) == Standing("refused")
    with desk.database.read() as session:
        assert session.get_one(Conversation, alone).student_id is not None


def test_two_chats_that_open_a_link_at_once_make_one_claim(desk, page):
    token = desk.link(page)
    together = Barrier(2)

    def opened(external: str) -> Claim:
        together.wait()
        return desk.open(token, external, external)

    with ThreadPoolExecutor(2) as pool:
        results = dict(zip("78", pool.map(opened, "78"), strict=True))

    assert sorted(results.values()) == [Claim.ANOTHERS, Claim.YOURS]
    assert results[desk.seen(page).name] == Claim.YOURS


def test_two_answers_at_once_join_once(desk, page):
    desk.chat("7")
    desk.open(desk.link(page), "7")
    key = desk.key(page)
    together = Barrier(2)

    def answered(_each: int) -> set[UUID]:
        together.wait()
        return desk.yes(page, key)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(answered, range(2)))

    assert sorted(len(changed) for changed in results) == [0, 2]
    assert [text for _, text in desk.said(page)].count(JOINED) == 1


def test_two_links_made_at_once_leave_one(desk, page):
    together = Barrier(2)

    def made(_each: int) -> str:
        together.wait()
        return desk.link(page)

    with ThreadPoolExecutor(2) as pool:
        tokens = list(pool.map(made, range(2)))

    assert sorted(desk.open(token, "7") for token in tokens) == [Claim.UNKNOWN, Claim.YOURS]


def test_a_death_before_the_commit_leaves_the_claim_as_it_was(desk, page):
    alone = desk.chat("7")
    desk.open(desk.link(page), "7")
    key = desk.key(page)

    def killed() -> None:
        with desk.database.write() as session:
            confirm(session, session.get_one(Conversation, page), TELEGRAM, key, desk.now)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()

    assert desk.leads_to("7") == alone
    assert desk.seen(page).step == "claimed"
    assert desk.said(page) == [("bot", "Hello")]
    assert desk.yes(page, key) == {page, alone}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ana", "Ana"),
        ("  Ana \n Silva ", "Ana Silva"),
        ("\u202eanA\x00\ud800", "anA"),
        ("سارة", "سارة"),
        ("\u200b\u2066", ""),
        ("x" * 500, "x" * LONGEST_NAME),
    ],
)
def test_the_name_of_an_account_is_shown_without_what_cannot_be_seen(given, shown):
    assert clean_name(given) == shown


def test_a_chat_is_told_what_became_of_the_link():
    assert {each: words_of(each, "en").partition(".")[0] for each in Claim} == {
        Claim.UNKNOWN: "This link does not work",
        Claim.OVER: "This link is over",
        Claim.YOURS: "Go back to the page where you made this link and confirm there that it is you",
        Claim.ANOTHERS: "This link was opened in another account",
    }


def test_the_states_of_a_join_are_those_of_the_table():
    assert set(JoinState) == {"issued", "claimed", "joined", "refused"}
