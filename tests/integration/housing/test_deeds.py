"""The dialogues of wishes, cost and adverts on a real database, pressed and typed as a student does."""

from datetime import timedelta

import pytest

from bot.config import ROOT
from bot.conversations.deeds import Context
from bot.housing.deeds import housing_deeds
from bot.paperwork.schema import load_procedures
from bot.students.models import HousingApplication, Student
from tests.factories import make_conversation, make_student

FACTS = {"nationality": ["MA"], "document_held": "vls_ts", "grant": "none", "campus": "lille"}
SCAM = "Pay the deposit by Western Union before the visit, then I send you the keys of the flat by DHL. Rent 300 euros."


@pytest.fixture
def deeds(knowledge):
    return housing_deeds(knowledge, load_procedures(ROOT / "knowledge" / "procedures"))


class Talk:
    """One conversation: what is pressed and typed, and what is stored."""

    def __init__(self, context: Context, deeds) -> None:
        self.context = context
        self.deeds = deeds
        self.answer = None

    def press(self, label: str):
        payload = next(button.payload for button in self.answer.buttons if button.label == label)
        return self.do(payload["effect"], **payload.get("values", {}))

    def do(self, effect: str, **values):
        self.answer = self.deeds.effects[effect](self.context, values)
        return self.answer

    def type(self, text: str):
        prompt = self.context.conversation.prompt or {}
        answers = self.deeds.prompts.get(prompt.get("kind"))
        self.answer = answers(self.context, prompt, text) if answers else None
        return self.answer

    @property
    def waits_for(self) -> str | None:
        return (self.context.conversation.prompt or {}).get("kind")

    @property
    def wishes(self) -> dict:
        student = self.context.session.get(Student, self.context.conversation.student_id)
        return dict(student.housing.wishes) if student.housing is not None else {}

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self.answer.buttons]


@pytest.fixture
def talk(database, now, deeds):
    with database.write() as session:
        conversation = make_conversation(session, now)
        conversation.student_id = make_student(session, now, **FACTS).id
        session.flush()
        yield Talk(Context(session, conversation, now), deeds)


@pytest.fixture
def stranger(database, now, deeds):
    with database.write() as session:
        yield Talk(Context(session, make_conversation(session, now), now), deeds)


def test_the_first_time_every_wish_is_asked_in_turn_and_each_can_be_skipped(talk):
    assert talk.do("housing_wishes").text.endswith("Which kind of room would you like?")
    assert "promises no room" in talk.answer.text
    assert talk.press("Studio with a kitchenette").text == "Would you like to live alone or to share?"
    assert talk.press("Skip").text.startswith("How much can you pay a month at most")
    assert talk.waits_for == "housing_budget"
    assert talk.type("450 €").text == "Near which campus?"
    assert talk.waits_for is None
    assert talk.press("Bordeaux").text == "From which day do you need it?"
    assert talk.press("1 January 2027").text == "Until which day do you need it?"
    assert "only if you agree" in talk.press("30 June 2027").text
    talk.press("Skip")

    assert talk.answer.text == (
        "**Your wishes:**\n\n"
        "- **Kind of room**: Studio with a kitchenette\n"
        "- **Budget**: at most €450 a month, charges included\n"
        "- **Near which campus**: Bordeaux\n"
        "- **From**: 1 January 2027\n"
        "- **Until**: 30 June 2027\n\n"
        "It is a note for the international office: nothing is promised and nothing applied for. "
        "Press one to add or change it."
    )
    assert talk.wishes == {
        "kind": "studio",
        "budget": 450,
        "campus": "bordeaux",
        "from": "2027-01-01",
        "until": "2027-06-30",
    }


def test_wishes_without_an_application_make_a_row_that_says_so(talk):
    talk.do("housing_wish_set", name="kind", value="flat")
    student = talk.context.session.get(Student, talk.context.conversation.student_id)

    assert (student.housing.state, student.housing.updated_on) == ("not_applied", talk.context.today)


def test_a_wish_is_changed_and_taken_out_by_its_own_button(talk):
    talk.do("housing_wish_set", name="kind", value="flat")
    talk.press("Kind of room")

    assert talk.labels[-2:] == ["Take this wish out", "Leave it as it is"]
    talk.press("Any kind")
    assert talk.wishes == {"kind": "any"}
    talk.press("Kind of room")
    talk.press("Take this wish out")
    assert talk.wishes == {}


def test_access_needs_are_noted_with_the_day_of_the_consent(talk):
    talk.do("housing_wish", name="access")

    assert talk.labels == [
        "I agree, note: step-free access",
        "I agree, note: adapted bathroom",
        "I agree, note: please ask me",
        "Leave it as it is",
    ]
    talk.press("I agree, note: step-free access")
    assert talk.wishes == {"access": {"need": "step_free", "agreed_on": "2026-11-24"}}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("kind", "castle", "This choice no longer exists."),
        ("from", "2026-11-01", "This day is past."),
        ("budget", 12, "I need a sum in euros a month, between 100 and 5000."),
    ],
)
def test_an_old_or_strange_value_is_refused_in_words_and_asked_again(talk, name, value, reason):
    talk.do("housing_wish_set", name=name, value=value)

    assert talk.answer.text.startswith(reason)
    assert talk.wishes == {}


@pytest.mark.parametrize("effect", ["housing_wish", "housing_wish_set", "housing_wish_skip", "housing_wish_clear"])
def test_a_wish_that_no_longer_exists_shows_those_that_do(talk, effect):
    talk.do(effect, name="pet", value="cat")

    assert talk.answer.text.startswith("**Your wishes:** none noted yet.")


def test_a_text_that_is_no_number_goes_on_to_the_engine(talk):
    talk.do("housing_wish", name="budget")

    assert talk.type("what is the CVEC?") is None
    assert talk.waits_for == "housing_budget"


def test_a_budget_that_cannot_be_is_asked_again(talk):
    talk.do("housing_wish", name="budget")
    talk.type("20")

    assert talk.answer.text.startswith("I need a sum in euros a month")
    assert (talk.waits_for, talk.wishes) == ("housing_budget", {})


def test_pressing_on_gives_the_open_question_up(talk):
    talk.do("housing_wish", name="budget")
    talk.press("Leave it as it is")

    assert talk.waits_for is None


def test_a_question_of_another_feature_is_left_alone(talk, now):
    until = (now + timedelta(minutes=5)).isoformat()
    talk.context.conversation.prompt = {"kind": "link_email", "expires_at": until}
    talk.do("housing_wishes")

    assert talk.waits_for == "link_email"


def test_the_cost_is_told_for_the_typed_rent_or_the_budget(talk):
    assert talk.do("housing_cost").buttons == ()
    typed = talk.type("450 + 40")

    assert typed.text.startswith("**A month: €490.** No housing aid comes off for you.")
    assert typed.sources[0].title == "Loi 2026-103 of 19 February 2026, art. 179"
    assert talk.waits_for is None
    talk.do("housing_wish_set", name="budget", value=500)
    talk.do("housing_cost")
    assert talk.press("With my budget: €500").text.startswith("**A month: €500.**")


@pytest.mark.parametrize("rent", [12, "x", None, 10**9, True])
def test_a_rent_that_cannot_be_is_asked_again(talk, rent):
    assert talk.do("housing_cost_of", rent=rent).text.startswith("Which rent shall I reckon with?")


def test_a_typed_rent_that_cannot_be_is_asked_again(talk):
    talk.do("housing_cost")
    talk.type("9")

    assert talk.answer.text.startswith("I need a sum in euros a month")
    assert talk.waits_for == "housing_rent"


@pytest.mark.parametrize(
    "effect",
    [
        "housing_wishes",
        "housing_wish",
        "housing_wish_set",
        "housing_wish_skip",
        "housing_wish_clear",
        "housing_cost",
        "housing_cost_of",
    ],
)
def test_without_a_linked_record_only_the_advert_is_offered(stranger, effect):
    stranger.do(effect, name="kind", value="flat", rent=450)

    assert stranger.labels == ["Link my record for my own dates", "Check an advert"]


def test_an_advert_is_checked_without_a_record(stranger):
    stranger.do("housing_advert")
    assert stranger.waits_for == "housing_advert"
    stranger.type(SCAM)

    assert stranger.answer.text.startswith("I read this as an offer of a room and found 3 signs of a scam in it:")
    assert stranger.waits_for is None


def test_a_link_alone_is_not_opened_and_the_question_stays(stranger):
    stranger.do("housing_advert")
    stranger.type("https://ads.example.org/room/12")

    assert stranger.answer.text == "I do not open links. Copy the words of the advert and paste them here, please."
    assert stranger.waits_for == "housing_advert"


@pytest.mark.parametrize(
    "text", ["never mind", "what does a studio in Lille cost a month when it is furnished and near the school?"]
)
def test_a_question_instead_of_the_advert_goes_on_to_the_engine(stranger, text):
    stranger.do("housing_advert")

    assert stranger.type(text) is None
    assert stranger.waits_for == "housing_advert"


def test_a_row_of_an_application_keeps_its_state(talk):
    student = talk.context.session.get(Student, talk.context.conversation.student_id)
    student.housing = HousingApplication(state="received", wishes={}, updated_on=talk.context.today)
    talk.do("housing_wish_set", name="sharing", value="shared")

    assert student.housing.state == "received"
