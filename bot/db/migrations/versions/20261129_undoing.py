"""How a conversation was before a colleague's last deed, so that it can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "undoing"
down_revision = "promises"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("undoing", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("conversations", "undoing")
