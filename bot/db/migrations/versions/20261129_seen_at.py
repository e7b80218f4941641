"""When a colleague was last seen stands with the account: sessions are deleted, and tokens were never noted.

Revision ID: seen_at
Revises: danger_told
"""

import sqlalchemy as sa
from alembic import op

revision = "seen_at"
down_revision = "danger_told"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE staff SET seen_at = (SELECT max(seen_at) FROM staff_sessions WHERE staff_sessions.staff_id = staff.id)"
    )
    op.drop_column("staff_tokens", "used_at")


def downgrade() -> None:
    op.add_column("staff_tokens", sa.Column("used_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("staff", "seen_at")
