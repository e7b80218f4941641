"""The radar: what is counted of a week, and an index to count it by.

Revision ID: radar
Revises: editions
"""

import sqlalchemy as sa
from alembic import op

revision = "radar"
down_revision = "editions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "week_figures",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("week", "name", "key", name=op.f("pk_week_figures")),
    )
    op.create_index("ix_messages_created_at", "messages", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_messages_created_at", table_name="messages")
    op.drop_table("week_figures")
