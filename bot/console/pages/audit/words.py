"""What the log says in words: the action of an entry, and its details."""

from collections.abc import Mapping
from typing import Any

from bot.console.html import ROLES
from bot.console.pages.desk.words import ENDINGS
from bot.console.pages.radar.words import FILTERS, group_words
from bot.console.words import one_after_another
from bot.handoff.models import Outcome
from bot.i18n.translate import mark, say
from bot.identity.models import Role
from bot.radar.rules import By
from bot.students.labels import FACT_NAMES, fact_name

ACTIONS: Mapping[str, str] = {
    "absent": mark("put a conversation back into the queue: its colleague was away"),
    "add_offer": mark("added a class, an appointment or an event"),
    "add_reply": mark("wrote a canned reply"),
    "buddies_imported": mark("imported the list of buddies"),
    "buddies_nobody": mark("ended a pair; no other buddy was found"),
    "buddies_published": mark("published buddy pairs"),
    "buddies_rematched": mark("ended a pair and asked another buddy"),
    "buddies_rule": mark("said who shall or shall not be paired"),
    "buddies_run": mark("had buddy pairs proposed"),
    "buddies_settled": mark("settled an alert about a pair"),
    "buddies_undone": mark("took published buddy pairs back"),
    "campaign_started": mark("started a campaign of reminders"),
    "campaign_undone": mark("took a campaign of reminders back"),
    "cancel_offer": mark("cancelled a class, an appointment or an event"),
    "certificate_made": mark("marked a certificate as made"),
    "change_offer": mark("changed a class, an appointment or an event"),
    "change_reply": mark("changed a canned reply"),
    "claim": mark("took over a conversation"),
    "close": mark("ended a conversation"),
    "confirm_level": mark("confirmed a level of French"),
    "delete_reply": mark("deleted a canned reply"),
    "desk_joined": mark("joined a desk"),
    "desk_left": mark("left a desk"),
    "details_emptied": mark("details of entries were emptied"),
    "edition_exported": mark("wrote an answer to the files"),
    "edition_published": mark("published an answer"),
    "edition_restored": mark("published an earlier answer again"),
    "edition_revived": mark("made a given up answer a draft again"),
    "edition_sent_back": mark("sent an answer back to its writer"),
    "edition_submitted": mark("sent an answer to review"),
    "edition_taken_back": mark("took an answer back from review"),
    "edition_withdrawn": mark("gave the draft of an answer up"),
    "erase": mark("erased personal data"),
    "export": mark("exported personal data"),
    "fact_request_decided": mark("decided about a correction of a record"),
    "file_exported": mark("took a file away"),
    "join": mark("a conversation was joined to a person's other ones"),
    "link": mark("linked a conversation to a record"),
    "log_exported": mark("took the log away as a table"),
    "log_purged": mark("old entries of the log were deleted"),
    "mail_after_set": mark("chose when mails about waiting students come"),
    "message_deleted": mark("deleted a message"),
    "message_edited": mark("changed a message"),
    "model_discarded": mark("threw a new model away"),
    "model_switched": mark("put a new model in use"),
    "model_taken_back": mark("put the model before in use again"),
    "note": mark("wrote a note"),
    "note_deleted": mark("deleted a note"),
    "part": mark("a conversation was parted from a person's other ones"),
    "password_set": mark("set a password"),
    "phrases_assigned": mark("gave phrases to a topic"),
    "phrases_taken_back": mark("took phrases back from a topic"),
    "provider_bound": mark("bound an account to the sign-in of the school"),
    "push_off": mark("switched messages of a browser off"),
    "push_on": mark("switched messages of a browser on"),
    "questions_ignored": mark("laid questions aside"),
    "questions_reopened": mark("took questions up again"),
    "questions_snoozed": mark("put questions off"),
    "radar_list": mark("looked at names on the radar"),
    "read": mark("read a conversation"),
    "read_file": mark("opened a file"),
    "recovery_code_used": mark("signed in with a recovery code"),
    "recovery_codes_made": mark("had new recovery codes made"),
    "release": mark("gave a conversation back to the assistant"),
    "reset_link_made": mark("sent a link for a new password"),
    "restore_reply": mark("brought a canned reply back"),
    "retraining_asked": mark("asked for a new training"),
    "role_set": mark("changed a role"),
    "search": mark("searched the conversations"),
    "second_step_off": mark("switched a second step of the sign-in off"),
    "second_step_on": mark("switched the second step of the sign-in on"),
    "send_file": mark("sent a file"),
    "session_ended": mark("ended a session"),
    "sessions_ended": mark("ended all sessions of an account"),
    "sign_in": mark("signed in"),
    "sign_out": mark("signed out"),
    "snooze": mark("put a conversation off"),
    "staff_created": mark("added an account"),
    "staff_disabled": mark("disabled an account"),
    "staff_enabled": mark("enabled an account again"),
    "students_imported": mark("imported the list of students"),
    "tags": mark("changed the tags of a conversation"),
    "task": mark("wrote a task"),
    "task_done": mark("did a task"),
    "task_undone": mark("opened a task again"),
    "token_made": mark("made a token for a program"),
    "transfer": mark("handed a conversation over"),
    "undo": mark("undid an end, a give-back or a hand-over"),
    "unlink": mark("parted a conversation from its record"),
    "wake": mark("took up a conversation that was put off"),
}
"""Every action that is recorded (tests/contract/test_audit_words.py)."""

DETAILS: Mapping[str, str] = {
    "accepted": mark("accepted"),
    "account": mark("account"),
    "alert": mark("alert"),
    "attachment": mark("file"),
    "before": mark("before"),
    "buddy_id": mark("buddy"),
    "campaign_id": mark("campaign"),
    "changed": mark("changed"),
    "channel": mark("channel"),
    "count": mark("number"),
    "counts": mark("lines"),
    "desk": mark("desk"),
    "edition": mark("text"),
    "erased": mark("erased"),
    "fact": mark("fact"),
    "fields": mark("changed"),
    "file": mark("file"),
    "found": mark("found"),
    "groups": mark("chosen"),
    "hash": mark("hash"),
    "is_wanted": mark("wanted"),
    "label": mark("topic"),
    "left": mark("no longer in the list"),
    "left_out": mark("left out"),
    "members": mark("students"),
    "minutes": mark("minutes"),
    "new": mark("new"),
    "newcomer_id": mark("newcomer"),
    "of": mark("of"),
    "offer": mark("code"),
    "pairs": mark("pairs"),
    "places": mark("places"),
    "reason": mark("reason"),
    "refused": mark("refused"),
    "reply": mark("reply"),
    "request": mark("request"),
    "retraining": mark("training"),
    "role": mark("role"),
    "run": mark("proposal"),
    "seq": mark("message"),
    "step": mark("step"),
    "student_id": mark("student"),
    "task": mark("task"),
    "through": mark("up to place"),
    "to": mark("to"),
    "told": mark("told"),
    "topic": mark("topic"),
    "unchanged": mark("unchanged"),
}
FIELDS: Mapping[str, str] = {
    "campus": mark("Campus"),
    "host": mark("With whom"),
    "kind": mark("Kind"),
    "level": mark("Level, of a French class"),
    "meetings": mark("Meetings"),
    "places": mark("Places"),
    "room": mark("Room"),
    "service": mark("Service, of an appointment"),
    "title": mark("Title"),
}
"""Of a class, an appointment or an event."""
LONGEST = 300


def action_words(action: str, language: str) -> str:
    return say(language, ACTIONS[action]) if action in ACTIONS else action


def details_words(details: Mapping[str, Any], names: Mapping[str, str], language: str) -> str:
    """`names`: accounts by number ("account 3"), steps and topics by slug ("step visa")."""
    parts = (
        say(language, "{name}: {value}", name=_key(key, language), value=_value(key, value, names, language))
        for key, value in details.items()
        if value not in ({}, [], None)
    )
    return one_after_another(parts, language)[:LONGEST]


def _key(key: str, language: str) -> str:
    return say(language, DETAILS[key]) if key in DETAILS else key


def _value(key: str, value: Any, names: Mapping[str, str], language: str) -> str:
    if isinstance(value, bool):
        return say(language, "yes") if value else say(language, "no")
    if key == "groups":
        return ", ".join(_group(by, group, language) for by, group in value.items())
    if isinstance(value, Mapping):
        return ", ".join(f"{_key(name, language)} {count}" for name, count in value.items() if count)
    if isinstance(value, list):
        return ", ".join(say(language, FIELDS[each]) if each in FIELDS else str(each) for each in value)
    if key in ("role", "before") and value in list(Role):
        return say(language, ROLES[Role(value)])
    if key == "reason" and value in list(Outcome):
        return say(language, ENDINGS[Outcome(value)])
    if key == "fact" and value in FACT_NAMES:
        return fact_name(value, language)
    if key == "of" and value in ACTIONS:
        return action_words(value, language)
    kind = {"to": "account", "label": "topic"}.get(key, key)
    return names.get(f"{kind} {str(value).removeprefix('ask/')}", str(value))


def _group(by: str, group: str, language: str) -> str:
    try:
        return f"{say(language, FILTERS[By(by)])} {group_words(By(by), group, language)}"
    except (ValueError, KeyError):
        # A choice that was typed into the address and is none.
        return f"{by} {group}"
