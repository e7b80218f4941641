"""Links made, opened, passed on, confirmed, refused and left in any order: a chat is where its own student put it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from bot.conversations.models import Address, Conversation, Message
from bot.conversations.service import locked_conversation
from bot.db.session import Database
from bot.identity.joining import (
    LINK_LIFE,
    Claim,
    claim,
    confirm,
    issue,
    part_by_chat,
    part_by_page,
    refuse,
    standing,
)
from bot.tables import METADATA
from tests.factories import make_conversation

TELEGRAM = "telegram"
PAGES, CHATS = st.integers(0, 1), st.integers(0, 2)
RECENT = st.sampled_from([0, 0, 0, 1, 2])
"""How many links ago."""
FROM_ELSEWHERE = st.sampled_from([False, False, False, True])


@dataclass
class Link:
    page: int
    token: str
    key: str
    expires_at: datetime
    state: str = "issued"
    chat: int | None = None


class Joining(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.database = Database("sqlite://")
        METADATA.create_all(self.database.engine.execution_options(writes=True))
        self.now = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
        self.links: list[Link] = []
        self.at: dict[int, int | None] = {0: None, 1: None, 2: None}
        with self.database.write() as session:
            self.pages = [make_conversation(session, self.now).id for _ in range(2)]
            for chat in range(3):
                own = make_conversation(session, self.now)
                own.channel = TELEGRAM
                session.add(Address(channel=TELEGRAM, external=str(chat), conversation_id=own.id))

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()

    def is_open(self, link: Link) -> bool:
        return link.state in ("issued", "claimed") and link.expires_at > self.now

    def link(self, ago: int) -> Link:
        return self.links[-1 - ago % len(self.links)]

    @rule(page=PAGES)
    def a_page_makes_a_link(self, page):
        for link in self.links:
            if link.page == page and link.state != "joined":
                link.state = "void"
        with self.database.write() as session:
            conversation = locked_conversation(session, self.pages[page])
            token = issue(session, conversation, TELEGRAM, self.now)
            key = standing(session, conversation, TELEGRAM, self.now).key
        self.links.append(Link(page, token, key or "", self.now + LINK_LIFE))

    @precondition(lambda self: self.links)
    @rule(chat=CHATS, ago=RECENT)
    def a_chat_opens_a_link(self, chat, ago):
        link = self.link(ago)
        with self.database.write() as session:
            opened = claim(session, link.token, TELEGRAM, str(chat), f"Chat {chat}", self.now)
        if link.state == "void":
            wanted = Claim.UNKNOWN
        elif not self.is_open(link):
            wanted = Claim.OVER
        elif link.state == "issued":
            wanted, link.state, link.chat = Claim.YOURS, "claimed", chat
        else:
            wanted = Claim.YOURS if link.chat == chat else Claim.ANOTHERS
        assert opened == wanted

    @precondition(lambda self: self.links)
    @rule(ago=RECENT, elsewhere=FROM_ELSEWHERE)
    def a_page_says_yes(self, ago, elsewhere):
        link = self.link(ago)
        page = 1 - link.page if elsewhere else link.page
        is_asked = link.page == page and link.state == "claimed" and self.is_open(link)
        with self.database.write() as session:
            conversation = session.get_one(Conversation, self.pages[page])
            changed = confirm(session, conversation, TELEGRAM, link.key, self.now)
        assert bool(changed) == is_asked
        if is_asked:
            self.leave(page)
            self.at[link.chat], link.state = page, "joined"

    @precondition(lambda self: self.links)
    @rule(ago=RECENT, elsewhere=FROM_ELSEWHERE)
    def a_page_says_no(self, ago, elsewhere):
        link = self.link(ago)
        page = 1 - link.page if elsewhere else link.page
        with self.database.write() as session:
            refuse(session, session.get_one(Conversation, self.pages[page]), TELEGRAM, link.key, self.now)
        if link.page == page and link.state == "claimed" and self.is_open(link):
            link.state = "refused"

    @rule(page=PAGES, chat=CHATS)
    def a_student_joins(self, page, chat):
        """The whole way at once, since chance alone seldom finds it."""
        self.a_page_makes_a_link(page)
        self.a_chat_opens_a_link(chat, 0)
        self.a_page_says_yes(0, False)
        assert self.at[chat] == page

    @rule(page=PAGES)
    def a_page_disconnects(self, page):
        with self.database.write() as session:
            changed = part_by_page(session, session.get_one(Conversation, self.pages[page]), TELEGRAM, self.now)
        assert bool(changed) == (page in self.at.values())
        self.leave(page)

    @rule(chat=CHATS)
    def a_chat_sends_unlink(self, chat):
        with self.database.write() as session:
            conversation = locked_conversation(session, self.leads_to(session, chat))
            conversation.channel = TELEGRAM
            answer = part_by_chat(session, conversation, self.now)
        opened = [link for link in self.links if link.chat == chat and link.state == "claimed" and self.is_open(link)]
        assert (answer is not None) == bool(opened or self.at[chat] is not None)
        for link in opened:
            link.state = "refused"
        if not opened:
            self.at[chat] = None

    @rule(minutes=st.sampled_from([1, 5, 15]))
    def time_passes(self, minutes):
        self.now += timedelta(minutes=minutes)

    def leave(self, page: int) -> None:
        self.at = {chat: None if where == page else where for chat, where in self.at.items()}

    def leads_to(self, session, chat: int) -> UUID:
        return session.scalars(select(Address.conversation_id).where(Address.external == str(chat))).one()

    def shown(self, page: int) -> str:
        last = next((link for link in reversed(self.links) if link.page == page and link.state != "joined"), None)
        if last is not None and self.is_open(last):
            return last.state
        if page in self.at.values():
            return "joined"
        if last is None or last.state == "void":
            return "none"
        return "refused" if last.state == "refused" else "over"

    @invariant()
    def every_chat_is_where_it_was_put(self):
        if not hasattr(self, "database"):
            return
        with self.database.read() as session:
            for chat, page in self.at.items():
                found = self.leads_to(session, chat)
                assert found == self.pages[page] if page is not None else found not in self.pages
            assert session.scalar(select(func.count()).select_from(Address)) == 3

    @invariant()
    def every_page_shows_what_holds(self):
        if not hasattr(self, "database"):
            return
        with self.database.read() as session:
            for page, conversation_id in enumerate(self.pages):
                conversation = session.get_one(Conversation, conversation_id)
                assert standing(session, conversation, TELEGRAM, self.now).step == self.shown(page)

    @invariant()
    def no_message_is_missing_from_a_conversation(self):
        if not hasattr(self, "database"):
            return
        with self.database.read() as session:
            for conversation in session.scalars(select(Conversation)):
                seqs = session.scalars(
                    select(Message.seq).where(Message.conversation_id == conversation.id).order_by(Message.seq)
                ).all()
                assert seqs == list(range(1, conversation.last_seq + 1))


Joining.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestJoining = Joining.TestCase
