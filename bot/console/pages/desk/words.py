"""The words of the desk: what its script says, and a student's record in a few of them."""

from collections.abc import Mapping
from typing import Any

from bot.content.loader import Knowledge
from bot.conversations.messages import Understanding
from bot.handoff.models import Outcome
from bot.i18n.languages import CODES, language_name
from bot.i18n.translate import mark, say
from bot.students.models import Student

CAMPUSES = {"lille": "Lille", "bordeaux": "Bordeaux", "chateauroux": "Châteauroux"}
PROGRAMMES = {
    "exchange": mark("Exchange"),
    "degree": mark("Degree"),
    "double_degree": mark("Double degree"),
    "ka131": mark("Erasmus+ exchange (KA131)"),
    "ka171": mark("Erasmus+ exchange (KA171)"),
    "bip": mark("Blended intensive programme"),
    "summer": mark("Summer programme"),
}

ALERTS = {
    "urgent": mark("Urgent"),
    "failed_turn": mark("The assistant could not answer"),
    "not_taken_in": mark("A message could not be taken in"),
    "undelivered": mark("Telegram refused a message"),
    "unchanged": mark("Telegram may still show the old words"),
}
STATES = {
    "bot": mark("The assistant answers"),
    "waiting": mark("Waits for a person"),
    "closed": mark("Conversation closed"),
}
"""While nobody holds the conversation."""
ENDINGS: Mapping[Outcome, str] = {
    Outcome.SOLVED: mark("Solved"),
    Outcome.NO_ANSWER: mark("The student does not answer any more"),
    Outcome.ELSEWHERE: mark("Goes on elsewhere: mail, phone, at the desk"),
    Outcome.SPAM: mark("Not meant seriously"),
    Outcome.OTHER: mark("Something else"),
}
"""What whoever closes a conversation chooses from, in this order."""
OUTCOMES = {
    "solved": mark("solved"),
    "no_answer": mark("no answer any more"),
    "elsewhere": mark("goes on elsewhere"),
    "spam": mark("not meant seriously"),
    "other": mark("another reason"),
}
"""The same in a word or two, after the state."""


def alert_words(language: str, kind: str) -> str:
    """The words of a mark for the office."""
    return say(language, ALERTS.get(kind, ALERTS["failed_turn"]))


def state_words(language: str, control: str, outcome: str | None = None) -> str:
    words = say(language, STATES[control])
    return f"{words} · {say(language, OUTCOMES[outcome])}" if outcome in OUTCOMES else words


def card_json(student: Student, language: str) -> dict[str, Any]:
    """What a colleague needs to know before answering; None is unknown."""
    programme = PROGRAMMES.get(student.facts.get("programme_type") or "")
    school = student.facts.get("school")
    return {
        "name": f"{student.given_name} {student.family_name}",
        "campus": CAMPUSES.get(student.facts.get("campus") or ""),
        "programme": say(language, programme) if programme else None,
        "school": str(school).upper() if school else None,
        "language": language_name(student.language, language),
    }


def understanding_json(understanding: dict[str, Any], knowledge: Knowledge, language: str) -> dict[str, Any]:
    """What the bot made of a message, in words: {"what": [topic], "confidence", "action", "others": [{…}]}."""

    def title(slug: str) -> str:
        topic = knowledge.topics.get(slug)
        return topic.file.title.get(language) if topic else slug.replace("_", " ")

    known = Understanding.from_json(understanding)
    about = known.topics or tuple(filter(None, (known.topic,)))
    return {
        "what": [title(slug) for slug in about],
        "confidence": known.confidence,
        "action": known.action,
        "others": [
            {"title": title(candidate.topic), "confidence": candidate.confidence}
            for candidate in known.candidates
            if candidate.topic not in about
        ],
    }


def script_strings(language: str) -> dict[str, Any]:
    """Every text of desk.js; words in braces are filled in by the script."""
    return {
        "languages": {code: language_name(code, language) for code in CODES},
        **{kind: say(language, words) for kind, words in ALERTS.items()},
        **{f"state_{control}": say(language, words) for control, words in STATES.items()},
        **{f"outcome_{outcome}": say(language, words) for outcome, words in OUTCOMES.items()},
        "programme": say(language, "Accueil desk"),
        "bot": say(language, "Assistant"),
        "system": say(language, "Notice"),
        "not_linked": say(language, "Not linked to a record"),
        "unnamed": say(language, "Student {number}"),
        "waiting_for": say(language, "waiting for {time}"),
        "next_in_line": say(language, "next in line"),
        "position": say(language, "number {position} in line"),
        "state_mine": say(language, "You are answering"),
        "state_staff": say(language, "{name} is answering"),
        "loading": say(language, "Loading…"),
        "more": say(language, "Show more"),
        "found": say(language, "Found with “{query}”: {count}"),
        "found_more": say(language, "Found with “{query}”: the newest {count}"),
        "asleep_until": say(language, "laid aside until {time}"),
        "task_was_done": say(language, "The promise is kept."),
        "undo": say(language, "Undo"),
        "undone": say(language, "Undone: everything is as before."),
        "undo_changed": say(language, "Something has happened in it since: this can no longer be undone."),
        "undo_late": say(language, "More than two minutes have passed: this can no longer be undone."),
        "load_failed": say(language, "This could not be loaded."),
        "try_again": say(language, "Try again"),
        "offline": say(language, "No connection to the desk. Trying again…"),
        "signed_out": say(language, "You have been signed out."),
        "sign_in": say(language, "Sign in again"),
        "catching_up": say(language, "Bringing the screen up to date: nothing is sent before."),
        "claimed": say(language, "You are answering now; the assistant is silent."),
        "released": say(language, "The assistant answers again."),
        "closed": say(language, "The conversation is closed."),
        "released_with_task": say(language, "The assistant answers again; your promise is under “Promises”."),
        "handed_over": say(language, "The conversation is handed over."),
        "laid_aside": say(language, "Laid aside until then."),
        "woken": say(language, "It is back in the list."),
        "tagged": say(language, "The tags are saved."),
        "text_kept": say(language, "Your text is kept."),
        "taken": say(language, "{name} is already answering this student."),
        "changed": say(language, "The conversation has changed in the meantime; look at it again."),
        "may_not": say(language, "Your role may read conversations, not answer them."),
        "will_claim": say(language, "Sending takes the conversation over from the assistant."),
        "will_reopen": say(language, "Sending opens the conversation again."),
        "was_erased": say(language, "The student erased this conversation and may not read what is written here."),
        "writes_in": say(language, "Language: {language}"),
        "send": say(language, "Send"),
        "take_and_send": say(language, "Take over and send"),
        "placeholder": say(language, "Write your answer"),
        "note_placeholder": say(language, "Write a note for colleagues; @name mentions somebody"),
        "note_hint": say(language, "Only colleagues see this, never the student."),
        "not_told": say(
            language, "Nobody is called {names}, or they may not read this conversation: they were not told."
        ),
        "mention_offered": say(language, "Colleagues offered: {count}. Arrows and Enter choose one, Escape closes."),
        "note_save": say(language, "Save note"),
        "only_colleagues": say(language, "only colleagues see this"),
        "counter": say(language, "{count} of {limit} characters"),
        "sending": say(language, "Sending…"),
        "retrying": say(language, "Not sent yet, trying again…"),
        "not_sent": say(language, "Not sent."),
        "page_left": say(language, "The page was left before it had arrived."),
        "edit": say(language, "Edit"),
        "delete": say(language, "Delete"),
        "edited": say(language, "changed"),
        "message_changed": say(language, "The message is changed."),
        "message_deleted": say(language, "It is deleted."),
        "too_long_there": say(
            language, "Telegram shows fewer messages than the new text needs: make it shorter, or write another answer."
        ),
        "text_is_empty": say(language, "Text: write something, or delete the message."),
        "promise_needs_date": say(language, "Until when: choose the day by which you keep the promise."),
        "date_needs_promise": say(language, "What you promised: write it down, or take the day away."),
        "choose_receiver": say(language, "Choose a desk or a colleague."),
        "choose_time": say(language, "Another time: choose a day and an hour."),
        "too_many_tags": say(language, "Tags: at most 10 are possible."),
        "tag_too_long": say(language, "Tags: each may have up to 30 characters."),
        "desks": say(language, "Desks"),
        "people": say(language, "Colleagues"),
        "desk": say(language, "{name} ({count} waiting)"),
        "desk_open": say(language, "{name} (open now, {count} waiting)"),
        "desk_shut": say(language, "{name} (closed now, {count} waiting)"),
        "in_an_hour": say(language, "In an hour"),
        "this_afternoon": say(language, "This afternoon"),
        "tomorrow": say(language, "Tomorrow morning"),
        "next_monday": say(language, "Next Monday"),
        "own_zone": say(language, "In brackets: the time where you are ({zone})."),
        "student_reads": say(language, "The student has the page open"),
        "student_away": say(language, "The student does not have the page open"),
        "student_types": say(language, "The student is writing …"),
        "colleague_types": say(language, "{name} is writing an answer here"),
        "colleague_looks": say(language, "{name} is reading this too"),
        "waits_now": say(language, "Somebody is waiting for a person."),
        "wrote_now": say(language, "A student has written to you."),
        "window_refused": say(language, "The browser does not allow it. Change that in the settings of this page."),
        "window_always": say(language, "This browser calls you, also when no page is open."),
        "window_open_page": say(language, "This browser calls you for as long as this page is open."),
        "understood": say(language, "Understood: {topic}, {confidence}"),
        "answer": say(language, "answered"),
        "clarify": say(language, "asked back"),
        "abstain": say(language, "did not know"),
        "handoff": say(language, "offered a person"),
        "chat": say(language, "small talk"),
        "urgent_action": say(language, "urgent answer"),
        "prompt": say(language, "asked for a detail"),
        "failed": say(language, "could not answer"),
        "candidates": say(language, "Other possibilities"),
        "sources": say(language, "Sources ({count})"),
        "checked": say(language, "checked on {date}"),
        "offered": say(language, "Offered buttons"),
        "files": say(language, "Files"),
        "file_sending": say(language, "sending… {percent}"),
        "file_too_large": say(language, "“{name}” is larger than {limit} MB and cannot be sent."),
        "file_empty": say(language, "“{name}” is empty and cannot be sent."),
        "file_unreadable": say(language, "“{name}” cannot be read."),
        "discard": say(language, "Discard"),
        "file_pending": say(language, "arriving…"),
        "file_failed": say(language, "did not arrive; the student has been told"),
        "file_refused": say(language, "was not kept"),
        "gone": say(language, "This conversation no longer exists, or it is at a desk that is not yours."),
    }
