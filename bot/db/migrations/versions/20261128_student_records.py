"""Corrections of a record with their history, requests to the school, leavers, steps at which somebody is stuck."""

import sqlalchemy as sa
from alembic import op

revision = "student_records"
down_revision = "told"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("last_step", sa.String(length=60), nullable=True))
    op.add_column("housing_applications", sa.Column("wishes", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("students", sa.Column("source_id", sa.String(length=80), nullable=True))
    op.add_column("students", sa.Column("left_on", sa.Date(), nullable=True))
    op.create_index("uq_students_source_id", "students", ["source_id"], unique=True)

    op.create_table(
        "fact_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.String(length=40), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_fact_changes_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_changes")),
    )
    op.create_index("ix_fact_changes_student", "fact_changes", ["student_id", "id"], unique=False)
    op.create_table(
        "fact_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.String(length=40), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_fact_requests_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_requests")),
    )
    op.create_index("ix_fact_requests_state", "fact_requests", ["state", "id"], unique=False)
    op.create_index(op.f("ix_fact_requests_student_id"), "fact_requests", ["student_id"], unique=False)
    op.create_table(
        "steps_stuck",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=60), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_steps_stuck_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps_stuck")),
        sa.UniqueConstraint("student_id", "step", name=op.f("uq_steps_stuck_student_id_step")),
    )


def downgrade() -> None:
    op.drop_table("steps_stuck")
    op.drop_index(op.f("ix_fact_requests_student_id"), table_name="fact_requests")
    op.drop_index("ix_fact_requests_state", table_name="fact_requests")
    op.drop_table("fact_requests")
    op.drop_index("ix_fact_changes_student", table_name="fact_changes")
    op.drop_table("fact_changes")
    op.drop_index("uq_students_source_id", table_name="students")
    op.drop_column("students", "left_on")
    op.drop_column("students", "source_id")
    op.drop_column("housing_applications", "wishes")
    op.drop_column("conversations", "last_step")
