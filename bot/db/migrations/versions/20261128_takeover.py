"""The takeover: desks and who works there, notes, promises, tags, snoozing, changed messages.

Revision ID: takeover
Revises: messengers
"""

import sqlalchemy as sa
from alembic import op

revision = "takeover"
down_revision = "messengers"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
INDEXES = [
    ("ix_conversations_answer_due_at", "conversations", ["answer_due_at"]),
    ("ix_conversations_snoozed_until", "conversations", ["snoozed_until"]),
    ("ix_messages_change", "messages", ["conversation_id", "change"]),
    ("ix_cases_waits", "cases", ["desk", "claimed_at"]),
]


def _columns() -> dict[str, list[sa.Column[object]]]:
    """Made anew each time: a column belongs to one table for good."""
    return {
        "conversations": [
            sa.Column("desk", sa.String(length=60), nullable=True),
            sa.Column("snoozed_until", INSTANT, nullable=True),
            sa.Column("outcome", sa.String(length=20), nullable=True),
            sa.Column("changes", sa.Integer(), server_default="0", nullable=False),
            sa.Column("answer_due_at", INSTANT, nullable=True),
            sa.Column("answer_mailed", sa.Boolean(), server_default=sa.false(), nullable=False),
        ],
        "messages": [
            sa.Column("staff_id", sa.Integer(), nullable=True),
            sa.Column("change", sa.Integer(), nullable=True),
            sa.Column("edited_at", INSTANT, nullable=True),
            sa.Column("deleted_at", INSTANT, nullable=True),
        ],
        "cases": [
            sa.Column("desk", sa.String(length=60), nullable=True),
            sa.Column("escalated_at", INSTANT, nullable=True),
        ],
    }


def _of_conversation(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f(f"fk_{table}_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _staff(table: str, column: str, ondelete: str | None = None) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint([column], ["staff.id"], name=op.f(f"fk_{table}_{column}_staff"), ondelete=ondelete),
    ]


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    for name, table, indexed in INDEXES:
        op.create_index(name, table, indexed, unique=False)
    op.create_table(
        "desk_members",
        sa.Column("id", sa.Integer(), nullable=False),
        *_staff("desk_members", "staff_id", "CASCADE"),
        sa.Column("desk", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_members")),
        sa.UniqueConstraint("staff_id", "desk", name=op.f("uq_desk_members_staff_id_desk")),
    )
    op.create_index(op.f("ix_desk_members_desk"), "desk_members", ["desk"], unique=False)
    op.create_table(
        "notes",
        *_of_conversation("notes"),
        *_staff("notes", "staff_id"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index(op.f("ix_notes_conversation_id"), "notes", ["conversation_id"], unique=False)
    op.create_table(
        "note_mentions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("note_id", sa.Integer(), nullable=False),
        *_staff("note_mentions", "staff_id"),
        sa.Column("seen_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name=op.f("fk_note_mentions_note_id_notes"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note_mentions")),
        sa.UniqueConstraint("note_id", "staff_id", name=op.f("uq_note_mentions_note_id_staff_id")),
    )
    op.create_index(op.f("ix_note_mentions_staff_id"), "note_mentions", ["staff_id"], unique=False)
    op.create_table(
        "tasks",
        *_of_conversation("tasks"),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        *_staff("tasks", "owner_id"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
    )
    op.create_index(op.f("ix_tasks_conversation_id"), "tasks", ["conversation_id"], unique=False)
    op.create_index("ix_tasks_open", "tasks", ["done_at", "due"], unique=False)
    op.create_table(
        "conversation_tags",
        *_of_conversation("conversation_tags"),
        sa.Column("tag", sa.String(length=30), nullable=False),
        sa.UniqueConstraint("conversation_id", "tag", name=op.f("uq_conversation_tags_conversation_id_tag")),
    )
    op.create_index(op.f("ix_conversation_tags_tag"), "conversation_tags", ["tag"], unique=False)
    op.create_table(
        "message_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_changes_message_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_changes")),
    )
    op.create_index(op.f("ix_message_changes_message_id"), "message_changes", ["message_id"], unique=False)


def downgrade() -> None:
    for table in ("message_changes", "conversation_tags", "tasks", "note_mentions", "notes", "desk_members"):
        op.drop_table(table)
    for name, table, _indexed in INDEXES:
        op.drop_index(name, table_name=table)
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
