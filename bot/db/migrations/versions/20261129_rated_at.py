"""How fast somebody writes is counted by when they sent it, not by when we came to take it in.

Revision ID: rated_at
Revises: notes_search
"""

import sqlalchemy as sa
from alembic import op

revision = "rated_at"
down_revision = "notes_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("inbox") as inbox:
        inbox.add_column(sa.Column("rated_at", sa.DateTime(timezone=True), nullable=True))
        inbox.create_index("ix_inbox_rated_at", ["conversation_id", "rated_at"])


def downgrade() -> None:
    with op.batch_alter_table("inbox") as inbox:
        inbox.drop_index("ix_inbox_rated_at")
        inbox.drop_column("rated_at")
