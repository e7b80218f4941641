"""The words for dates, reasons and missing facts, in the reader's language: English source strings for gettext."""

from collections.abc import Callable
from datetime import date
from typing import Any

from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say, say_n
from bot.paperwork.rules import DateReason, Flag, Reason, RuleReason, Status, Step, WaitsFor

BY = {
    "programme_start": mark("By {date}, because your programme starts on {day}."),
    "programme_end": mark("By {date}, because your programme ends on {day}."),
    "enrolment_date": mark("By {date}, because you enrol on {day}."),
    "leaving_date": mark("By {date}, because you leave on {day}."),
    "results_date": mark("By {date}, because your results come out on {day}."),
    "internship_start": mark("By {date}, because your internship starts on {day}."),
    "birth_date": mark("By {date}, because you were born on {day}."),
    "visa_granted_on": mark("By {date}, because your visa was granted on {day}."),
    "visa_start": mark("By {date}, because your visa starts on {day}."),
    "visa_expiry": mark("By {date}, because your visa expires on {day}."),
    "card_expiry": mark("By {date}, because your residence card expires on {day}."),
    "date_of_entry": mark("By {date}, because you arrived on {day}."),
    "lease_signed_on": mark("By {date}, because you sign your lease on {day}."),
    "lease_start": mark("By {date}, because your lease starts on {day}."),
    "job_start": mark("By {date}, because your job starts on {day}."),
    "diploma_obtained_on": mark("By {date}, because you obtained your diploma on {day}."),
}
"""One whole sentence per fact: clauses glued together read badly in some languages."""

FACT_SAYS = {
    "programme_start": mark("Your programme starts on {day}."),
    "programme_end": mark("Your programme ends on {day}."),
    "enrolment_date": mark("The date of your enrolment is {day}."),
    "leaving_date": mark("You leave on {day}."),
    "results_date": mark("Your results come out on {day}."),
    "internship_start": mark("Your internship starts on {day}."),
    "birth_date": mark("You were born on {day}."),
    "visa_granted_on": mark("Your visa was granted on {day}."),
    "visa_start": mark("Your visa starts on {day}."),
    "visa_expiry": mark("The last day of your visa is {day}."),
    "card_expiry": mark("The last day of your residence card is {day}."),
    "date_of_entry": mark("You arrived on {day}."),
    "lease_signed_on": mark("The date of signature of your lease is {day}."),
    "lease_start": mark("The first day of your lease is {day}."),
    "job_start": mark("The first day of your job is {day}."),
    "diploma_obtained_on": mark("You obtained your diploma on {day}."),
}

QUESTIONS = {
    "nationality": mark("Which nationality or nationalities do you have?"),
    "nationality_group": mark("You have several nationalities: which passport did you use for your visa?"),
    "country_of_residence": mark("In which country do you live now?"),
    "programme_type": mark("Are you here for an exchange, a degree, a double degree or a short programme?"),
    "pays_tuition_to_junia": mark("Do you pay tuition to JUNIA?"),
    "grant": mark("Do you have a grant, and which one?"),
    "campus": mark("On which campus do you study: Lille, Bordeaux or Châteauroux?"),
    "school": mark("Which school do you join: HEI, ISA or ISEN?"),
    "semester": mark("Do you come for the autumn, the spring or the whole year?"),
    "programme_start": mark("On which day does your programme start?"),
    "programme_end": mark("On which day does your programme end?"),
    "enrolment_date": mark("On which day do you enrol at the school?"),
    "leaving_date": mark("On which day do you leave?"),
    "results_date": mark("On which day do your results come out?"),
    "internship_start": mark("On which day does your internship start?"),
    "birth_date": mark("When were you born?"),
    "document_held": mark(
        "Which document do you hold? Read the sticker in your passport: VLS-TS, VLS-T, a card, or something else."
    ),
    "visa_granted_on": mark("On which day was your visa granted?"),
    "visa_start": mark("On which day does your visa start?"),
    "visa_expiry": mark("On which day does your visa expire?"),
    "card_expiry": mark("On which day does your residence card expire?"),
    "date_of_entry": mark("On which day did you arrive, or will you arrive, in France?"),
    "date_of_entry_kind": mark("Have you arrived in France already?"),
    "earlier_stays": mark("Have you stayed in France before, and when?"),
    "housing_status": mark("Where do you live, or are you still searching?"),
    "lease_signed_on": mark("On which day do you sign your lease?"),
    "lease_start": mark("On which day does your lease start?"),
    "guarantor": mark("Do you have a guarantor for your rent: a person, Visale, another one, or none?"),
    "bank_account": mark("Do you have a bank account in France or in the euro area?"),
    "health_cover": mark(
        "How are you insured for health: European card (EHIC), S1 form, private insurance, or not yet?"
    ),
    "birth_certificate_language": mark("In which language is your birth certificate?"),
    "work_status": mark("Do you work, or do you have a job offer?"),
    "job_start": mark("On which day does your job start?"),
    "hours_this_permit_year": mark("How many hours have you worked since your present permit began?"),
    "cvec_paid_by_mistake": mark("Did you pay the CVEC although you did not have to?"),
    "wants_buddy": mark("Would you like to have a buddy?"),
    "special_needs_declared": mark(
        "Do you have special needs (a disability, health, other) that you want to tell the school about?"
    ),
    "diploma_obtained_on": mark("On which day did you obtain your diploma?"),
    "plan_after": mark("What do you plan after your programme: look for a job, leave, or go on studying?"),
    "steps_done": mark("Which steps have you done already?"),
}


def by_words(step: Step, language: str) -> str:
    """By 12 December 2026, because you arrived on 12 September 2026. Empty for a step without a date."""
    if step.due is None:
        return ""
    reason = next((each for each in step.because if isinstance(each, DateReason)), None)
    words = date_words(step.due, language)
    if reason is None:
        return say(language, "By {date}.", date=words)
    message = mark("By {date}, if you arrive on {day} as planned.") if reason.planned else BY[reason.fact]
    return say(language, message, date=words, day=date_words(reason.day, language))


def overdue_words(due: date, today: date, language: str) -> str:
    """The date was 1 December 2026 (11 days ago)."""
    return say_n(
        language,
        "The date was {date} ({number} day ago).",
        "The date was {date} ({number} days ago).",
        (today - due).days,
        date=date_words(due, language),
    )


def fact_words(reason: DateReason, language: str) -> str:
    """You arrived on 12 September 2026."""
    message = mark("You plan to arrive on {day}.") if reason.planned else FACT_SAYS[reason.fact]
    return say(language, message, day=date_words(reason.day, language))


def reason_words(reason: Reason, language: str) -> str:
    match reason:
        case RuleReason(text):
            return text.get(language)
        case DateReason():
            return fact_words(reason, language)
        case WaitsFor(title):
            return say(language, "This comes first: {step}.", step=title.get(language))


def reasons_in_words(step: Step, language: str) -> list[str]:
    """Every reason as a sentence; never empty."""
    reasons = [reason_words(reason, language) for reason in step.because]
    if step.done_on is not None:
        reasons.append(say(language, "You did this on {date}.", date=date_words(step.done_on, language)))
    if Flag.ENTRY_BEFORE_VISA in step.flags:
        reasons.append(
            say(language, "The recorded arrival lies before the start of the visa, so one of the two is wrong.")
        )
    elif step.missing_facts:
        reasons.append(
            say(language, "Something is not in your record yet: {question}", question=question(step, language))
        )
    return reasons


def question(step: Step, language: str) -> str:
    """The question for the first fact that is missing; empty when none is."""
    return say(language, QUESTIONS[step.missing_facts[0]]) if step.missing_facts else ""


def flag_words(step: Step, language: str) -> str:
    """Why to act before the due date; empty when nothing is special about the day."""
    if Flag.SUNDAY in step.flags:
        return say(language, "This is a Sunday: do it before.")
    if Flag.HOLIDAY in step.flags:
        return say(language, "This is a public holiday in France: do it before.")
    return ""


def papers_words(step: Step, language: str) -> str:
    """The papers that the step asks for, in one line."""
    return "; ".join(each.get(language) for each in step.needs)


def step_as_json(step: Step, language: str) -> dict[str, Any]:
    """The step as `accueil path --json` prints it; titles and reasons are in the reader's language."""
    source = step.sources[0]
    return {
        "slug": step.slug,
        "title": step.title.get(language),
        "status": str(step.status),
        "due": step.due.isoformat() if step.due else None,
        "opens": step.opens.isoformat() if step.opens else None,
        "overdue": step.overdue,
        "provisional": step.provisional,
        "flags": [str(flag) for flag in step.flags],
        "because": reasons_in_words(step, language),
        "missing_facts": list(step.missing_facts),
        "source": {
            "title": source.title,
            "url": str(source.url),
            "checked_on": source.checked_on.isoformat(),
            "valid_until": step.valid_until.isoformat(),
        },
    }


def step_in_full_as_json(step: Step, language: str, fill: Callable[[str], str]) -> dict[str, Any]:
    """`step_as_json` with everything that a list on a screen shows; `fill` puts the figures into a text."""
    notes = [reason.text.get(language) for reason in step.because if isinstance(reason, RuleReason)][1:]
    where = {"title": step.where.title.get(language), "url": str(step.where.url)} if step.where else None
    short = step_as_json(step, language)
    return {
        **short,
        "because": [fill(each) for each in short["because"]],
        "do": fill(step.do.get(language)),
        "late": fill(step.late.get(language)),
        "needs": [fill(each.get(language)) for each in step.needs],
        "where": where,
        "done_on": step.done_on.isoformat() if step.done_on else None,
        "note": fill(" ".join(notes)) or None,
    }


def line_words(step: Step, language: str, today: date) -> str:
    """One line of the list of what is left, with its date; Markdown."""
    title = step.title.get(language)
    if step.due is not None and step.overdue:
        return f"**{title}**: {overdue_words(step.due, today, language)}"
    if step.due is not None:
        by = date_words(step.due, language)
        if step.status is Status.BLOCKED and step.opens is not None and step.opens > today:
            message = (
                mark("**{step}**: from {opens} to {date}, if you arrive as planned.")
                if step.provisional
                else mark("**{step}**: from {opens} to {date}.")
            )
            return say(language, message, step=title, opens=date_words(step.opens, language), date=by)
        message = (
            mark("**{step}**: by {date}, if you arrive as planned.")
            if step.provisional
            else mark("**{step}**: by {date}.")
        )
        return say(language, message, step=title, date=by)
    if step.missing_facts:
        return say(language, "**{step}**: no date yet. {question}", step=title, question=question(step, language))
    if step.opens is not None and step.opens > today:
        return say(language, "**{step}**: from {opens} on.", step=title, opens=date_words(step.opens, language))
    if step.status is Status.UNKNOWN:
        return say(
            language, "**{step}**: please ask a person of the office, the rule is not clear for you.", step=title
        )
    return say(language, "**{step}**: you can do this now.", step=title)
