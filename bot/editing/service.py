"""Editions of topics: written, reviewed by a second person, published, taken back to an earlier one.

Every deed checks the role, the state and who did what before; transactions belong to the caller.
"""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.clock import day_in_france
from bot.content.check import Fault
from bot.content.loader import Knowledge, Texts
from bot.editing.models import Edition, EditionSave, Origin, State
from bot.editing.queries import (
    edition_of,
    files_of,
    gives_way,
    last_published,
    last_save,
    live_texts,
    newest_publication,
    open_edition,
    writers_of,
)
from bot.editing.rules import checked_again, faults_of, texts_hash
from bot.errors import AccueilError, InvalidField, NotAllowed, NotFound, VersionChanged
from bot.identity.audit import record
from bot.identity.models import Role, Staff

MAY_EDIT = frozenset({Role.EDITOR, Role.COORDINATOR, Role.ADMIN})
LONGEST_REMARK = 1000


class SavedMeanwhile(VersionChanged):
    """Somebody else saved this edition since it was opened. `colleague`, `at`, `number`: of the last save."""

    user_text = "{colleague} has saved this text meanwhile."


class PublishedMeanwhile(VersionChanged):
    """The live text is no longer the one that this edition started from."""

    user_text = "Another edition of this answer was published meanwhile."


class OwnWork(NotAllowed):
    user_text = "Whoever wrote a text does not review it. Ask a colleague."


class UnderWay(VersionChanged):
    """There is an open edition of the topic; it must be published or given up first."""

    user_text = "Somebody is working on this answer. Publish or give up that draft first."


class Faulty(AccueilError):
    """The text breaks rules; see `faults`."""

    code = "invalid_field"
    user_text = "The text cannot be published yet."

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__()
        self.faults = faults


class Editing:
    """One colleague at work on the answers, in one transaction. `procedures`: slugs that a topic may name."""

    def __init__(
        self, session: Session, knowledge: Knowledge, procedures: Collection[str], staff: Staff, now: datetime
    ) -> None:
        """Raises NotAllowed: this role reads only."""
        if staff.role not in MAY_EDIT:
            raise NotAllowed
        self._session, self._knowledge, self._procedures = session, knowledge, procedures
        self._staff, self._now = staff, now
        if session.get_bind().dialect.name == "postgresql":
            # Editing is rare and publishing must be in order: one at a time. Nobody who reads waits.
            session.execute(text("LOCK TABLE editions IN SHARE ROW EXCLUSIVE MODE"))

    def start(self, slug: str) -> Edition:
        """The open edition of a topic, or a new draft of what is live. Raises NotFound."""
        if (edition := open_edition(self._session, slug)) is not None:
            return edition
        return self._draft(slug, Origin.WRITTEN, self._live(slug))

    def save(self, edition_id: int, number: int, texts: Texts) -> Edition:
        """Keep what was written; `number` is the save that it was written on.

        Raises:
            SavedMeanwhile: somebody saved after that one.
            VersionChanged: it is no draft any more.
        """
        edition = self._in_state(edition_id, State.DRAFT)
        last = self._unchanged_since(edition, number)
        if dict(last.texts) != dict(texts):
            self._keep(edition, texts, number + 1)
            edition.author_id = self._staff.id
        return self._changed(edition)

    def submit(self, edition_id: int, number: int) -> Edition:
        """Ask for a review. Raises Faulty, SavedMeanwhile, VersionChanged."""
        edition = self._in_state(edition_id, State.DRAFT)
        self._without_fault(edition, self._unchanged_since(edition, number).texts)
        edition.state, edition.remark = State.REVIEW, ""
        self._record("edition_submitted", edition)
        return self._changed(edition)

    def publish(self, edition_id: int, number: int) -> Edition:
        """Let students read it. `number`: the save that the reviewer has seen.

        Raises:
            OwnWork: the reviewer wrote a part of it.
            PublishedMeanwhile: it would overwrite what somebody else published.
            Faulty: a rule is broken by now.
            SavedMeanwhile, VersionChanged: it is not what the reviewer saw.
        """
        edition = self._in_state(edition_id, State.REVIEW)
        save = self._unchanged_since(edition, number)
        if self._staff.id in writers_of(self._session, edition.id):
            raise OwnWork
        if texts_hash(self._live(edition.slug)) != edition.based_on:
            raise PublishedMeanwhile
        self._without_fault(edition, save.texts)
        edition.reviewer_id = self._staff.id
        return self._published(edition, "edition_published")

    def send_back(self, edition_id: int, remark: str) -> Edition:
        """From the review back to a draft, with what is to be done. Raises InvalidField, VersionChanged."""
        edition = self._in_state(edition_id, State.REVIEW)
        if not remark.strip() or len(remark) > LONGEST_REMARK:
            raise InvalidField("Say in up to 1000 characters what is to be done.", field="remark")
        edition.state, edition.remark = State.DRAFT, remark.strip()
        self._record("edition_sent_back", edition)
        return self._changed(edition)

    def take_back(self, edition_id: int) -> Edition:
        """From the review back to a draft, to go on writing. Raises VersionChanged."""
        edition = self._in_state(edition_id, State.REVIEW)
        edition.state = State.DRAFT
        self._record("edition_taken_back", edition)
        return self._changed(edition)

    def withdraw(self, edition_id: int) -> Edition:
        """Give a draft up; its text is kept. Raises VersionChanged."""
        edition = self._in_state(edition_id, State.DRAFT, State.REVIEW)
        edition.state = State.WITHDRAWN
        self._record("edition_withdrawn", edition)
        return self._changed(edition)

    def revive(self, edition_id: int) -> Edition:
        """A draft that was given up is a draft again. Raises UnderWay, VersionChanged."""
        edition = self._in_state(edition_id, State.WITHDRAWN)
        if open_edition(self._session, edition.slug) is not None:
            raise UnderWay
        edition.state = State.DRAFT
        self._record("edition_revived", edition)
        return self._changed(edition)

    def rebase(self, edition_id: int) -> Edition:
        """The writers have seen what is live now, and their text shall take its place. Raises VersionChanged."""
        edition = self._in_state(edition_id, State.DRAFT)
        edition.based_on = texts_hash(self._live(edition.slug))
        return self._changed(edition)

    def restore(self, edition_id: int) -> Edition:
        """Publish an earlier edition again, at once: students have read it before.

        Raises:
            VersionChanged: it was never published, or it is what students read now.
            Faulty: a rule is broken by now, say a figure that is gone.
        """
        earlier = self._in_state(edition_id, State.PUBLISHED)
        texts = last_save(self._session, earlier.id).texts
        if texts_hash(texts) == texts_hash(self._live(earlier.slug)):
            raise VersionChanged("Students read this edition already.")
        faults = faults_of(self._knowledge, earlier.slug, texts, self._procedures, self._today)
        # Out of date is what the way back may be: the answer says so itself.
        if serious := tuple(fault for fault in faults if fault.field != "valid_until"):
            raise Faulty(serious)
        edition = self._edition(earlier.slug, Origin.RESTORED, State.WITHDRAWN)
        edition.restores_id = earlier.id
        self._keep(edition, texts, 1)
        return self._published(edition, "edition_restored")

    def confirm(self, slug: str, valid_until: str) -> Edition:
        """All sources were read today and still say this: an edition with the new dates, for a second person.

        Raises:
            UnderWay: the topic has an open edition.
            InvalidField: the day is no day, or not after today.
            NotFound: there is no such topic.
        """
        if open_edition(self._session, slug) is not None:
            raise UnderWay
        if not _is_after(valid_until.strip(), self._today):
            raise InvalidField("Write a day after today, as 2027-01-31.", field="valid_until")
        texts = checked_again(self._live(slug), self._today, valid_until.strip())
        edition = self._draft(slug, Origin.CHECKED, texts)
        self._without_fault(edition, texts)
        edition.state = State.REVIEW
        self._record("edition_submitted", edition)
        return self._changed(edition)

    @property
    def _today(self) -> date:
        return day_in_france(self._now)

    def _live(self, slug: str) -> Texts:
        return live_texts(self._session, self._knowledge, slug)

    def _in_state(self, edition_id: int, *states: State) -> Edition:
        edition = edition_of(self._session, edition_id)
        if edition.slug not in self._knowledge.topics:
            raise NotFound("There is no such topic any more.")
        if edition.state not in states:
            raise VersionChanged("This edition has changed in the meantime; look at it again.")
        return edition

    def _unchanged_since(self, edition: Edition, number: int) -> EditionSave:
        last = last_save(self._session, edition.id)
        if last.number != number:
            writer = self._session.get(Staff, last.staff_id) if last.staff_id is not None else None
            raise SavedMeanwhile(colleague=writer.name if writer else "", at=last.saved_at, number=last.number)
        return last

    def _without_fault(self, edition: Edition, texts: Texts) -> None:
        if faults := faults_of(self._knowledge, edition.slug, texts, self._procedures, self._today):
            raise Faulty(faults)

    def _draft(self, slug: str, origin: Origin, texts: Texts) -> Edition:
        self._keep_live(slug)
        edition = self._edition(slug, origin, State.DRAFT)
        self._keep(edition, texts, 1)
        edition.author_id = self._staff.id
        return self._changed(edition)

    def _edition(self, slug: str, origin: Origin, state: State) -> Edition:
        edition = Edition(
            slug=slug,
            state=state,
            origin=origin,
            based_on=texts_hash(self._live(slug)),
            files_hash=texts_hash(files_of(self._knowledge, slug)),
            created_at=self._now,
            changed_at=self._now,
        )
        self._session.add(edition)
        self._session.flush()
        return edition

    def _keep_live(self, slug: str) -> None:
        """The text of the files becomes a part of the history before the first edition stands on top of it."""
        files, last = files_of(self._knowledge, slug), last_published(self._session, slug)
        if last is not None and not gives_way(last, files):
            return
        edition = self._edition(slug, Origin.FILES, State.WITHDRAWN)
        self._session.add(
            EditionSave(edition_id=edition.id, number=1, staff_id=None, texts=dict(files), saved_at=self._now)
        )
        edition.exported_at = self._now
        self._number(edition)

    def _keep(self, edition: Edition, texts: Texts, number: int) -> None:
        self._session.add(
            EditionSave(
                edition_id=edition.id, number=number, staff_id=self._staff.id, texts=dict(texts), saved_at=self._now
            )
        )
        self._session.flush()

    def _published(self, edition: Edition, action: str) -> Edition:
        edition.author_id = edition.author_id or self._staff.id
        edition.files_hash = texts_hash(files_of(self._knowledge, edition.slug))
        self._number(edition)
        self._record(action, edition)
        return self._changed(edition)

    def _number(self, edition: Edition) -> None:
        edition.publication = newest_publication(self._session) + 1
        edition.state, edition.published_at = State.PUBLISHED, self._now
        self._session.flush()

    def _changed(self, edition: Edition) -> Edition:
        edition.changed_at = self._now
        self._session.flush()
        return edition

    def _record(self, action: str, edition: Edition) -> None:
        record(self._session, action, staff_id=self._staff.id, now=self._now, topic=edition.slug, edition=edition.id)


def _is_after(day: str, today: date) -> bool:
    try:
        return date.fromisoformat(day) > today
    except ValueError:
        return False
