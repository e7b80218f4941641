"""Notes of colleagues are found by the search as well.

Revision ID: notes_search
Revises: beside
"""

from alembic import op

revision = "notes_search"
down_revision = "alerts"
branch_labels = None
depends_on = None

ACCENTED = "àáâãäåāăąçćčďèéêëēėęěğìíîïīłñńňòóôõöøōőřśşšťùúûüūůűýÿžźż@._-/:"
PLAIN = "aaaaaaaaacccdeeeeeeeegiiiiilnnnoooooooorssstuuuuuuuyyzzz      "


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE notes_search USING fts5("
            "text, content='notes', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
        )
        op.execute(
            "CREATE TRIGGER notes_search_added AFTER INSERT ON notes BEGIN "
            "INSERT INTO notes_search(rowid, text) VALUES (new.id, new.text); END"
        )
        op.execute(
            "CREATE TRIGGER notes_search_deleted AFTER DELETE ON notes BEGIN "
            "INSERT INTO notes_search(notes_search, rowid, text) VALUES ('delete', old.id, old.text); END"
        )
        op.execute(
            "CREATE TRIGGER notes_search_changed AFTER UPDATE OF text ON notes BEGIN "
            "INSERT INTO notes_search(notes_search, rowid, text) VALUES ('delete', old.id, old.text); "
            "INSERT INTO notes_search(rowid, text) VALUES (new.id, new.text); END"
        )
        # What was written before this version.
        op.execute("INSERT INTO notes_search(notes_search) VALUES ('rebuild')")
    else:
        op.get_bind().exec_driver_sql(
            "ALTER TABLE notes ADD COLUMN search_words tsvector GENERATED ALWAYS AS "
            f"(to_tsvector('simple'::regconfig, translate(lower(text), '{ACCENTED}', '{PLAIN}'))) STORED"
        )
        op.execute("CREATE INDEX ix_notes_search_words ON notes USING gin (search_words)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("added", "deleted", "changed"):
            op.execute(f"DROP TRIGGER notes_search_{name}")
        op.execute("DROP TABLE notes_search")
    else:
        op.drop_column("notes", "search_words")
