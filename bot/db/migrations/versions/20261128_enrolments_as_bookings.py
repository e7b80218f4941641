"""French classes of the first table become offers, bookings and placements.

The old rows knew the day of the first session and its hour, not how long it lasts nor when it ends: one meeting of an
hour stands for it until the office writes the real ones. Only the demo cast ever had such rows, so the offers say that
they are demo data.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "enrolments_as_bookings"
down_revision = "access_tokens"
branch_labels = None
depends_on = None

LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2")
Moment = sa.DateTime(timezone=True)

enrolments = sa.table(
    "course_enrolments",
    sa.column("id", sa.Integer()),
    sa.column("student_id", sa.Integer()),
    sa.column("level", sa.String()),
    sa.column("class_name", sa.String()),
    sa.column("weekday", sa.Integer()),
    sa.column("starts_at", sa.String()),
    sa.column("first_session", sa.Date()),
)
offers = sa.table(
    "offers",
    sa.column("id", sa.Integer()),
    sa.column("kind", sa.String()),
    sa.column("code", sa.String()),
    sa.column("title", sa.JSON()),
    sa.column("level", sa.String()),
    sa.column("is_demo", sa.Boolean()),
    sa.column("created_at", Moment),
    sa.column("updated_at", Moment),
)
meetings = sa.table(
    "meetings", sa.column("offer_id", sa.Integer()), sa.column("starts_at", Moment), sa.column("ends_at", Moment)
)
bookings = sa.table(
    "bookings",
    sa.column("offer_id", sa.Integer()),
    sa.column("student_id", sa.Integer()),
    sa.column("state", sa.String()),
    sa.column("created_at", Moment),
    sa.column("changed_at", Moment),
)
placements = sa.table(
    "placements",
    sa.column("student_id", sa.Integer()),
    sa.column("answers", sa.JSON()),
    sa.column("confirmed_level", sa.String()),
    sa.column("confirmed_at", Moment),
)


def upgrade() -> None:
    connection = op.get_bind()
    now = datetime.now(UTC)
    have_a_placement = set(connection.scalars(sa.select(placements.c.student_id)))
    made: dict[tuple[Any, ...], int] = {}
    for row in connection.execute(sa.select(enrolments).order_by(enrolments.c.id)).mappings().all():
        level = str(row["level"] or "")[:2].upper()
        if level in LEVELS and row["student_id"] not in have_a_placement:
            connection.execute(
                sa.insert(placements).values(
                    student_id=row["student_id"], answers=[], confirmed_level=level, confirmed_at=now
                )
            )
        if not row["class_name"]:
            continue
        same = (row["class_name"], level, row["starts_at"], row["first_session"])
        if same not in made:
            made[same] = _make_offer(connection, row, level, now)
        connection.execute(
            sa.insert(bookings).values(
                offer_id=made[same], student_id=row["student_id"], state="booked", created_at=now, changed_at=now
            )
        )
    op.drop_table("course_enrolments")


def _make_offer(connection: sa.Connection, row: sa.RowMapping, level: str, now: datetime) -> int:
    code = f"carried-over-{row['id']}"
    connection.execute(
        sa.insert(offers).values(
            kind="french_class",
            code=code,
            title={"en": row["class_name"]},
            level=level if level in LEVELS else None,
            is_demo=True,
            created_at=now,
            updated_at=now,
        )
    )
    offer_id = connection.execute(sa.select(offers.c.id).where(offers.c.code == code)).scalar_one()
    if row["first_session"] is not None:
        starts_at = _moment(row["first_session"], row["starts_at"])
        connection.execute(
            sa.insert(meetings).values(offer_id=offer_id, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
        )
    return int(offer_id)


def _moment(day: date, clock: str | None) -> datetime:
    try:
        at = time.fromisoformat(clock or "00:00")
    except ValueError:
        at = time()
    return datetime.combine(day, at, ZoneInfo("Europe/Paris")).astimezone(UTC)


def downgrade() -> None:
    """The empty table of before; bookings stay where they are."""
    op.create_table(
        "course_enrolments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=4), nullable=True),
        sa.Column("class_name", sa.String(length=80), nullable=True),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.String(length=5), nullable=True),
        sa.Column("first_session", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_course_enrolments_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_enrolments")),
        sa.UniqueConstraint("student_id", name=op.f("uq_course_enrolments_student_id")),
    )
