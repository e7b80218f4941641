"""A promise whose day has come is told by mail, once.

Revision ID: promises
Revises: rated_at
"""

import sqlalchemy as sa
from alembic import op

revision = "promises"
down_revision = "rated_at"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("tasks", "told_at")
