"""Answers edited in the console: editions, their saved texts, and what students thought of answers.

Revision ID: editions
Revises: takeover
"""

import sqlalchemy as sa
from alembic import op

revision = "editions"
down_revision = "takeover"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "editions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("based_on", sa.String(length=64), nullable=False),
        sa.Column("files_hash", sa.String(length=64), nullable=False),
        sa.Column("publication", sa.Integer(), nullable=True),
        sa.Column("restores_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reviewer_id IS NULL OR reviewer_id <> author_id", name=op.f("ck_editions_reviewed_by_another")
        ),
        sa.CheckConstraint(
            "state <> 'published' OR origin IN ('files', 'restored') OR reviewer_id IS NOT NULL",
            name=op.f("ck_editions_reviewed_first"),
        ),
        sa.CheckConstraint(
            "(state = 'published') = (publication IS NOT NULL)", name=op.f("ck_editions_publication_iff_published")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_editions_author_id_staff")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["staff.id"], name=op.f("fk_editions_reviewer_id_staff")),
        sa.ForeignKeyConstraint(["restores_id"], ["editions.id"], name=op.f("fk_editions_restores_id_editions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint("publication", name=op.f("uq_editions_publication")),
    )
    op.create_index("ix_editions_slug", "editions", ["slug", "publication"], unique=False)
    is_open = sa.text("state IN ('draft', 'review')")
    op.create_index(
        "uq_editions_open", "editions", ["slug"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_table(
        "edition_saves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_edition_saves_edition_id_editions"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_edition_saves_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_saves")),
        sa.UniqueConstraint("edition_id", "number", name=op.f("uq_edition_saves_edition_id_number")),
    )
    op.create_table(
        "ratings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_ratings_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_ratings_message_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("conversation_id", "topic", name=op.f("uq_ratings_conversation_id_topic")),
    )
    op.create_index(op.f("ix_ratings_message_id"), "ratings", ["message_id"], unique=False)
    op.create_index("ix_ratings_topic", "ratings", ["topic", "created_at"], unique=False)


def downgrade() -> None:
    for table in ("ratings", "edition_saves", "editions"):
        op.drop_table(table)
