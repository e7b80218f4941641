"""Wishes, cost and the advert check as deeds of a turn: dialogues of buttons, with three texts that a student types."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bot.content.loader import Knowledge
from bot.conversations.deeds import Context, Deeds, Values, deed_button, expect_answer, expect_nothing
from bot.conversations.messages import Answer, Button, Understanding
from bot.housing.advert_answer import advert_answer, ask_for_advert, is_advert, only_a_link
from bot.housing.advert_file import load_adverts
from bot.housing.answer import as_sources, room_cost, wishes_words
from bot.housing.cost import Rent, is_plausible, rent_in
from bot.housing.wishes import (
    CHOICES,
    NAMES,
    NO_BUDGET,
    QUESTIONS,
    WISHES,
    Refused,
    Wish,
    checked,
    days_offered,
    keep,
    next_open,
    wishes_of,
)
from bot.i18n.formats import date_words, money
from bot.i18n.languages import CONTENT_CODES, DEFAULT, language_name
from bot.i18n.translate import say
from bot.paperwork.queries import steps_done
from bot.paperwork.schema import Procedure
from bot.students.facts import Facts
from bot.students.models import Student
from bot.students.records import facts_of

LASTS = timedelta(minutes=15)
"""How long a question of ours waits for its text."""
SHORTEST_PASTED = 60
"""Characters from which a text is taken for the advert that we asked for; Chinese says it in fewer."""
SHORTEST_PASTED_CHINESE = 20
_LINK_ALONE = re.compile(r"\s*(?:https?://|www\.)\S+\s*", re.IGNORECASE)


def housing_deeds(knowledge: Knowledge, procedures: Sequence[Procedure]) -> Deeds:
    """Raises ContentError when knowledge/adverts.yml is wrong: at the start, not at the first advert."""
    load_adverts(knowledge.folder)
    room = _Room(knowledge, procedures)
    return Deeds(
        effects={
            "housing_wishes": room.show_wishes,
            "housing_wish": room.ask_wish,
            "housing_wish_set": room.set_wish,
            "housing_wish_skip": room.skip_wish,
            "housing_wish_clear": room.clear_wish,
            "housing_cost": room.ask_rent,
            "housing_cost_of": room.tell_cost,
            "housing_advert": room.ask_advert,
        },
        prompts={
            "housing_budget": room.take_budget,
            "housing_rent": room.take_rent,
            "housing_advert": room.take_advert,
        },
    )


class _Room:
    """The deeds with what they read."""

    def __init__(self, knowledge: Knowledge, procedures: Sequence[Procedure]) -> None:
        self._knowledge = knowledge
        self._procedures = procedures

    # Wishes

    def show_wishes(self, context: Context, _values: Values) -> Answer:
        _stop_waiting(context)
        student = context.student
        if student is None:
            return _link_first(context.language)
        if not wishes_of(student):
            return self._ask(context, student, WISHES[0], tour=True)
        return _overview(student, context.language)

    def ask_wish(self, context: Context, values: Values) -> Answer:
        _stop_waiting(context)
        student, name = context.student, values.get("name")
        if student is None:
            return _link_first(context.language)
        if name not in WISHES:
            return _overview(student, context.language)
        return self._ask(context, student, name, tour=bool(values.get("tour")))

    def set_wish(self, context: Context, values: Values) -> Answer:
        _stop_waiting(context)
        student, name = context.student, values.get("name")
        if student is None:
            return _link_first(context.language)
        if name not in WISHES:
            return _overview(student, context.language)
        return self._set(context, student, name, values.get("value"), tour=bool(values.get("tour")))

    def skip_wish(self, context: Context, values: Values) -> Answer:
        _stop_waiting(context)
        student, name = context.student, values.get("name")
        if student is None:
            return _link_first(context.language)
        return self._go_on(context, student, name) if name in WISHES else _overview(student, context.language)

    def clear_wish(self, context: Context, values: Values) -> Answer:
        _stop_waiting(context)
        student, name = context.student, values.get("name")
        if student is None:
            return _link_first(context.language)
        if name in WISHES and name in wishes_of(student):
            keep(student, name, None, context.today)
        return _overview(student, context.language)

    def take_budget(self, context: Context, prompt: Values, text: str) -> Answer | None:
        student = context.student
        typed = rent_in(text)
        if student is None or typed is None:
            return None
        # A budget is whole euros; what a student types with cents is rounded down, never above what they can pay.
        return self._set(context, student, "budget", int(typed.total), tour=bool(prompt.get("tour")))

    def _set(self, context: Context, student: Student, name: Wish, value: object, *, tour: bool) -> Answer:
        language = context.language
        result = checked(wishes_of(student), name, value, context.today)
        if isinstance(result, Refused):
            again = self._ask(context, student, name, tour=tour)
            refused = say(language, result.reason)
            return _answer(f"{refused}\n\n{again.text}", again.buttons)
        _stop_waiting(context)
        keep(student, name, result, context.today)
        return self._go_on(context, student, name) if tour else _overview(student, language)

    def _go_on(self, context: Context, student: Student, name: Wish) -> Answer:
        following = next_open(wishes_of(student), name)
        if following is None:
            return _overview(student, context.language)
        return self._ask(context, student, following, tour=True)

    def _ask(self, context: Context, student: Student, name: Wish, *, tour: bool) -> Answer:
        language, wishes = context.language, wishes_of(student)
        buttons = [
            deed_button(label, "housing_wish_set", name=name, value=value, tour=tour)
            for value, label in _choices(name, wishes, _facts(context, student), language, context.today).items()
        ]
        if name in wishes:
            buttons.append(deed_button(say(language, "Take this wish out"), "housing_wish_clear", name=name))
        skip = say(language, "Skip") if tour else say(language, "Leave it as it is")
        buttons.append(deed_button(skip, "housing_wish_skip" if tour else "housing_wishes", name=name))
        if name == "budget":
            expect_answer(context, "housing_budget", LASTS, tour=tour)
        text = say(language, QUESTIONS[name])
        if tour and name == WISHES[0]:
            intro = say(
                language,
                "I note what you would like, for the international office. It applies for nothing and promises no "
                "room; you can skip every question and change each answer later.",
            )
            text = f"{intro}\n\n{text}"
        return _answer(text, buttons)

    # Cost

    def ask_rent(self, context: Context, _values: Values) -> Answer:
        student, language = context.student, context.language
        if student is None:
            return _link_first(language)
        expect_answer(context, "housing_rent", LASTS)
        budget = wishes_of(student).get("budget")
        buttons = []
        if isinstance(budget, int):
            label = say(language, "With my budget: {amount}", amount=money(Decimal(budget), language))
            buttons.append(deed_button(label, "housing_cost_of", rent=budget))
        text = say(
            language,
            "Which rent shall I reckon with? Write the sum in euros a month, 450 for example, or rent and charges "
            "apart: 450 + 40.",
        )
        return _answer(text, buttons)

    def tell_cost(self, context: Context, values: Values) -> Answer:
        student, rent = context.student, values.get("rent")
        if student is None:
            return _link_first(context.language)
        if not isinstance(rent, int) or not is_plausible(Rent(Decimal(rent))):
            return self.ask_rent(context, {})
        return self._tell(context, student, Rent(Decimal(rent)))

    def take_rent(self, context: Context, _prompt: Values, text: str) -> Answer | None:
        student, rent = context.student, rent_in(text)
        if student is None or rent is None:
            return None
        if not is_plausible(rent):
            again = self.ask_rent(context, {})
            refused = say(context.language, NO_BUDGET)
            return _answer(f"{refused}\n\n{again.text}", again.buttons)
        return self._tell(context, student, rent)

    def _tell(self, context: Context, student: Student, rent: Rent) -> Answer:
        _stop_waiting(context)
        language = context.language
        facts = _facts(context, student)
        cost = room_cost(self._knowledge, self._procedures, facts, rent, language, context.today)
        text = cost.text
        if language not in CONTENT_CODES:
            only = say(
                language, "This answer exists in {language} only so far:", language=language_name(DEFAULT, language)
            )
            text = f"{only}\n\n{text}"
        buttons = [
            deed_button(say(language, "Another rent"), "housing_cost"),
            deed_button(say(language, "Check an advert"), "housing_advert"),
        ]
        if cost.offer_person:
            buttons.append(_person(language))
        aid = next(each for each in self._procedures if each.slug == "housing_aid")
        sources = as_sources(cost.sources, aid.valid_until)
        return Answer(text, _understanding(), buttons=tuple(buttons), sources=sources)

    # Adverts

    def ask_advert(self, context: Context, _values: Values) -> Answer:
        expect_answer(context, "housing_advert", LASTS)
        return _answer(ask_for_advert(context.language), [])

    def take_advert(self, context: Context, _prompt: Values, text: str) -> Answer | None:
        language = context.language
        if _LINK_ALONE.fullmatch(text):
            return _answer(only_a_link(language), [])
        if not _is_pasted(text) and not is_advert(self._knowledge, text):
            return None
        _stop_waiting(context)
        return advert_answer(self._knowledge, text, language, context.today)


def _is_pasted(text: str) -> bool:
    """Long enough for an advert, and not one question."""
    stripped = text.strip()
    chinese = sum("\u4e00" <= sign <= "\u9fff" for sign in stripped)
    if len(stripped) < SHORTEST_PASTED and chinese < SHORTEST_PASTED_CHINESE:
        return False
    return "\n" in stripped or not stripped.endswith(("?", "？", "؟"))


def _choices(name: Wish, wishes: Mapping[str, Any], facts: Facts, language: str, today: date) -> dict[str, str]:
    """Value → words on its button; none for the budget, which is typed."""
    if name in ("from", "until"):
        days = days_offered(name, wishes, facts, today)
        return {day.isoformat(): date_words(day, language) for day in days}
    return {value: say(language, label) for value, label in CHOICES.get(name, {}).items()}


def _overview(student: Student, language: str) -> Answer:
    promise = say(language, "It is a note for the international office: nothing is promised and nothing applied for.")
    wishes = wishes_of(student)
    buttons = [deed_button(say(language, NAMES[name]), "housing_wish", name=name) for name in WISHES]
    text = f"{wishes_words(student, language)}\n\n{promise}"
    if any(name not in wishes for name in WISHES):
        more = say(language, "Press one to add or change it.")
        text = f"{text} {more}"
    return _answer(text, buttons)


def _facts(context: Context, student: Student) -> Facts:
    return facts_of(student, steps_done(context.session, student.id))


def _stop_waiting(context: Context) -> None:
    """Give up a question of ours; one of another feature stays."""
    prompt = context.conversation.prompt
    if prompt is not None and str(prompt.get("kind", "")).startswith("housing_"):
        expect_nothing(context)


def _link_first(language: str) -> Answer:
    text = say(
        language,
        "This depends on your own record. Link it, and I work it out for you; an advert I can check without it.",
    )
    link = Button(say(language, "Link my record for my own dates"), {"effect": "start_link"})
    return _answer(text, [link, deed_button(say(language, "Check an advert"), "housing_advert")])


def _person(language: str) -> Button:
    return Button(say(language, "Talk to a person"), {"effect": "request_person"})


def _understanding() -> Understanding:
    return Understanding(intent="button", confidence=1.0, action="chat", group="housing")


def _answer(text: str, buttons: Sequence[Button]) -> Answer:
    return Answer(text, _understanding(), buttons=tuple(buttons))
