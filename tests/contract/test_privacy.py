"""Every table says what erasing a person means for it, and the database lets it happen."""

import pytest
from sqlalchemy import Table

from bot.config import ROOT
from bot.db.base import Erasing
from bot.privacy.holdings import HOLDINGS
from bot.privacy.reach import personal_tables
from bot.privacy.retention import BY_NAME, RULES
from bot.tables import METADATA

TABLES = METADATA.sorted_tables
PERSONAL = {
    "access_tokens",
    "addresses",
    "alerts",
    "attachments",
    "bookings",
    "buddy_alerts",
    "buddy_check_ins",
    "buddy_pairings",
    "buddy_profiles",
    "buddy_rules",
    "buddy_run_rows",
    "campaign_members",
    "cases",
    "certificate_requests",
    "channel_joins",
    "conversation_tags",
    "conversations",
    "desk_calls",
    "fact_changes",
    "fact_requests",
    "housing_applications",
    "inbox",
    "link_codes",
    "message_changes",
    "messages",
    "note_mentions",
    "notes",
    "outbox",
    "placements",
    "question_decisions",
    "ratings",
    "reminder_choices",
    "reminders",
    "steps_done",
    "steps_stuck",
    "students",
    "tasks",
}
"""Tables with rows of a student; a new one is added here on purpose."""

every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def owners(table: Table) -> set[str]:
    """The tables that its foreign keys point at."""
    return {key.column.table.name for column in table.columns for key in column.foreign_keys}


@every_table
def test_it_says_what_erasing_means_and_why(table: Table) -> None:
    assert table.info.keys() == {"erasing", "why"}
    assert isinstance(table.info["erasing"], Erasing)
    assert len(table.info["why"].split()) >= 3


def test_the_tables_with_rows_of_a_student_are_known() -> None:
    assert {table.name for table in TABLES if table.info["erasing"] is Erasing.DELETE_ROWS} == PERSONAL


@every_table
def test_what_belongs_to_a_student_is_never_called_impersonal(table: Table) -> None:
    points_at_a_person = owners(table) & {"students", "conversations"} != set()

    assert not (points_at_a_person and table.info["erasing"] is Erasing.NOTHING)


@every_table
def test_rows_that_go_with_a_person_go_with_the_row_they_belong_to(table: Table) -> None:
    """A conversation outlives the student's record (its link is taken off); all else goes by the database itself."""
    left_behind = {
        f"{column.name} → {key.column.table.name}"
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name in ("students", "conversations")
        and table.info["erasing"] is Erasing.DELETE_ROWS
        and key.ondelete != "CASCADE"
    }

    assert left_behind == ({"student_id → students"} if table.name == "conversations" else set())


@every_table
def test_a_table_that_keeps_its_rows_has_no_text_of_a_student(table: Table) -> None:
    if table.info["erasing"] is Erasing.KEEP_WITHOUT_NAME:
        assert {column.name for column in table.columns} & {"text", "email", "given_name", "family_name"} == set()
    assert table.primary_key.columns.keys() != []


def test_a_student_is_told_of_every_table_what_it_holds_where_from_and_how_long() -> None:
    assert HOLDINGS.keys() == PERSONAL
    assert {holding.rule for holding in HOLDINGS.values()} - BY_NAME.keys() == {"conversations"}


@every_table
def test_every_row_that_goes_is_reached_from_a_student_or_a_conversation(table: Table) -> None:
    """By foreign keys, over however many tables; mails on their way are found by their address as well."""
    if table not in personal_tables() or table.name in ("students", "conversations"):
        return
    seen, more = set(), {table.name}
    while more:
        seen |= more
        more = {owner for name in more for owner in owners(METADATA.tables[name])} - seen

    assert seen & {"students", "conversations"} != set()


def test_the_page_on_privacy_has_the_rules_of_the_code() -> None:
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("| What | Kept |")
    rows = rest.partition("\n\n")[0].splitlines()[2:]

    assert rows == [f"| {rule.what} | {rule.words} |" for rule in RULES]
