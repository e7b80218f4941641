"""Access: second steps, one-time rights, where sessions came from, and the chain of the audit log.

Revision ID: access
Revises: upkeep
"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from bot.identity.chain import GENESIS, GUARDS, UNGUARDS, details_hash, entry_hash

revision = "access"
down_revision = "upkeep"
branch_labels = None
depends_on = None

NEW_COLUMNS = {
    "staff": (
        ("totp_secret", sa.String(length=300)),
        ("totp_since", sa.DateTime(timezone=True)),
        ("totp_step", sa.BigInteger()),
        ("oidc_subject", sa.String(length=300)),
    ),
    "audit_log": (
        ("position", sa.BigInteger()),
        ("salt", sa.String(length=32)),
        ("details_hash", sa.String(length=64)),
        ("previous", sa.String(length=64)),
        ("hash", sa.String(length=64)),
    ),
}


def upgrade() -> None:
    op.create_table(
        "staff_passes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_passes_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_passes")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_passes_token_hash")),
    )
    op.create_index(op.f("ix_staff_passes_staff_id"), "staff_passes", ["staff_id"], unique=False)
    op.create_table(
        "staff_recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_recovery_codes_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_recovery_codes")),
    )
    op.create_index(op.f("ix_staff_recovery_codes_staff_id"), "staff_recovery_codes", ["staff_id"], unique=False)
    for table, columns in NEW_COLUMNS.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    for name in ("browser", "address"):
        op.add_column("staff_sessions", sa.Column(name, sa.String(length=60), nullable=False, server_default=""))
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("purged", sa.BigInteger(), nullable=False),
        sa.Column("purged_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_index("ix_audit_log_position", "audit_log", ["position"], unique=True)
    _chain_what_is_there()
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def _chain_what_is_there() -> None:
    bind = op.get_bind()
    log = sa.table(
        "audit_log",
        sa.column("id", sa.Integer()),
        sa.column("at", sa.DateTime(timezone=True)),
        sa.column("staff_id", sa.Integer()),
        sa.column("action", sa.String()),
        sa.column("conversation_id", sa.Uuid()),
        sa.column("details", sa.JSON()),
        *(sa.column(name, kind) for name, kind in NEW_COLUMNS["audit_log"]),
    )
    position, previous = 0, GENESIS
    for row in bind.execute(sa.select(log).order_by(log.c.id)).all():
        position += 1
        salt = secrets.token_hex(16)
        hashed = details_hash(salt, row.details)
        at: datetime = row.at if row.at.tzinfo is not None else row.at.replace(tzinfo=UTC)
        own = entry_hash(previous, position, at, row.staff_id, row.action, row.conversation_id, hashed)
        values = {"position": position, "salt": salt, "details_hash": hashed, "previous": previous, "hash": own}
        bind.execute(sa.update(log).where(log.c.id == row.id).values(values))
        previous = own
    head = {"id": 1, "position": position, "hash": previous, "purged": 0, "purged_hash": GENESIS}
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in head]
    bind.execute(sa.insert(sa.table("audit_head", *columns)).values(head))


def downgrade() -> None:
    for statement in UNGUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_audit_log_position", table_name="audit_log")
    op.drop_table("audit_head")
    for name in ("address", "browser"):
        op.drop_column("staff_sessions", name)
    for table, columns in NEW_COLUMNS.items():
        for name, _kind in reversed(columns):
            op.drop_column(table, name)
    for table in ("staff_recovery_codes", "staff_passes"):
        op.drop_table(table)
