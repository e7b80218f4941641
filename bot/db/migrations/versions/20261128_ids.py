"""A messenger's own numbers of a message, so that it can be changed or deleted there.

Revision ID: ids
Revises: beside
"""

import sqlalchemy as sa
from alembic import op

revision = "ids"
down_revision = "beside"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No default: what was said before has no numbers, and is told apart by that.
    op.add_column("messages", sa.Column("delivered", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "delivered")
