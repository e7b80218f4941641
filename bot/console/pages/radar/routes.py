"""The radar: who is stuck at which step, the list of names, a reminder to them; how the weeks went; the report."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.exports import exported
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.radar.weeks import DEFAULT_LENGTH, LENGTHS, csv_rows, view_of, weeks_until
from bot.console.pages.radar.words import EVERY, FILTERS, GROUPINGS, group_words, why_words
from bot.content.render import render as fill
from bot.errors import AccueilError, InvalidField, NotAllowed, NotFound
from bot.i18n.formats import date_words
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say, say_n
from bot.identity.audit import record
from bot.identity.models import Role
from bot.identity.staff import SignedIn
from bot.paperwork.formula import school_year_start
from bot.paperwork.rules import path
from bot.radar.evidence import Sources, checked_period
from bot.radar.report import evidence_report
from bot.radar.rules import By, Stuck, chosen, counted, group_of
from bot.radar.watch import Picture
from bot.reminders.campaigns import MOST_LEFT_OUT, Audience, Wish, audience, checked, start, undo, undoable
from bot.reminders.models import Campaign, CampaignMember, Reminder, ReminderState
from bot.reminders.queries import steps_done_of
from bot.reminders.wording import Note, clock_words, plain, steps_note
from bot.students.models import Student
from bot.students.records import facts_of
from bot.students.report import as_text

PAGE = "/staff/radar"
MAY_SEE_NAMES = frozenset({Role.COORDINATOR, Role.ADMIN})
"""And may write to the students."""
DEFAULT_LEFT_OUT = 20
"""Percent."""
ANY = "any"
UNDO_FOR = timedelta(minutes=10)
"""How long a reminder waits before the first message goes out."""

SignedInDep = Annotated[SignedIn, Depends(by_session)]


@dataclass(frozen=True)
class Choice:
    """The step and the groups that were chosen; a grouping that is not there was left open."""

    step: str
    groups: Mapping[By, str]


def render(request: Request, signed_in: SignedIn) -> Response:
    """The page; `?by=` groups the counts, `?show=weeks` and `?show=report` are its other views."""
    services, query = services_of(request), request.query_params
    if query.get("show") == "weeks":
        return _weeks(services, signed_in, _length(query.get("weeks")))
    if query.get("show") == "report":
        today = day_in_france(services.clock.now())
        return _report(services, signed_in, school_year_start(today).isoformat(), today.isoformat(), {})
    by = By(query["by"]) if query.get("by") in list(By) else By.CAMPUS
    return _page(services, signed_in, by, reminded=_number(query.get("reminded")), undone="undone" in query)


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/students", students_page, methods=["GET"])
    router.add_api_route(f"{PAGE}/stuck.csv", stuck_file, methods=["GET"])
    router.add_api_route(f"{PAGE}/weeks.csv", weeks_file, methods=["GET"])
    router.add_api_route(f"{PAGE}/report.pdf", report_file, methods=["GET"])
    router.add_api_route(f"{PAGE}/remind", remind_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/undo", undo_form, methods=["POST"])
    return router


def students_page(
    request: Request,
    services: ServicesDep,
    signed_in: SignedInDep,
) -> Response:
    """The names of those stuck at a step, and the question before a reminder. In the audit log.

    Raises:
        NotAllowed: the role sees counts alone.
    """
    _check_names(signed_in)
    return _students(services, signed_in, _choice(request.query_params))


def stuck_file(services: ServicesDep, signed_in: SignedInDep, by: Annotated[By, Query()] = By.CAMPUS) -> Response:
    """The counts of the page as CSV."""
    language = _language(signed_in)
    picture = services.radar.picture(services.clock.now())
    groups, rows = counted(picture.students, picture.stuck, by)
    titles, hidden = _titles(services, language), say(language, "hidden")
    head = [say(language, "Step"), say(language, "Stuck"), *(group_words(by, group, language) for group in groups)]
    lines = (
        [titles.get(row.step, row.step)]
        + [hidden if count is None else str(count) for count in (row.total, *(row.groups[group] for group in groups))]
        for row in rows
    )
    return _csv(services, signed_in, "stuck.csv", [head, *lines])


def weeks_file(
    services: ServicesDep, signed_in: SignedInDep, weeks: Annotated[str, Query(max_length=4)] = str(DEFAULT_LENGTH)
) -> Response:
    """The counts of the weeks as CSV, one line for each figure."""
    language = _language(signed_in)
    found = weeks_until(services, services.clock.now(), _length(weeks))
    head = [say(language, each) for each in CSV_COLUMNS]
    return _csv(services, signed_in, "weeks.csv", [head, *csv_rows(services, found, language)])


def report_file(
    services: ServicesDep,
    signed_in: SignedInDep,
    first: Annotated[str, Query(max_length=10)] = "",
    last: Annotated[str, Query(max_length=10)] = "",
    written_in: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    """The evidence report as a PDF; the page again with what to mend where a date is wrong."""
    now, language = services.clock.now(), console_language(written_in or signed_in.staff.language)
    try:
        period = checked_period(_day(first, "from"), _day(last, "to"), day_in_france(now))
    except InvalidField as error:
        faults = {str(error.details["field"]): say(_language(signed_in), PERIOD_FAULTS[str(error.details["field"])])}
        return _report(services, signed_in, first, last, faults)
    sources = Sources(services.database, services.knowledge, services.procedures)
    pdf = evidence_report(sources, period, language, now)
    name = f"accueil-{period.first}-{period.last}-{language}.pdf"
    return exported(services, signed_in, name, pdf, "application/pdf")


PERIOD_FAULTS = {
    "from": mark("Write the first day of the period: not after its last one, and at most five years before it."),
    "to": mark("Write the last day of the period: today at the latest."),
}


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidField(mark("“{text}” is not a date such as 2026-09-01."), field=field, text=text) from error


def _report(services: Services, signed_in: SignedIn, first: str, last: str, faults: Mapping[str, str]) -> Response:
    language, today = _language(signed_in), day_in_france(services.clock.now())
    notices = [Notice("trouble", say(language, "No report was made. Please look at the form below."))] if faults else []
    return office_page(
        "radar_report.html",
        PAGE,
        signed_in,
        422 if faults else 200,
        view="report",
        notices=notices,
        first=first,
        last=last,
        today=today.isoformat(),
        written_in=language,
        faults=faults,
    )


CSV_COLUMNS = (mark("Week"), mark("From"), mark("Figure"), mark("Group"), mark("Value"))


def _csv(services: Services, signed_in: SignedIn, name: str, lines: Iterable[Sequence[str]]) -> Response:
    out = StringIO()
    csv.writer(out, delimiter=";").writerows([as_text(cell) for cell in line] for line in lines)
    # Excel takes a CSV for UTF-8 only when it begins with this sign.
    text = "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()
    return exported(services, signed_in, name, text, "text/csv; charset=utf-8")


def _weeks(services: Services, signed_in: SignedIn, length: int) -> Response:
    language = _language(signed_in)
    view = view_of(services, weeks_until(services, services.clock.now(), length), language)
    waits = [(row["name"], row) for row in view["rows"]]
    return office_page(
        "radar_weeks.html", PAGE, signed_in, view="weeks", lengths=LENGTHS, length=length, waits=waits, **view
    )


def _length(text: str | None) -> int:
    number = _number(text)
    return number if number in LENGTHS else DEFAULT_LENGTH


def remind_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    step: Annotated[str, Form(max_length=60)] = "",
    intake: Annotated[str, Form(max_length=60)] = ANY,
    campus: Annotated[str, Form(max_length=60)] = ANY,
    programme: Annotated[str, Form(max_length=60)] = ANY,
    left_out: Annotated[str, Form(max_length=10)] = str(DEFAULT_LEFT_OUT),
) -> Response:
    """Plan one message to each of those stuck; the first goes out after UNDO_FOR.

    Raises:
        NotAllowed: the role only reads.
    """
    _check_names(signed_in)
    given = {"step": step, "intake": intake, "campus": campus, "programme": programme}
    choice, now = _choice(given), services.clock.now()
    try:
        wish = checked(Wish(choice.step, "", {}, _share(left_out)), services.procedures)
        who = _audience(services, wish, choice, now)
        wish = replace(wish, chosen_by={str(by): group for by, group in choice.groups.items() if group})
        with services.database.write() as session:
            campaign = start(session, wish, who, now, staff_id=signed_in.staff.id, wait=UNDO_FOR)
            where = urlencode({"reminded": campaign.id})
    except InvalidField as error:
        return _students(services, signed_in, choice, fault=error, left_out=left_out)
    return RedirectResponse(f"{PAGE}?{where}", 303, headers=HEADERS)


def undo_form(
    services: ServicesDep, signed_in: SignedInDep, campaign: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """Take a reminder back before its first message. Raises NotAllowed where the role only reads."""
    _check_names(signed_in)
    try:
        with services.database.write() as session:
            undo(session, _number(campaign) or 0, services.clock.now(), staff_id=signed_in.staff.id)
    except (InvalidField, NotFound):
        language = _language(signed_in)
        text = say(language, "It cannot be undone any more: the first message has gone out, or it was undone before.")
        return _page(services, signed_in, By.CAMPUS, status=409, notices=[Notice("trouble", text)])
    return RedirectResponse(f"{PAGE}?undone=1", 303, headers=HEADERS)


def _page(
    services: Services,
    signed_in: SignedIn,
    by: By,
    *,
    status: int = 200,
    notices: list[Notice] | None = None,
    reminded: int | None = None,
    undone: bool = False,
) -> Response:
    language, now = _language(signed_in), services.clock.now()
    picture = services.radar.picture(now)
    groups, rows = counted(picture.students, picture.stuck, by)
    notices = notices or []
    if undone:
        notices.append(Notice("done", say(language, "The reminder was taken back; nobody gets it.")))
    titles = _titles(services, language)
    return office_page(
        "radar.html",
        PAGE,
        signed_in,
        status,
        notices=notices,
        view="stuck",
        by=by,
        groupings=[(each, say(language, GROUPINGS[each])) for each in By],
        groups=[group_words(by, group, language) for group in groups],
        rows=[
            {
                "step": row.step,
                "title": titles.get(row.step, row.step),
                "total": row.total,
                "cells": [row.groups[group] for group in groups],
            }
            for row in rows
        ],
        looked_at=_looked_at_words(picture, language),
        has_students=bool(picture.students),
        sees_names=signed_in.staff.role in MAY_SEE_NAMES,
        reminded=_reminded(services, reminded, titles, language) if signed_in.staff.role in MAY_SEE_NAMES else None,
    )


def _students(
    services: Services,
    signed_in: SignedIn,
    choice: Choice,
    *,
    fault: AccueilError | None = None,
    left_out: str = str(DEFAULT_LEFT_OUT),
) -> Response:
    language, now = _language(signed_in), services.clock.now()
    titles = _titles(services, language)
    if choice.step not in titles:
        text = say(language, "There is no such step. Choose one of the list.")
        return _page(services, signed_in, By.CAMPUS, status=404, notices=[Notice("trouble", text)])
    picture = services.radar.picture(now)
    stuck = chosen(picture.stuck, choice.step, choice.groups)
    who = _audience(services, Wish(choice.step), choice, now)
    with services.database.write() as session:
        planned = [each.id for each in undoable(session) if each.step == choice.step]
        people = _people(session, stuck)
        groups = {str(by): group for by, group in choice.groups.items()}
        who_looked = signed_in.staff.id
        record(session, "radar_list", staff_id=who_looked, now=now, step=choice.step, groups=groups, count=len(people))
    return office_page(
        "radar_students.html",
        PAGE,
        signed_in,
        200 if fault is None else 422,
        view="stuck",
        notices=[Notice("trouble", say(language, "Nothing was sent. Please look at the form below."))] if fault else [],
        reminded=[shown for each in planned if (shown := _reminded(services, each, titles, language)) is not None],
        step=choice.step,
        heading=titles[choice.step],
        people=[
            {
                "name": f"{person.given_name} {person.family_name}",
                "email": person.email,
                "groups": ", ".join(group_words(by, group_of(each, by), language) for by in FILTERS),
                "why": why_words(each, language),
            }
            for each, person in people
        ],
        filters=_filters(picture, choice, language),
        choice=choice,
        reachable=len(who.student_ids),
        default_left_out=DEFAULT_LEFT_OUT,
        without=who.left_out(DEFAULT_LEFT_OUT / 100),
        not_reached=len(people) - len(who.student_ids),
        texts=_texts(
            services, choice.step, [person for _, person in people if person.id in who.student_ids], now, language
        ),
        with_legal_date=who.with_legal_date,
        left_out=left_out,
        most_left_out=round(100 * MOST_LEFT_OUT),
        fault=say(language, FAULTS[str(fault.details["field"])]) if fault is not None else "",
    )


FAULTS = {
    "step": mark("Choose a step at which somebody is stuck and can be written to now."),
    "left_out": mark("Write a whole number from 0 to 50."),
}
"""What to do about a field; the sentences of the errors themselves are for the command line."""


def _choice(given: Mapping[str, str]) -> Choice:
    wanted = {by: given.get(str(by), ANY)[:60] for by in FILTERS}
    return Choice(given.get("step", "")[:60], {by: group for by, group in wanted.items() if group != ANY})


def _filters(picture: Picture, choice: Choice, language: str) -> list[dict[str, Any]]:
    at_step = [each for each in picture.stuck if each.step == choice.step]
    return [
        {
            "name": str(by),
            "label": say(language, label),
            "chosen": choice.groups.get(by, ANY),
            "choices": [
                (ANY, say(language, EVERY[by])),
                *(
                    (group, group_words(by, group, language))
                    for group in sorted({group_of(each, by) for each in at_step})
                ),
            ],
        }
        for by, label in FILTERS.items()
    ]


def _share(percent: str) -> float:
    try:
        return int(percent) / 100
    except ValueError as error:
        raise InvalidField(mark("The share is not a whole number of percent."), field="left_out") from error


def _audience(services: Services, wish: Wish, choice: Choice, now: datetime) -> Audience:
    """Those stuck who may be written to: who stopped such messages or is left out of another campaign is not."""
    stuck = [each.student.student_id for each in _stuck(services, choice, now)]
    return audience(services.database, wish, services.procedures, now, among=stuck)


def _stuck(services: Services, choice: Choice, now: datetime) -> list[Stuck]:
    return chosen(services.radar.picture(now).stuck, choice.step, choice.groups)


def _people(session: Session, stuck: list[Stuck]) -> list[tuple[Stuck, Student]]:
    """With their records as they are now: whoever was erased in this minute is not among them."""
    ids = [each.student.student_id for each in stuck]
    records = {each.id: each for each in session.scalars(select(Student).where(Student.id.in_(ids))).unique()}
    return [(each, records[each.student.student_id]) for each in stuck if each.student.student_id in records]


def _texts(
    services: Services, step: str, people: list[Student], now: datetime, language: str
) -> list[tuple[str, str, str, str]]:
    """(language, its name, subject, text) of the message, as the first who reads that language gets it by mail."""
    first = {person.language: person for person in reversed(people)}
    found = []
    for code in sorted(first, key=lambda code: language_name(code, language)):
        note = _note(services, step, first[code], code, now)
        if note is not None:
            found.append((code, language_name(code, language), note.subject, plain(note.text)))
    return found


def _note(services: Services, step: str, student: Student, code: str, now: datetime) -> Note | None:
    today = day_in_france(now)
    with services.database.read() as session:
        done = steps_done_of(session, [student.id])[student.id]
    steps = path(services.procedures, facts_of(student, done), today)
    wanted = next((each for each in steps if each.slug == step), None)
    if wanted is None:
        return None
    return steps_note(
        [wanted], 0, student.given_name, code, today, lambda text, words: fill(text, services.knowledge, words, today)
    )


def _reminded(
    services: Services, campaign_id: int | None, titles: Mapping[str, str], language: str
) -> dict[str, Any] | None:
    """A reminder that is planned, with the way back while nothing has gone out."""
    if campaign_id is None:
        return None
    with services.database.read() as session:
        campaign = session.get(Campaign, campaign_id)
        if campaign is None:
            return None
        rows = session.execute(
            select(Reminder.state, func.count(), func.min(Reminder.due_at))
            .where(Reminder.subject == f"campaign:{campaign_id}")
            .group_by(Reminder.state)
        ).all()
        without = session.scalar(
            select(func.count()).where(
                CampaignMember.campaign_id == campaign_id, CampaignMember.gets_message.is_(False)
            )
        )
    states = {state: (count, due) for state, count, due in rows}
    count = sum(each for each, _ in states.values())
    first = states[ReminderState.PLANNED][1] if ReminderState.PLANNED in states else None
    lines = [
        say_n(
            language,
            "A reminder of “{step}” is planned for {number} student.",
            "A reminder of “{step}” is planned for {number} students.",
            count,
            step=titles.get(campaign.step, campaign.step),
        )
    ]
    if without:
        lines.append(
            say_n(
                language,
                "{number} student gets none, by chance, to compare.",
                "{number} students get none, by chance, to compare.",
                without,
            )
        )
    can_undo = set(states) == {ReminderState.PLANNED}
    if can_undo and first is not None:
        day, time = date_words(day_in_france(first), language), clock_words(first, language)
        lines.append(say(language, "The first goes out on {day} at {time}.", day=day, time=time))
    return {"id": campaign_id, "words": " ".join(lines), "can_undo": can_undo}


def _looked_at_words(picture: Picture, language: str) -> str:
    return say_n(
        language,
        "{number} student, as at {time}.",
        "{number} students, as at {time}.",
        len(picture.students),
        time=clock_words(picture.at, language),
    )


def _titles(services: Services, language: str) -> dict[str, str]:
    return {str(each.slug): each.title.get(language) for each in services.procedures}


def _check_names(signed_in: SignedIn) -> None:
    if signed_in.staff.role not in MAY_SEE_NAMES:
        raise NotAllowed


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 9 else None


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
