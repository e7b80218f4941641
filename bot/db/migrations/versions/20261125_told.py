"""What a student told of their situation, kept with the conversation."""

import sqlalchemy as sa
from alembic import op

revision = "told"
down_revision = "first_tables"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("told", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("conversations", "told")
