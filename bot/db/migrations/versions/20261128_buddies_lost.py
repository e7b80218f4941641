"""Whoever loses the other of a pair by an erasure is told by a note in the outbox, no longer by a mark on the profile."""

import sqlalchemy as sa
from alembic import op

revision = "buddies_lost"
down_revision = "buddies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("buddy_profiles", "has_pair")


def downgrade() -> None:
    op.add_column("buddy_profiles", sa.Column("has_pair", sa.Boolean(), nullable=False, server_default=sa.false()))
