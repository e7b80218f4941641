"""Buddies: profiles, runs of the matcher, pairs of two records.

The old rows named a buddy in words, without a record of that person, so they cannot become pairs. Only the demo cast
ever had such rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "buddies"
down_revision = "enrolments_as_bookings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("buddy_pairings")
    op.create_table(
        "buddy_profiles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("campus", sa.String(length=20), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=True),
        sa.Column("leaves_on", sa.Date(), nullable=True),
        sa.Column("interests", sa.JSON(), nullable=False),
        sa.Column("own_words", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("gender", sa.String(length=10), nullable=False),
        sa.Column("same_gender", sa.Boolean(), nullable=False),
        sa.Column("same_field", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("contact", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("has_pair", sa.Boolean(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("capacity >= 1 AND capacity <= 5", name=op.f("ck_buddy_profiles_capacity")),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_buddy_profiles_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_profiles")),
        sa.UniqueConstraint("student_id", name=op.f("uq_buddy_profiles_student_id")),
    )
    op.create_table(
        "buddy_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("newcomer_id", sa.Integer(), nullable=False),
        sa.Column("buddy_id", sa.Integer(), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["buddy_id"], ["students.id"], name=op.f("fk_buddy_rules_buddy_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["newcomer_id"], ["students.id"], name=op.f("fk_buddy_rules_newcomer_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_buddy_rules_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_rules")),
        sa.UniqueConstraint("newcomer_id", "buddy_id", name=op.f("uq_buddy_rules_newcomer_id_buddy_id")),
    )
    op.create_index(op.f("ix_buddy_rules_buddy_id"), "buddy_rules", ["buddy_id"], unique=False)
    op.create_table(
        "buddy_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_buddy_runs_made_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_runs")),
    )
    op.create_table(
        "buddy_pairings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("newcomer_id", sa.Integer(), nullable=False),
        sa.Column("buddy_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("newcomer_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buddy_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("newcomer_reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buddy_reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("newcomer_said", sa.String(length=3), nullable=True),
        sa.Column("buddy_said", sa.String(length=3), nullable=True),
        sa.Column("newcomer_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buddy_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(
            ["buddy_id"], ["students.id"], name=op.f("fk_buddy_pairings_buddy_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["newcomer_id"], ["students.id"], name=op.f("fk_buddy_pairings_newcomer_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["buddy_runs.id"], name=op.f("fk_buddy_pairings_run_id_buddy_runs"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_pairings")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_buddy_pairings_buddy", "buddy_pairings", ["buddy_id", "state"], unique=False)
    op.create_index(op.f("ix_buddy_pairings_newcomer_id"), "buddy_pairings", ["newcomer_id"], unique=False)
    op.create_index(
        "uq_buddy_pairings_open",
        "buddy_pairings",
        ["newcomer_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('planned', 'proposed', 'accepted')"),
        postgresql_where=sa.text("state IN ('planned', 'proposed', 'accepted')"),
    )
    op.create_table(
        "buddy_run_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("newcomer_id", sa.Integer(), nullable=False),
        sa.Column("buddy_id", sa.Integer(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("why_none", sa.String(length=30), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["buddy_id"], ["students.id"], name=op.f("fk_buddy_run_rows_buddy_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["newcomer_id"], ["students.id"], name=op.f("fk_buddy_run_rows_newcomer_id_students"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["buddy_runs.id"], name=op.f("fk_buddy_run_rows_run_id_buddy_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_run_rows")),
        sa.UniqueConstraint("run_id", "newcomer_id", name=op.f("uq_buddy_run_rows_run_id_newcomer_id")),
    )
    op.create_index(op.f("ix_buddy_run_rows_buddy_id"), "buddy_run_rows", ["buddy_id"], unique=False)
    op.create_index(op.f("ix_buddy_run_rows_newcomer_id"), "buddy_run_rows", ["newcomer_id"], unique=False)
    op.create_table(
        "buddy_alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("pairing_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pairing_id"],
            ["buddy_pairings.id"],
            name=op.f("fk_buddy_alerts_pairing_id_buddy_pairings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["settled_by"], ["staff.id"], name=op.f("fk_buddy_alerts_settled_by_staff")),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_buddy_alerts_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_alerts")),
    )
    op.create_index("ix_buddy_alerts_open", "buddy_alerts", ["settled_at", "id"], unique=False)
    op.create_index(op.f("ix_buddy_alerts_pairing_id"), "buddy_alerts", ["pairing_id"], unique=False)
    op.create_index(op.f("ix_buddy_alerts_student_id"), "buddy_alerts", ["student_id"], unique=False)
    op.create_table(
        "buddy_check_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pairing_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["pairing_id"],
            ["buddy_pairings.id"],
            name=op.f("fk_buddy_check_ins_pairing_id_buddy_pairings"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_buddy_check_ins_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_check_ins")),
        sa.UniqueConstraint(
            "pairing_id", "student_id", "day", name=op.f("uq_buddy_check_ins_pairing_id_student_id_day")
        ),
    )
    op.create_index(op.f("ix_buddy_check_ins_student_id"), "buddy_check_ins", ["student_id"], unique=False)
    op.add_column("students", sa.Column("is_local", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """The empty table of before."""
    op.drop_column("students", "is_local")
    for table in (
        "buddy_check_ins",
        "buddy_alerts",
        "buddy_pairings",
        "buddy_run_rows",
        "buddy_runs",
        "buddy_rules",
        "buddy_profiles",
    ):
        op.drop_table(table)
    op.create_table(
        "buddy_pairings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("buddy_given_name", sa.String(length=80), nullable=True),
        sa.Column("buddy_languages", sa.String(length=80), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_buddy_pairings_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddy_pairings")),
        sa.UniqueConstraint("student_id", name=op.f("uq_buddy_pairings_student_id")),
    )
