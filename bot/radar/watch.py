"""The picture of who is stuck, worked out from the same paths that students see, kept for a minute."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, lazyload

from bot.clock import day_in_france
from bot.db.session import Database
from bot.log import get_logger
from bot.paperwork.models import StepDone, StepStuck
from bot.paperwork.rules import done_on, path
from bot.paperwork.schema import Procedure
from bot.radar.rules import Looked, Stuck, looked_at, stuck_at_steps
from bot.students.facts import FactsError
from bot.students.models import Student
from bot.students.records import facts_of

KEPT = timedelta(minutes=1)
PAGE = 500
"""Students of one read, so that no transaction is long."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Picture:
    """Everybody who is here, and where they are stuck, as it stood `at` an instant."""

    at: datetime
    students: tuple[Looked, ...]
    stuck: tuple[Stuck, ...]


@dataclass(frozen=True)
class _Known:
    """What decides on one student's path; as long as it is the same, so is the path of the day."""

    facts: Mapping[str, object]
    done: Mapping[str, date]
    asked: Mapping[str, date]
    created_on: date


Found = tuple[Looked, list[Stuck]]


class Watch:
    """One picture for all who look within a minute; the first of them works it out, the others wait for it.

    Of the next picture of a day only those students are worked out anew whose record or steps have changed.
    """

    def __init__(self, database: Database, procedures: Sequence[Procedure]) -> None:
        self._database = database
        self._procedures = procedures
        self._by_slug = {str(each.slug): each for each in procedures}
        self._lock = Lock()
        self._picture: Picture | None = None
        self._found: dict[int, tuple[_Known, Found | None]] = {}
        self._day: date | None = None

    def picture(self, now: datetime) -> Picture:
        """Raises Unavailable when the database cannot be reached."""
        with self._lock:
            if self._picture is None or not self._picture.at <= now < self._picture.at + KEPT:
                self._picture = self._taken(now)
            return self._picture

    def _taken(self, now: datetime) -> Picture:
        today = day_in_france(now)
        before = self._found if self._day == today else {}
        self._found, self._day = {}, today
        for session, page in pages(self._database, today):
            ids = [each.id for each in page]
            done, asked = _done(session, ids), _asked(session, ids)
            for each in page:
                known = _Known(each.facts, done[each.id], asked[each.id], day_in_france(each.created_at))
                earlier, found = before.get(each.id, (None, None))
                self._found[each.id] = (known, found if earlier == known else self._look(each, known, today))
        everybody = [found for _, found in self._found.values() if found is not None]
        return Picture(
            now, tuple(student for student, _ in everybody), tuple(each for _, stuck in everybody for each in stuck)
        )

    def _look(self, student: Student, known: _Known, today: date) -> Found | None:
        """None for a record that cannot be read."""
        try:
            facts = facts_of(student, dict(known.done))
        except FactsError:
            log.warning("record_not_readable", student_id=student.id)
            return None
        looked = looked_at(student.id, facts)
        # A step that is done is never stuck, and blocks no other one: it need not be worked out.
        pending = [each for each in self._procedures if done_on(each, facts, today) is None]
        steps = path(pending, facts, today)
        found = stuck_at_steps(looked, steps, self._by_slug, known.done, known.asked, known.created_on, today)
        return looked, found


def pages(database: Database, today: date) -> Iterator[tuple[Session, Sequence[Student]]]:
    """Students who have not left, some at a time, each page in a transaction of its own."""
    after = 0
    while True:
        with database.read() as session:
            found = session.scalars(
                select(Student)
                .options(lazyload(Student.housing))
                .where(Student.id > after, Student.is_local.is_(False))
                .where(or_(Student.left_on.is_(None), Student.left_on > today))
                .order_by(Student.id)
                .limit(PAGE)
            ).all()
            if not found:
                return
            after = found[-1].id
            yield session, found


def _done(session: Session, student_ids: Sequence[int]) -> dict[int, dict[str, date]]:
    found: dict[int, dict[str, date]] = defaultdict(dict)
    rows = select(StepDone.student_id, StepDone.step, StepDone.done_on).where(StepDone.student_id.in_(student_ids))
    for student_id, step, day in session.execute(rows):
        found[student_id][step] = day
    return found


def _asked(session: Session, student_ids: Sequence[int]) -> dict[int, dict[str, date]]:
    found: dict[int, dict[str, date]] = defaultdict(dict)
    rows = select(StepStuck.student_id, StepStuck.step, StepStuck.since).where(StepStuck.student_id.in_(student_ids))
    for student_id, step, since in session.execute(rows):
        found[student_id][step] = day_in_france(since)
    return found
