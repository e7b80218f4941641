"""A danger is told by mail, once, whoever has the conversation.

Revision ID: danger_told
Revises: undoing
"""

import sqlalchemy as sa
from alembic import op

revision = "danger_told"
down_revision = "undoing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("alerts", "told_at")
