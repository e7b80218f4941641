"""Calls to the desk: browsers that show messages, the wait after which a mail is sent, who was told of what.

Revision ID: alerts
Revises: ids
"""

import sqlalchemy as sa
from alembic import op

revision = "alerts"
down_revision = "ids"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("mail_after", sa.Integer(), nullable=True))
    op.create_table(
        "push_browsers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("endpoint", sa.String(length=1000), nullable=False),
        sa.Column("endpoint_hash", sa.String(length=64), nullable=False),
        sa.Column("p256dh", sa.String(length=100), nullable=False),
        sa.Column("auth", sa.String(length=40), nullable=False),
        sa.Column("browser", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_push_browsers_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["staff_sessions.id"],
            name=op.f("fk_push_browsers_session_id_staff_sessions"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_browsers")),
        sa.UniqueConstraint("endpoint_hash", name=op.f("uq_push_browsers_endpoint_hash")),
    )
    op.create_index(op.f("ix_push_browsers_staff_id"), "push_browsers", ["staff_id"])
    op.create_index(op.f("ix_push_browsers_session_id"), "push_browsers", ["session_id"])
    op.create_table(
        "desk_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_desk_calls_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_desk_calls_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_calls")),
        sa.UniqueConstraint(
            "conversation_id", "staff_id", "kind", name=op.f("uq_desk_calls_conversation_id_staff_id_kind")
        ),
    )
    op.create_index(op.f("ix_desk_calls_staff_id"), "desk_calls", ["staff_id"])


def downgrade() -> None:
    op.drop_table("desk_calls")
    op.drop_table("push_browsers")
    op.drop_column("staff", "mail_after")
