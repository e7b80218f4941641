"""Students correct their record in chat: read back, confirm, undo; what the school keeps becomes a request."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from bot.assistant.deeds import do_all
from bot.content.schema import InLanguages
from bot.conversations.deeds import Context, pending_prompt
from bot.conversations.messages import Answer, Effect
from bot.conversations.models import Author, Conversation, Message
from bot.conversations.service import append
from bot.paperwork.correcting import PRESSED, proposal
from bot.paperwork.decisions import tell_decision
from bot.paperwork.deeds_facts import fact_deeds, record_of
from bot.paperwork.schema import Procedure
from bot.students.facts import FactsError, facts_from
from bot.students.models import FactChange, FactRequest, Origin, Student
from bot.students.readings import read_changes
from bot.students.requests import AlreadyDecided, ask_correction, decide, open_requests
from bot.students.service import set_facts
from tests.factories import make_conversation, make_staff, make_student

RECORD = {
    "date_of_entry": "2026-12-12",
    "date_of_entry_kind": "planned",
    "document_held": "vls_ts",
    "housing_status": "searching",
    "leaving_date": "2027-06-30",
    "programme_start": "2027-01-11",
}


def _procedure(slug: str, **fields: Any) -> Procedure:
    source = {"title": "A page", "url": "https://example.org", "checked_on": "2026-11-23"}
    texts = {"en": f"Step {slug}", "fr": f"Étape {slug}"}
    return Procedure.model_validate(
        {
            "slug": slug,
            "title": texts,
            "who": [{"when": "always", "then": "applies", "because": texts}],
            "legal_duty": False,
            "do": texts,
            "late": texts,
            "sources": [source],
            "facts": ["X-1"],
            "valid_from": "2026-07-01",
            "valid_until": "2027-09-01",
            "owner": "international_office",
            **fields,
        }
    )


TEXTS = InLanguages.model_validate({"en": "The rule.", "fr": "La règle."})
PROCEDURES = (
    _procedure(
        "validate_visa",
        due="date_of_entry + 3 months",
        who=[
            {"when": {"fact": "document_held", "in": ["vls_ts"]}, "then": "applies", "because": TEXTS},
            {"when": "always", "then": "not_needed", "because": TEXTS},
        ],
    ),
    _procedure("home_insurance", due="lease_start"),
)
DEEDS = fact_deeds(PROCEDURES)


class Talk:
    """One conversation of a student, driven as the gateway drives it."""

    def __init__(self, database, now, conversation_id: UUID) -> None:
        self.database, self.now, self.id = database, now, conversation_id
        self.reply: Answer | None = None

    def _run(self, produce) -> Answer | None:
        with self.database.write() as session:
            context = Context(session, session.get_one(Conversation, self.id), self.now)
            reply = produce(context)
            if reply is not None:
                reply = do_all(context, DEEDS, reply.effects) or reply
                self.hear(session, reply.text, reply.buttons)
                self.reply = reply
            return reply

    def hear(self, session, text: str, buttons=()) -> None:
        conversation = session.get_one(Conversation, self.id)
        append(session, conversation, Author.BOT, text, now=self.now, buttons=buttons)

    def say(self, text: str) -> str:
        """A message that was understood as a correction."""

        def produce(context: Context) -> Answer:
            student = context.student
            reading = read_changes(text, context.language, facts_from(student.facts), context.today)
            return proposal(record_of(student, context.language, context.today), reading, PRESSED)

        return self._run(produce).text

    def answer(self, text: str) -> str | None:
        """A text while our question is open; None when it goes on to the engine."""

        def produce(context: Context) -> Answer | None:
            prompt = pending_prompt(context.conversation, context.now)
            return None if prompt is None else DEEDS.prompts[prompt["kind"]](context, prompt, text)

        reply = self._run(produce)
        return None if reply is None else reply.text

    def do(self, effect: str, **values: Any) -> str:
        return self._run(lambda _: Answer("Done.", PRESSED, effects=(Effect(effect, values),))).text

    def press(self, label: str, of: Answer | None = None) -> str:
        payload = next(each.payload for each in (of or self.reply).buttons if each.label == label)
        return self.do(payload["effect"], **payload.get("values", {}))

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self.reply.buttons]

    @property
    def prompt(self) -> dict[str, Any] | None:
        with self.database.read() as session:
            return pending_prompt(session.get_one(Conversation, self.id), self.now)


@pytest.fixture
def student_id(database, now) -> int:
    with database.write() as session:
        return make_student(session, now, **RECORD).id


@pytest.fixture
def open_talk(database, now, student_id):
    def open_one(linked: bool = True, language: str = "en") -> Talk:
        with database.write() as session:
            conversation = make_conversation(session, now, language)
            conversation.student_id = student_id if linked else None
            return Talk(database, now, conversation.id)

    return open_one


@pytest.fixture
def talk(open_talk) -> Talk:
    return open_talk()


@pytest.fixture
def recorded(database, student_id):
    def read(*facts: str) -> Any:
        with database.read() as session:
            stored = session.get_one(Student, student_id).facts
            values = tuple(stored.get(fact) for fact in facts)
            return values[0] if len(values) == 1 else values

    return read


@pytest.fixture
def change(database, now, student_id):
    """The record changes somewhere else."""

    def run(**changes: Any) -> None:
        with database.write() as session:
            set_facts(session, session.get_one(Student, student_id), changes, Origin.SCHOOL, now)

    return run


def history(database) -> list[tuple[str, Any, Any, str, bool]]:
    with database.read() as session:
        rows = session.scalars(select(FactChange).order_by(FactChange.id)).all()
        return [(row.fact, row.before, row.after, str(row.origin), row.undone) for row in rows]


# A correction of one's own


def test_a_later_arrival_is_read_back_and_nothing_is_stored_before_the_button(talk, recorded):
    text = talk.say("I arrive a week later")

    assert text == "Your record says you arrive on 12 December 2026. Change it to 19 December 2026?"
    assert talk.labels == ["Yes, change it", "No"]
    assert recorded("date_of_entry") == "2026-12-12"


def test_yes_changes_the_record_says_what_moves_and_keeps_the_history(database, talk, recorded):
    talk.say("I arrive a week later")

    text = talk.press("Yes, change it")

    assert text == (
        "Changed:\n\n- **Arrival in France**: 19 December 2026\n\nWhat this means for your steps:\n\n"
        "- **Step validate_visa**: now by 19 March 2027, no longer by 12 March 2027."
    )
    assert talk.labels == ["Undo", "What did I change?"]
    assert recorded("date_of_entry", "date_of_entry_kind") == ("2026-12-19", "planned")
    assert history(database) == [("date_of_entry", "2026-12-12", "2026-12-19", "student", False)]


def test_no_changes_nothing(database, talk, recorded):
    talk.say("I arrive a week later")

    assert talk.press("No") == "All right, I change nothing."
    assert (recorded("date_of_entry"), history(database)) == ("2026-12-12", [])


def test_whoever_arrived_yesterday_is_here(talk, recorded):
    assert talk.say("I arrived yesterday") == (
        "Your record says you arrive on 12 December 2026. Change it to: you arrived on 23 November 2026?"
    )
    talk.press("Yes, change it")

    assert recorded("date_of_entry", "date_of_entry_kind") == ("2026-11-23", "real")


def test_another_visa_says_which_step_goes(talk, recorded):
    text = talk.say("my visa is VLS-T")
    done = talk.press("Yes, change it")

    assert text == (
        "I would change your record like this:\n\n"
        "- **Visa or residence document**: Student visa VLS-TS → Temporary student visa VLS-T\n\nIs that right?"
    )
    assert done.endswith("- No longer needed: **Step validate_visa**.")
    assert recorded("document_held") == "vls_t"


def test_several_changes_are_read_back_together(talk, recorded):
    text = talk.say("I arrive on 15 December and leave on 20 May")
    talk.press("Yes, change it")

    assert text == (
        "I would change your record like this:\n\n"
        "- **Arrival in France**: 12 December 2026 → 15 December 2026\n"
        "- **Departure from France**: 30 June 2027 → 20 May 2027\n\nIs that right?"
    )
    assert recorded("date_of_entry", "leaving_date") == ("2026-12-15", "2027-05-20")


def test_what_the_record_says_already_is_said_so(talk):
    assert talk.say("I am still looking for a room") == (
        "That is how your record has it already:\n\n- **Housing**: Still searching"
    )
    assert talk.labels == []


def test_a_flat_is_asked_for_its_kind_and_its_lease_and_then_read_back(talk, recorded):
    kind = talk.say("I found a flat")
    labels = talk.labels
    lease = talk.press("Rented, furnished")
    read_back = talk.answer("from 1 December")

    assert kind == "Where do you live, or are you still searching?"
    assert labels == ["Rented, furnished", "Rented, not furnished", "Shared flat", "I don't know yet"]
    assert lease == ("I understood:\n\n- **Housing**: Rented, furnished\n\nOn which day does your lease start?")
    assert read_back == (
        "I would change your record like this:\n\n- **Housing**: Still searching → Rented, furnished\n"
        "- **First day of the lease**: not known → 1 December 2026\n\nIs that right?"
    )
    assert recorded("housing_status", "lease_start") == ("searching", None)
    talk.press("Yes, change it")
    assert recorded("housing_status", "lease_start") == ("private_furnished", "2026-12-01")


def test_a_lease_that_is_not_known_yet_is_left_open(talk, recorded):
    talk.say("I found a room in a Crous residence")

    read_back = talk.press("I don't know yet")
    talk.press("Yes, change it")

    assert read_back == (
        "I would change your record like this:\n\n- **Housing**: Still searching → Crous residence\n\nIs that right?"
    )
    assert recorded("housing_status", "lease_start") == ("crous", None)
    assert (talk.labels, talk.prompt) == (["Undo", "What did I change?"], None)


def test_a_day_that_can_be_two_is_asked_with_both(talk):
    text = talk.say("I arrive next Friday")
    labels = talk.labels

    assert text == "On which day did you arrive, or will you arrive, in France?"
    assert labels == ["27 November 2026", "4 December 2026", "I don't know yet"]
    assert talk.press("4 December 2026") == (
        "Your record says you arrive on 12 December 2026. Change it to 4 December 2026?"
    )


def test_a_message_without_anything_to_change_is_asked_what_is_wrong(talk):
    talk.say("something in my record is wrong")

    assert talk.labels == [
        "Arrival in France",
        "Housing",
        "Visa or residence document",
        "Departure from France",
        "Talk to a person",
    ]


# A correction confirmed in words


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Yes, please!"),
        ("en", "ok"),
        ("fr", "oui c'est ça"),
        ("es", "sí, vale"),
        ("pt", "sim"),
        ("uk", "так"),
        ("ar", "نعم"),
        ("zh", "没错"),
    ],
)
def test_yes_in_words_is_the_button(database, open_talk, recorded, language, text):
    talk = open_talk(language=language)
    talk.say("I arrive on 19 December")

    talk.answer(text)

    assert (recorded("date_of_entry"), talk.prompt) == ("2026-12-19", None)
    assert len(history(database)) == 1


@pytest.mark.parametrize("text", ["No.", "no thanks", "non", "cancel"])
def test_no_in_words_is_the_button_too(talk, recorded, text):
    talk.say("I arrive on 19 December")

    assert (talk.answer(text), talk.prompt) == ("All right, I change nothing.", None)
    assert recorded("date_of_entry") == "2026-12-12"


@pytest.mark.parametrize("text", ["no, on the 20th of December", "No, I arrive on 20 December", "20 December"])
def test_another_day_in_the_place_of_a_yes_is_read_back(talk, recorded, text):
    talk.say("I arrive on 19 December")

    assert talk.answer(text) == "Your record says you arrive on 12 December 2026. Change it to 20 December 2026?"
    assert recorded("date_of_entry") == "2026-12-12"
    talk.answer("yes")
    assert recorded("date_of_entry") == "2026-12-20"


def test_a_day_that_can_be_two_in_the_place_of_a_yes_is_asked(talk):
    talk.say("I arrive on 19 December")

    assert talk.answer("no, on the 20th") == "That can mean more than one thing. Which of these?"
    assert talk.labels == ["20 November 2026", "20 December 2026", "I don't know yet"]
    assert talk.press("20 December 2026") == (
        "Your record says you arrive on 12 December 2026. Change it to 20 December 2026?"
    )


@pytest.mark.parametrize("text", ["What does that change?", "how do I validate my visa", "yes or no?", "I like Lille"])
def test_other_words_change_nothing_and_go_on_to_the_engine(database, talk, text):
    talk.say("I arrive on 19 December")

    assert (talk.answer(text), history(database)) == (None, [])


def test_yes_to_a_later_message_is_no_confirmation(database, talk, recorded):
    talk.say("I arrive on 19 December")
    with database.write() as session:
        talk.hear(session, "The CVEC costs 105 euros. Was that helpful?")

    assert (talk.answer("yes"), recorded("date_of_entry")) == (None, "2026-12-12")


def test_yes_comes_too_late_when_the_record_has_changed(talk, change, recorded):
    talk.say("I arrive on 19 December")
    change(date_of_entry="2026-12-14")

    assert talk.answer("yes").startswith("Your record has changed since that button was made.")
    assert recorded("date_of_entry") == "2026-12-14"
    talk.answer("yes")
    assert recorded("date_of_entry") == "2026-12-19"


def test_yes_after_the_record_was_unlinked_changes_nothing(database, talk, recorded):
    talk.say("I arrive on 19 December")
    with database.write() as session:
        session.get_one(Conversation, talk.id).student_id = None

    assert (talk.answer("yes"), recorded("date_of_entry")) == (None, "2026-12-12")


# Refusals


def test_an_unlinked_conversation_is_offered_the_link_and_stores_nothing(database, open_talk, student_id):
    talk = open_talk(linked=False)
    changes = {"date_of_entry": "2026-12-19"}

    texts = {
        talk.do("change_facts", student=student_id, changes=changes, before={"date_of_entry": "2026-12-12"}),
        talk.do("ask_fact", fact="guarantor"),
        talk.do("answer_fact", student=student_id, fact="guarantor", value="visale"),
        talk.do("my_changes"),
    }

    assert texts == {
        "This conversation is not linked to a student record, so there is nothing that I could correct. Link yours "
        "first, then tell me again."
    }
    assert talk.labels == ["Link my record"]
    assert (history(database), talk.prompt) == ([], None)


def test_a_button_of_another_record_does_nothing(database, talk, student_id):
    text = talk.do("answer_fact", student=student_id + 1, fact="guarantor", value="visale")

    assert text == "This button belongs to another record. Please tell me again what is wrong."
    assert history(database) == []


def test_an_old_button_is_read_back_anew_when_the_record_has_changed(database, talk, change, recorded):
    talk.say("I arrive on 19 December")
    change(date_of_entry="2026-12-14")

    text = talk.press("Yes, change it")

    assert text == (
        "Your record has changed since that button was made.\n\n"
        "Your record says you arrive on 14 December 2026. Change it to 19 December 2026?"
    )
    assert recorded("date_of_entry") == "2026-12-14"
    talk.press("Yes, change it")
    assert recorded("date_of_entry") == "2026-12-19"


def test_a_change_from_another_conversation_of_the_same_student_counts(open_talk, recorded):
    here, there = open_talk(), open_talk()
    here.say("I arrive on 19 December")
    there.say("I arrive on 21 December")
    there.press("Yes, change it")

    assert here.press("Yes, change it").startswith("Your record has changed since that button was made.")
    assert recorded("date_of_entry") == "2026-12-21"


def test_pressing_twice_changes_once(database, talk):
    talk.say("I arrive on 19 December")
    question = talk.reply
    talk.press("Yes, change it", question)

    text = talk.press("Yes, change it", question)

    assert text == "That is how your record has it already:\n\n- **Arrival in France**: 19 December 2026"
    assert len(history(database)) == 1


def test_an_answer_pressed_twice_is_written_once(database, talk):
    talk.do("ask_fact", fact="guarantor")
    question = talk.reply
    talk.press("Visale", question)

    text = talk.press("Visale", question)

    assert text == "That is how your record has it already:\n\n- **Guarantor**: Visale"
    assert history(database) == [("guarantor", None, "visale", "student", False)]


def test_a_no_after_the_yes_takes_nothing_back(database, talk, recorded):
    talk.say("I arrive on 19 December")
    question = talk.reply
    talk.press("Yes, change it", question)

    talk.press("No", question)

    assert recorded("date_of_entry") == "2026-12-19"


def test_an_earlier_question_pressed_again_is_read_back_against_the_record_as_it_is(talk, change):
    talk.say("I found a flat")
    kinds = talk.reply
    change(housing_status="private_furnished", lease_start="2026-12-01")

    assert talk.press("Rented, furnished", kinds) == (
        "That is how your record has it already:\n\n- **Housing**: Rented, furnished"
    )


def test_a_visa_that_ends_before_it_starts_is_explained(database, talk, change):
    change(visa_start="2027-01-10")
    talk.say("my visa expires on 5 January 2027")

    text = talk.press("Yes, change it")

    assert text == (
        "That cannot be, so I changed nothing. “Last day of the visa”, 5 January 2027, would lie before “First day of "
        "the visa”, 10 January 2027. Which of them is wrong?"
    )
    assert talk.labels == ["First day of the visa", "Last day of the visa"]
    assert [row[0] for row in history(database)] == ["visa_start"]


def test_which_of_two_days_is_wrong_can_be_answered_at_once(talk, change, recorded):
    change(visa_start="2027-01-10")
    talk.say("my visa expires on 5 January 2027")
    talk.press("Yes, change it")
    talk.press("First day of the visa")

    talk.answer("10 December 2026")

    assert recorded("visa_start", "visa_expiry") == ("2026-12-10", None)


def test_a_denial_a_question_and_another_person_are_asked_what_is_wrong(talk):
    texts = {
        talk.say(text)
        for text in ("My visa is not a VLS-TS", "Should I tell you when I arrive?", "My friend arrives on 19 December")
    }

    assert [text.split("?")[0] for text in texts] == ["What should be different in your record"]


def test_leaving_before_the_arrival_is_explained_and_nothing_changes(database, talk, recorded):
    talk.say("I leave on 1 December and my visa is VLS-T")

    text = talk.press("Yes, change it")

    assert text == (
        "That cannot be, so I changed nothing. “Departure from France”, 1 December 2026, would lie before “Arrival in "
        "France”, 12 December 2026. Which of them is wrong?"
    )
    assert talk.labels == ["Arrival in France", "Departure from France"]
    assert (recorded("leaving_date", "document_held"), history(database)) == (("2027-06-30", "vls_ts"), [])


def test_a_wish_and_an_impossible_change_are_refused_together(database, talk):
    talk.say("I leave on 1 December and I study in Bordeaux")

    talk.press("Yes, do both")

    with database.read() as session:
        assert (history(database), open_requests(session)) == ([], [])


def test_a_value_that_is_none_is_explained(database, talk, student_id):
    text = talk.do("answer_fact", student=student_id, fact="guarantor", value="neighbour")

    assert text == "That value is not possible, so I changed nothing. Please check it and write it again."
    assert history(database) == []


def test_an_arrival_before_the_visa_is_pointed_out(talk, change, recorded):
    change(visa_start="2026-12-10")
    talk.say("I arrive on 5 December")

    text = talk.press("Yes, change it")

    assert "- Nobody can enter before the visa starts, so one of these two days is wrong." in text
    assert recorded("date_of_entry") == "2026-12-05"


def test_a_place_after_another_one_has_a_lease_of_its_own(talk, change):
    change(housing_status="all", lease_start="2026-12-01")

    assert talk.say("I live in a shared flat").endswith("On which day does your lease start?")


# Undo and history


def test_undo_takes_back_exactly_these_changes(database, talk, recorded):
    talk.say("my visa is VLS-T")
    talk.press("Yes, change it")
    first = talk.reply
    talk.say("I arrive on 19 December")
    talk.press("Yes, change it")

    text = talk.press("Undo", first)

    assert text == (
        "Taken back. Your record says again:\n\n- **Visa or residence document**: Student visa VLS-TS\n\n"
        "What this means for your steps:\n\n- New: **Step validate_visa**: by 19 March 2027, if you arrive as planned."
    )
    assert recorded("document_held", "date_of_entry") == ("vls_ts", "2026-12-19")
    assert talk.press("Undo", first) == "That was taken back already."


def test_undo_is_refused_when_the_fact_has_changed_since(talk, change, recorded):
    talk.say("I arrive on 19 December")
    talk.press("Yes, change it")
    change(date_of_entry="2026-12-22")

    text = talk.press("Undo")

    assert text == (
        "This was changed again in the meantime, so I do not take it back: Arrival in France. Tell me what is right."
    )
    assert recorded("date_of_entry") == "2026-12-22"


def test_undo_does_not_leave_a_record_that_contradicts_itself(database, talk, recorded):
    talk.say("I arrive on 1 December")
    talk.press("Yes, change it")
    arrived = talk.reply
    talk.say("I leave on 5 December")
    talk.press("Yes, change it")

    text = talk.press("Undo", arrived)

    assert text.startswith("I cannot take this back: the earlier value no longer fits the rest of your record.")
    assert recorded("date_of_entry", "leaving_date") == ("2026-12-01", "2026-12-05")


def test_undo_works_from_every_conversation_of_the_same_student_and_from_no_other(database, now, open_talk, recorded):
    here, there = open_talk(), open_talk()
    with database.write() as session:
        session.get_one(Conversation, there.id).student_id = make_student(session, now, "Bruno").id
    here.say("I arrive on 19 December")
    here.press("Yes, change it")

    assert there.press("Undo", here.reply) == (
        "This button belongs to another record. Please tell me again what is wrong."
    )
    assert recorded("date_of_entry") == "2026-12-19"
    open_talk().press("Undo", here.reply)
    assert recorded("date_of_entry") == "2026-12-12"


def test_undo_of_a_change_that_is_gone_says_so(talk, student_id):
    assert talk.do("undo_facts", student=student_id, changes=[99]) == "I find no such change in your record any more."


def test_the_history_names_day_values_and_who(talk, change):
    assert talk.do("my_changes") == "Nothing was changed in your record so far."
    talk.say("my visa is VLS-T")
    talk.press("Yes, change it")
    changed = talk.reply
    change(campus="lille")
    talk.press("Undo", changed)

    assert talk.do("my_changes") == (
        "The latest changes of your record:\n\n"
        "- 24 November 2026: **Campus**: not known → Lille (the school's records)\n"
        "- 24 November 2026: **Visa or residence document**: Student visa VLS-TS → Temporary student visa VLS-T (you), "
        "taken back"
    )


# Facts that we asked for


def test_an_asked_fact_is_saved_at_once_by_its_button(talk, recorded):
    question = talk.do("ask_fact", fact="guarantor")
    labels = talk.labels

    text = talk.press("Visale")

    assert question == "Do you have a guarantor for your rent: a person, Visale, another one, or none?"
    assert labels == ["A person", "Visale", "Another guarantor", "No guarantor", "I don't know yet"]
    assert text == "Changed:\n\n- **Guarantor**: Visale"
    assert talk.labels == ["Undo", "What did I change?"]
    assert (recorded("guarantor"), talk.prompt) == ("visale", None)


@pytest.mark.parametrize(
    ("fact", "text", "value"),
    [
        ("guarantor", "my mother", "person"),
        ("document_held", "vls-t", "vls_t"),
        ("lease_start", "1 December 2026", "2026-12-01"),
        ("hours_this_permit_year", "120", 120),
        ("wants_buddy", "no, thanks", False),
        ("cvec_paid_by_mistake", "yes", True),
        ("country_of_residence", "in Morocco", "MA"),
        ("birth_certificate_language", "Spanish", "es"),
        ("nationality_group", "the Brazilian one, Brazil", "other_non_eu"),
        ("earlier_stays", "no", []),
        (
            "earlier_stays",
            "from 1 June 2025 to 20 July 2025",
            [{"entry": "2025-06-01", "exit": "2025-07-20"}],
        ),
    ],
)
def test_an_asked_fact_is_read_from_a_text(talk, recorded, fact, text, value):
    talk.do("ask_fact", fact=fact)

    talk.answer(text)

    assert (recorded(fact), talk.prompt) == (value, None)


def test_an_unreadable_answer_is_asked_once_more_with_an_example_and_then_goes_on(talk):
    talk.do("ask_fact", fact="lease_start")

    assert talk.answer("soon I hope") == (
        "I could not read that as an answer to: On which day does your lease start? Write a day, for example: "
        "24 November 2026."
    )
    assert talk.answer("soon I hope") is None


@pytest.mark.parametrize("text", ["What is the CVEC?", "how do I find a guarantor"])
def test_another_question_goes_on_to_the_engine(talk, text):
    talk.do("ask_fact", fact="lease_start")

    assert talk.answer(text) is None


def test_a_correction_of_something_else_is_read_back(talk):
    talk.do("ask_fact", fact="lease_start")

    assert talk.answer("I arrive on 19 December") == (
        "Your record says you arrive on 12 December 2026. Change it to 19 December 2026?"
    )


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("I don't know yet", "All right. Tell me as soon as you know: some of your dates depend on it."),
        ("cancel", "All right, I change nothing."),
    ],
)
def test_not_knowing_and_giving_up_end_the_question(talk, text, reply):
    talk.do("ask_fact", fact="lease_start")

    assert (talk.answer(text), talk.prompt) == (reply, None)


def test_the_question_is_over_after_half_an_hour(talk):
    talk.do("ask_fact", fact="lease_start")
    talk.now += timedelta(minutes=30)

    assert talk.answer("1 December") is None


def test_having_arrived_contradicts_a_day_to_come_so_the_day_is_asked(talk, recorded):
    talk.do("ask_fact", fact="date_of_entry_kind")

    assert talk.press("Yes, I have arrived") == "On which day did you arrive, or will you arrive, in France?"
    talk.answer("yesterday")

    assert recorded("date_of_entry", "date_of_entry_kind") == ("2026-11-23", "real")


def test_an_asked_housing_leads_to_the_lease(talk, recorded):
    talk.do("ask_fact", fact="housing_status")

    text = talk.press("Shared flat")
    talk.answer("1 December")

    assert text == "Changed:\n\n- **Housing**: Shared flat\n\nOn which day does your lease start?"
    assert recorded("housing_status", "lease_start") == ("shared", "2026-12-01")


def test_an_answer_button_is_read_back_when_the_fact_changed_meanwhile(talk, change, recorded):
    talk.do("ask_fact", fact="guarantor")
    change(guarantor="person")

    text = talk.press("Visale")

    assert text.startswith("Your record has changed since that button was made.")
    assert recorded("guarantor") == "person"


# What the school keeps


def test_a_fact_of_the_school_becomes_a_request_once(database, talk, recorded):
    text = talk.say("my programme starts on 18 January")
    question = talk.reply
    first = talk.press("Yes, pass it on", question)
    again = talk.press("Yes, pass it on", question)

    assert text == (
        "The school keeps this itself, so a colleague has to decide. I can pass your wish on:\n\n"
        "- **Start of the programme**: 11 January 2027 → 18 January 2027"
    )
    assert first == (
        "I have passed this wish on to the office. You hear from me here when it is decided:\n\n"
        "- **Start of the programme**: 18 January 2027"
    )
    assert again == (
        "This wish is with the office already; it is not decided yet:\n\n- **Start of the programme**: 18 January 2027"
    )
    assert recorded("programme_start") == "2027-01-11"
    with database.read() as session:
        (request,) = open_requests(session)
        assert (request.fact, request.wanted, request.state) == ("programme_start", "2027-01-18", "open")


def test_the_same_wish_from_another_conversation_is_there_already(database, open_talk):
    here, there = open_talk(), open_talk()
    here.say("I study in Bordeaux")
    here.press("Yes, pass it on")
    there.say("I changed campus, I am in Bordeaux now")

    text = there.answer("yes")

    assert text == "This wish is with the office already; it is not decided yet:\n\n- **Campus**: Bordeaux"
    with database.read() as session:
        assert len(open_requests(session)) == 1


def test_a_wish_that_was_granted_meanwhile_is_in_the_record_already(talk, change):
    talk.say("I study in Bordeaux")
    change(campus="bordeaux")

    assert talk.press("Yes, pass it on") == "That is how your record has it already:\n\n- **Campus**: Bordeaux"


def test_a_campus_that_only_changed_is_asked_and_becomes_a_wish(database, talk):
    text = talk.say("I changed campus")
    labels = talk.labels
    talk.press("Bordeaux")
    talk.press("Yes, pass it on")

    assert text == "On which campus do you study: Lille, Bordeaux or Châteauroux?"
    assert labels == ["Lille", "Bordeaux", "Châteauroux", "I don't know yet"]
    with database.read() as session:
        assert [(request.fact, request.wanted) for request in open_requests(session)] == [("campus", "bordeaux")]


def test_own_facts_and_those_of_the_school_are_confirmed_together(database, talk, recorded):
    talk.say("I study in Bordeaux and my visa is VLS-T")

    text = talk.press("Yes, do both")

    assert text == (
        "Changed:\n\n- **Visa or residence document**: Temporary student visa VLS-T\n\n"
        "What this means for your steps:\n\n- No longer needed: **Step validate_visa**.\n\n"
        "I have passed this wish on to the office. You hear from me here when it is decided:\n\n"
        "- **Campus**: Bordeaux"
    )
    with database.read() as session:
        assert [request.fact for request in open_requests(session)] == ["campus"]


def test_an_asked_fact_of_the_school_becomes_a_request_too(database, talk, recorded):
    talk.do("ask_fact", fact="nationality")
    talk.answer("Morocco")

    with database.read() as session:
        assert [(request.fact, request.wanted) for request in open_requests(session)] == [("nationality", ["MA"])]
    assert recorded("nationality") is None


def test_another_wish_for_the_same_fact_takes_the_place_of_the_first(database, now, student_id):
    with database.write() as session:
        student = session.get_one(Student, student_id)
        first, _ = ask_correction(session, student, "campus", "bordeaux", now)
        second, is_new = ask_correction(session, student, "campus", "lille", now + timedelta(hours=1))

        assert (first.id, is_new) == (second.id, True)
        assert [(each.wanted, each.asked_at) for each in open_requests(session)] == [
            ("lille", now + timedelta(hours=1))
        ]


@pytest.mark.parametrize(
    ("fact", "value", "problem"),
    [("guarantor", "visale", "guarantor"), ("campus", "paris", "campus"), ("email", "nobody", "email")],
)
def test_a_request_that_is_none_is_refused(database, now, student_id, fact, value, problem):
    with database.write() as session, pytest.raises(FactsError, match=f"^{problem}: "):
        ask_correction(session, session.get_one(Student, student_id), fact, value, now)


@pytest.fixture
def decided(database, now, talk, student_id):
    """A request for another campus is decided and the student is told; → what the student reads."""

    def run(*, accepted: bool) -> str:
        with database.write() as session:
            staff = make_staff(session, now)
            request, _ = ask_correction(session, session.get_one(Student, student_id), "campus", "bordeaux", now)
            decide(session, request, accepted, staff.id, now)
            return tell_decision(session, request, now).text

    return run


def test_an_accepted_request_changes_the_record_and_the_student_hears_it(database, decided, recorded, talk):
    assert decided(accepted=True) == "The office has changed your record as you asked: **Campus**: Bordeaux."

    assert recorded("campus") == "bordeaux"
    assert history(database) == [("campus", None, "bordeaux", "staff", False)]
    with database.read() as session:
        assert session.scalars(select(Message.conversation_id).order_by(Message.id.desc())).first() == talk.id


def test_a_refused_request_changes_nothing_and_the_student_hears_it(database, decided, recorded):
    assert decided(accepted=False) == (
        "The office has looked at your wish and has not changed your record: **Campus**: Bordeaux. If you think that "
        "this is a mistake, ask for a person."
    )
    assert (recorded("campus"), history(database)) == (None, [])


def test_a_request_is_decided_once(database, now, decided):
    decided(accepted=False)
    with database.write() as session:
        request = session.scalars(select(FactRequest)).one()

        with pytest.raises(AlreadyDecided, match="refused"):
            decide(session, request, True, 1, now)


def test_nobody_is_told_of_an_open_request_or_without_a_conversation(database, now, student_id):
    with database.write() as session:
        student = session.get_one(Student, student_id)
        request, _ = ask_correction(session, student, "campus", "bordeaux", now)
        assert tell_decision(session, request, now) is None
        decide(session, request, True, make_staff(session, now).id, now)

        assert tell_decision(session, request, now) is None
