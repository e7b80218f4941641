"""The inbox: full-text search over the transcripts, and the list of all conversations by their latest activity.

Revision ID: inbox
Revises: access
"""

from alembic import op

revision = "inbox"
down_revision = "access"
branch_labels = None
depends_on = None

ACCENTED = "àáâãäåāăąçćčďèéêëēėęěğìíîïīłñńňòóôõöøōőřśşšťùúûüūůűýÿžźż@._-/:"
PLAIN = "aaaaaaaaacccdeeeeeeeegiiiiilnnnoooooooorssstuuuuuuuyyzzz      "


def upgrade() -> None:
    op.create_index("ix_conversations_latest", "conversations", ["updated_at", "id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE messages_search USING fts5("
            "text, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
        )
        op.execute(
            "CREATE TRIGGER messages_search_added AFTER INSERT ON messages BEGIN "
            "INSERT INTO messages_search(rowid, text) VALUES (new.id, new.text); END"
        )
        op.execute(
            "CREATE TRIGGER messages_search_deleted AFTER DELETE ON messages BEGIN "
            "INSERT INTO messages_search(messages_search, rowid, text) VALUES ('delete', old.id, old.text); END"
        )
        op.execute(
            "CREATE TRIGGER messages_search_changed AFTER UPDATE OF text ON messages BEGIN "
            "INSERT INTO messages_search(messages_search, rowid, text) VALUES ('delete', old.id, old.text); "
            "INSERT INTO messages_search(rowid, text) VALUES (new.id, new.text); END"
        )
        # What was said before this version.
        op.execute("INSERT INTO messages_search(messages_search) VALUES ('rebuild')")
    else:
        op.get_bind().exec_driver_sql(
            "ALTER TABLE messages ADD COLUMN search_words tsvector GENERATED ALWAYS AS "
            f"(to_tsvector('simple'::regconfig, translate(lower(text), '{ACCENTED}', '{PLAIN}'))) STORED"
        )
        op.execute("CREATE INDEX ix_messages_search_words ON messages USING gin (search_words)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("added", "deleted", "changed"):
            op.execute(f"DROP TRIGGER messages_search_{name}")
        op.execute("DROP TABLE messages_search")
    else:
        op.drop_column("messages", "search_words")
    op.drop_index("ix_conversations_latest", table_name="conversations")
