"""Questions that were decided about, phrases taken from them, retrainings.

Revision ID: upkeep
Revises: radar
"""

import sqlalchemy as sa
from alembic import op

revision = "upkeep"
down_revision = "radar"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phrase_assignments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("phrases", sa.JSON(), nullable=False),
        sa.Column("is_written", sa.Boolean(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_phrase_assignments_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phrase_assignments")),
    )
    op.create_table(
        "question_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assignment_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["phrase_assignments.id"],
            name=op.f("fk_question_decisions_assignment_id_phrase_assignments"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_question_decisions_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_question_decisions_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_decisions")),
        sa.UniqueConstraint("message_id", name=op.f("uq_question_decisions_message_id")),
    )
    op.create_index(op.f("ix_question_decisions_assignment_id"), "question_decisions", ["assignment_id"], unique=False)
    op.create_table(
        "retrainings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("progress", sa.String(length=200), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("former", sa.JSON(), nullable=True),
        sa.Column("trouble", sa.String(length=300), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_retrainings_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retrainings")),
    )
    op.create_index(
        "uq_retrainings_open",
        "retrainings",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("retrainings", "question_decisions", "phrase_assignments"):
        op.drop_table(table)
