"""For any facts that can be recorded, the path is there and does not contradict itself."""

from datetime import date
from typing import Any, Literal, get_args, get_origin

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.i18n.languages import CODES
from bot.paperwork.answer import path_summary, personal_sentence
from bot.paperwork.rules import Flag, Status, Step, day_flags, path
from bot.paperwork.wording import reasons_in_words, step_as_json
from bot.students.facts import DATE_FACTS, STEP_SLUGS, Facts
from tests.contract.test_procedures import PROCEDURES

DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))
LIKELY_DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31)) | DAYS


def _choices(name: str) -> list[Any]:
    for kind in get_args(Facts.model_fields[name].annotation):
        if get_origin(kind) is Literal:
            return list(get_args(kind))
    return [True, False]


CHOSEN = sorted(
    set(Facts.model_fields)
    - {*DATE_FACTS, "nationality", "country_of_residence", "earlier_stays", "birth_certificate_language"}
    - {"hours_this_permit_year", "steps_done"}
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(DATE_FACTS, LIKELY_DAYS),
        **{name: st.sampled_from(_choices(name)) for name in CHOSEN},
        "nationality": st.lists(st.sampled_from(["FR", "DE", "DZ", "GB", "TR", "IN", "CA"]), min_size=1, max_size=2),
        "steps_done": st.dictionaries(st.sampled_from(STEP_SLUGS), LIKELY_DAYS, max_size=4),
    },
).map(Facts.model_validate)


@given(facts=FACTS, today=LIKELY_DAYS, language=st.sampled_from(CODES))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_path_never_fails_and_its_statuses_agree_with_its_dates(facts: Facts, today: date, language: str) -> None:
    steps = path(PROCEDURES, facts, today)

    assert sorted(step.slug for step in steps) == sorted(procedure.slug for procedure in PROCEDURES)
    for step in steps:
        _agrees_with_itself(step, facts, today)
        assert personal_sentence(step, facts, language, today, fill=lambda text: text).text != ""
        assert reasons_in_words(step, language) != []
        assert step_as_json(step, language)["slug"] == step.slug
    assert path_summary(steps, language, today).text != ""


def _agrees_with_itself(step: Step, facts: Facts, today: date) -> None:
    assert step.overdue == (step.status is Status.OPEN and step.due is not None and step.due < today)
    if step.status is Status.NOT_NEEDED:
        assert (step.due, step.opens, step.flags, step.missing_facts) == (None, None, (), ())
    if step.status is Status.DONE:
        assert (step.provisional, step.flags, step.missing_facts) == (False, (), ())
    if step.status is Status.UNKNOWN:
        assert step.missing_facts or step.because
    if step.status is Status.OPEN and step.opens is not None and not step.overdue:
        assert step.opens <= today
    if step.provisional:
        assert facts.date_of_entry_kind == "planned"
    if Flag.ENTRY_BEFORE_VISA in step.flags:
        assert (step.status, step.due, step.missing_facts) == (Status.UNKNOWN, None, ("date_of_entry",))
    elif step.due is not None and step.status is not Status.DONE:
        assert step.flags == day_flags(step.due)
    # Two facts are asked for again although they are recorded: an arrival that cannot be, an enrolment of last year.
    assert {name for name in step.missing_facts if getattr(facts, name) is not None} <= {
        "date_of_entry",
        "enrolment_date",
    }
