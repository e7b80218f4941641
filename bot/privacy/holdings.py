"""What each table holds of a person, where it comes from and by which rule it is kept, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.i18n.translate import mark

SCHOOL = mark("from the school's information system")
SCHOOL_AND_STUDENT = mark("from the school's information system, and from what you told me")
STUDENT = mark("from what you told me")
CHAT = mark("from this chat")
OFFICE = mark("from the international office")
MADE_HERE = mark("made here, to serve you")


@dataclass(frozen=True)
class Holding:
    what: str
    comes_from: str
    rule: str
    """A name of bot.privacy.retention.RULES; "conversations" is the one that holds for this conversation."""


HOLDINGS: Mapping[str, Holding] = {
    "students": Holding(mark("Your record"), SCHOOL_AND_STUDENT, "leavers"),
    "housing_applications": Holding(mark("Your application for a room"), SCHOOL_AND_STUDENT, "leavers"),
    "fact_changes": Holding(mark("What was changed in your record"), SCHOOL_AND_STUDENT, "fact_changes"),
    "fact_requests": Holding(mark("What you asked the school to correct"), STUDENT, "fact_requests"),
    "steps_done": Holding(mark("Steps you have done"), STUDENT, "leavers"),
    "steps_stuck": Holding(mark("Steps you needed help with"), STUDENT, "leavers"),
    "placements": Holding(mark("Your level of French"), SCHOOL_AND_STUDENT, "leavers"),
    "certificate_requests": Holding(mark("Certificates you asked for"), STUDENT, "certificate_requests"),
    "bookings": Holding(mark("Your bookings"), STUDENT, "bookings"),
    "buddy_profiles": Holding(mark("What you told to find a buddy"), STUDENT, "leavers"),
    "buddy_rules": Holding(mark("Wishes of the office about your buddy"), OFFICE, "leavers"),
    "buddy_run_rows": Holding(mark("Proposals for a buddy"), MADE_HERE, "leavers"),
    "buddy_pairings": Holding(mark("Your buddy"), OFFICE, "leavers"),
    "buddy_check_ins": Holding(mark("How it goes with your buddy"), STUDENT, "leavers"),
    "buddy_alerts": Holding(mark("Marks for the office about your buddy"), MADE_HERE, "leavers"),
    "reminders": Holding(mark("Reminders"), MADE_HERE, "reminders"),
    "reminder_choices": Holding(mark("Reminders you do not want"), STUDENT, "leavers"),
    "campaign_members": Holding(mark("Campaigns of reminders you are part of"), OFFICE, "leavers"),
    "access_tokens": Holding(mark("Private addresses made for you"), MADE_HERE, "access_tokens"),
    "link_codes": Holding(mark("Codes sent to link a conversation"), MADE_HERE, "link_codes"),
    "channel_joins": Holding(mark("Links that join Telegram to your conversations"), MADE_HERE, "channel_joins"),
    "conversations": Holding(mark("Your conversations"), CHAT, "conversations"),
    "addresses": Holding(mark("Where your conversations can be reached"), CHAT, "conversations"),
    "messages": Holding(mark("Messages"), CHAT, "conversations"),
    "attachments": Holding(mark("Files you sent and were sent"), CHAT, "conversations"),
    "inbox": Holding(mark("Messages as they came in"), CHAT, "conversations"),
    "outbox": Holding(mark("Mails on their way to you"), MADE_HERE, "outbox"),
    "ratings": Holding(mark("What you thought of answers"), CHAT, "conversations"),
    "alerts": Holding(mark("Marks for the office in your conversations"), MADE_HERE, "conversations"),
    "conversation_tags": Holding(mark("Words by which the office sorts your conversations"), OFFICE, "conversations"),
    "notes": Holding(mark("Notes of the office about your conversations"), OFFICE, "conversations"),
    "note_mentions": Holding(mark("Which colleagues a note was for"), OFFICE, "conversations"),
    "tasks": Holding(mark("What the office promised you"), OFFICE, "conversations"),
    "message_changes": Holding(mark("Answers of the office before they were changed"), OFFICE, "conversations"),
    "question_decisions": Holding(mark("Marks for the office on your questions"), MADE_HERE, "conversations"),
    "desk_calls": Holding(mark("Which colleagues were called because you waited"), OFFICE, "conversations"),
    "cases": Holding(mark("Your requests for a person"), CHAT, "conversations"),
}
