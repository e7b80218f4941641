"""Buddies: run the matching on a copy, look at it, publish it, undo it; pairs, alerts, the report of the intake."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from io import StringIO
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.buddies.interests import interest_name
from bot.buddies.matching import Weights, load_weights, weights_from
from bot.buddies.matching.weights import LARGEST, TERMS
from bot.buddies.models import (
    OPEN,
    AlertReason,
    BuddyAlert,
    BuddyPairing,
    BuddyRole,
    BuddyRule,
    BuddyRun,
    EndReason,
    PairingState,
    RunState,
)
from bot.buddies.pairing import end_pairing, rematch
from bot.buddies.pool import pool, signed_up
from bot.buddies.report import SMALLEST, Group, counts, intake, intake_days
from bot.buddies.runs import RunOutdated, compare, make_run, may_be_undone, publish, set_rule, totals_of, undo
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.buddies import upload
from bot.console.pages.buddies.words import (
    ALERTS,
    ENDS,
    RUNS,
    STATES,
    WEIGHTS,
    campus_name,
    missing_words,
    person_name,
    row_words,
)
from bot.i18n.formats import date_words, moment_words
from bot.i18n.translate import mark, say
from bot.identity.audit import record
from bot.identity.staff import SignedIn
from bot.students.models import Student

PAGE = "/staff/buddies"
ROWS = 200
"""Rows of a table at once."""
MOST_RUNS = 10
LARGEST_ID = 2**31 - 1

NOTICES = {
    "made": Notice("done", mark("The matching was run on a copy. Nobody has been told anything.")),
    "published": Notice(
        "done", mark("Published. The first messages go out in a quarter of an hour; until then you can undo it.")
    ),
    "undone": Notice("done", mark("Taken back. Nobody has heard of it.")),
    "late": Notice("warning", mark("Too late to undo: the first message has gone out.")),
    "outdated": Notice(
        "warning",
        mark("Since this run somebody signed up, left or was paired, so nothing was published. Run it again."),
    ),
    "rule": Notice("done", mark("Noted for the next run.")),
    "rematched": Notice("done", mark("The pair has ended and the next best buddy will be asked.")),
    "nobody": Notice("warning", mark("The pair has ended. Nobody else fits now: the newcomer is on the waiting list.")),
    "settled": Notice("done", mark("Settled.")),
    "gone": Notice("warning", mark("This is no longer here, or somebody else has settled it.")),
    "weights": Notice("trouble", mark("The weights are not right, so nothing was run. Please look at the form below.")),
}
"""By the word in the address after a form was sent."""
REPORT_COLUMNS = (
    mark("Campus"),
    mark("Signed up"),
    mark("Paired"),
    mark("Both said yes"),
    mark("Met"),
    mark("Answers"),
    mark("Content"),
    mark("Days until both said yes"),
)

SignedInDep = Annotated[SignedIn, Depends(by_session)]
Number = Annotated[int, Form(ge=1, le=LARGEST_ID)]


def render(request: Request, signed_in: SignedIn) -> Response:
    """The page; `?run=ID` shows a run, `?from=N` its rows from there, `?import=NAME` a list that was sent,
    `?report=csv` the report as a file.
    """
    services, query = services_of(request), request.query_params
    if (name := query.get("import")) is not None:
        return upload.preview(services, signed_in, name)
    if query.get("report") == "csv":
        return _report_file(services, signed_in)
    return _page(
        services,
        signed_in,
        run_id=_number(query.get("run")),
        start=_number(query.get("from")) or 0,
        done=query.get("done", ""),
    )


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/run", run_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/rule", rule_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/publish", publish_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/undo", undo_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/alert", alert_form, methods=["POST"])
    upload.add_routes(router)
    return router


async def run_form(request: Request, services: ServicesDep, signed_in: SignedInDep) -> Response:
    """Run the matching with the weights of the form; left out ones are those of the file."""
    form = await request.form(max_fields=30)
    typed = {name: str(form.get(name, "")).strip()[:20] for name in TERMS if name in form}
    try:
        weights = _weights(typed, _weights_of_file(services))
    except ValueError as error:
        return _page(services, signed_in, status=422, done="weights", typed=typed, fault=str(error))
    run_id = await run_in_threadpool(_make, services, weights, signed_in)
    return _back("made", run=run_id)


def _make(services: Services, weights: Weights, signed_in: SignedIn) -> int:
    now = services.clock.now()
    run_id = make_run(services.database, weights, now, signed_in.staff.id)
    with services.database.write() as session:
        record(session, "buddies_run", staff_id=signed_in.staff.id, now=now, run=run_id)
    return run_id


def rule_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    newcomer: Number,
    buddy: Number,
    rule: Annotated[str, Form(max_length=10)],
    run: Annotated[int, Form(ge=0, le=LARGEST_ID)] = 0,
) -> Response:
    """Lock two people, rule them out, or forget what was said of them."""
    is_wanted = {"lock": True, "forbid": False}.get(rule)
    now = services.clock.now()
    with services.database.write() as session:
        people = [session.get(Student, each) for each in (newcomer, buddy)]
        if None in people or newcomer == buddy:
            return _back("gone", run=run)
        set_rule(session, newcomer, buddy, now, is_wanted=is_wanted, staff_id=signed_in.staff.id)
        record(
            session,
            "buddies_rule",
            staff_id=signed_in.staff.id,
            now=now,
            newcomer_id=newcomer,
            buddy_id=buddy,
            is_wanted=is_wanted,
        )
    return _back("rule", run=run)


def publish_form(services: ServicesDep, signed_in: SignedInDep, run: Number) -> Response:
    now = services.clock.now()
    try:
        with services.database.write() as session:
            count = publish(session, run, now)
            record(session, "buddies_published", staff_id=signed_in.staff.id, now=now, run=run, pairs=count)
    except RunOutdated:
        return _back("outdated", run=run)
    return _back("published", run=run)


def undo_form(services: ServicesDep, signed_in: SignedInDep, run: Number) -> Response:
    now = services.clock.now()
    with services.database.write() as session:
        if not undo(session, run, now):
            return _back("late", run=run)
        record(session, "buddies_undone", staff_id=signed_in.staff.id, now=now, run=run)
    return _back("undone", run=run)


def alert_form(
    services: ServicesDep, signed_in: SignedInDep, alert: Number, action: Annotated[str, Form(max_length=10)]
) -> Response:
    """Settle an alert; `rematch` also ends the pair and asks the next best buddy."""
    now, staff_id = services.clock.now(), signed_in.staff.id
    with services.database.write() as session:
        found = session.get(BuddyAlert, alert, with_for_update=True)
        if found is None or found.settled_at is not None or action not in ("rematch", "settle"):
            return _back("gone")
        done = "settled"
        if action == "rematch":
            done = _rematch(services, session, found, now)
        found.settled_at, found.settled_by = now, staff_id
        record(session, f"buddies_{done}", staff_id=staff_id, now=now, alert=alert)
    return _back(done)


def _rematch(services: Services, session: Session, alert: BuddyAlert, now: datetime) -> str:
    newcomer_id = alert.student_id
    if alert.pairing_id is not None:
        pairing = session.get_one(BuddyPairing, alert.pairing_id)
        newcomer_id = pairing.newcomer_id
        reason = EndReason.TROUBLE if alert.reason == AlertReason.TROUBLE else EndReason.OFFICE
        end_pairing(session, pairing, reason, now)
    found = rematch(session, newcomer_id, now, _weights_of_file(services))
    return "rematched" if found is not None else "nobody"


def _page(
    services: Services,
    signed_in: SignedIn,
    *,
    status: int = 200,
    run_id: int | None = None,
    start: int = 0,
    done: str = "",
    typed: Mapping[str, str] | None = None,
    fault: str = "",
) -> Response:
    language, now = _language(signed_in), services.clock.now()
    notice = (NOTICES | upload.NOTICES).get(done)
    with services.database.read() as session:
        runs = session.scalars(select(BuddyRun).order_by(BuddyRun.id.desc()).limit(MOST_RUNS)).all()
        shown = session.get(BuddyRun, run_id) if run_id else next(iter(runs), None)
        weights = {name: f"{value:g}" for name, value in asdict(_weights_of(shown, services)).items()}
        people = pool(session, now)
        values: dict[str, Any] = {
            "counts": counts(session),
            "waiting": len(people.newcomers),
            "free": sum(each.capacity for each in people.buddies),
            "alerts": _alerts(session, language),
            "runs": [
                {
                    "id": each.id,
                    "state": say(language, RUNS[RunState(each.state)]),
                    "made": moment_words(each.made_at, language),
                    "totals": totals_of(each),
                }
                for each in runs
            ],
            "run": _shown(session, shown, runs, start, language) if shown is not None else None,
            "pairings": _pairings(session, language),
            "rules": _rules(session, language),
            "newcomers": _choices(session, BuddyRole.NEWCOMER, now, language),
            "buddies": _choices(session, BuddyRole.BUDDY, now, language),
            "report": _report(services, session, now, language),
        }
    return office_page(
        "buddies.html",
        PAGE,
        signed_in,
        status,
        notices=[Notice(notice.kind, say(language, notice.text))] if notice is not None else [],
        weights=[(name, say(language, WEIGHTS[name]), (typed or weights).get(name, "")) for name in TERMS],
        largest=f"{LARGEST:g}",
        fault=fault,
        smallest=SMALLEST,
        upload=upload.upload_box(),
        **values,
    )


def _shown(
    session: Session,
    run: BuddyRun,
    runs: Sequence[BuddyRun],
    start: int,
    language: str,
) -> dict[str, Any]:
    rules = {(rule.newcomer_id, rule.buddy_id): rule.is_wanted for rule in session.scalars(select(BuddyRule))}
    rows = run.rows[start : start + ROWS]
    names = _names(session, {row.newcomer_id for row in run.rows} | {row.buddy_id or 0 for row in run.rows}, language)
    label = partial(interest_name, language=language)
    earlier = next((each for each in runs if each.id < run.id), None)
    paired = [row for row in rows if row.buddy_id is not None]
    return {
        "id": run.id,
        "state": say(language, RUNS[RunState(run.state)]),
        "is_draft": run.state == RunState.DRAFT,
        "may_undo": may_be_undone(session, run),
        "send_at": moment_words(run.send_at, language) if run.send_at is not None else "",
        "made": moment_words(run.made_at, language),
        "totals": totals_of(run),
        "rows": [
            {
                "newcomer": row.newcomer_id,
                "buddy": row.buddy_id,
                "names": (names[row.newcomer_id], names[row.buddy_id or 0]),
                "score": f"{row.score:.2f}",
                "why": row_words(row, language, label),
                "is_locked": rules.get((row.newcomer_id, row.buddy_id or 0)),
            }
            for row in paired
        ],
        "left": [
            {"name": names[row.newcomer_id], "position": row.position, "why": row_words(row, language, label)[0]}
            for row in rows
            if row.buddy_id is None
        ],
        "missing": [missing_words(each["campus"], each["language"], each["count"], language) for each in run.missing],
        "start": start,
        "end": start + len(rows),
        "count": len(run.rows),
        "before": max(start - ROWS, 0) if start else None,
        "after": start + ROWS if start + ROWS < len(run.rows) else None,
        "comparison": _compared(session, earlier, run, language) if earlier is not None else None,
    }


def _compared(session: Session, earlier: BuddyRun, run: BuddyRun, language: str) -> dict[str, Any]:
    found = compare(earlier, run)
    ids = {each or 0 for change in found.changed[:ROWS] for each in change}
    names = _names(session, ids, language)
    return {
        "with": earlier.id,
        "before": found.before,
        "after": found.after,
        "changed": [tuple(names[each or 0] for each in change) for change in found.changed[:ROWS]],
        "count": len(found.changed),
    }


def _alerts(session: Session, language: str) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(BuddyAlert).where(BuddyAlert.settled_at.is_(None)).order_by(BuddyAlert.id).limit(ROWS)
    ).all()
    found = []
    for row in rows:
        pairing = session.get(BuddyPairing, row.pairing_id) if row.pairing_id is not None else None
        ids = (row.student_id,) if pairing is None else (pairing.newcomer_id, pairing.buddy_id)
        names = _names(session, set(ids), language)
        found.append(
            {
                "id": row.id,
                "about": " – ".join(names[each] for each in ids),
                "reason": say(language, ALERTS[AlertReason(row.reason)]),
                "since": date_words(day_in_france(row.raised_at), language),
                "may_rematch": pairing is None or pairing.state in OPEN,
            }
        )
    return found


def _pairings(session: Session, language: str) -> dict[str, Any]:
    """The newest pairs, whatever became of them, and how many there are of each state."""
    rows = session.scalars(select(BuddyPairing).order_by(BuddyPairing.id.desc()).limit(ROWS)).all()
    by_state = session.execute(select(BuddyPairing.state, func.count()).group_by(BuddyPairing.state)).all()
    names = _names(session, {each for row in rows for each in (row.newcomer_id, row.buddy_id)}, language)
    return {
        "counts": [(say(language, STATES[state]), count) for state, count in sorted(by_state, key=_place_of_state)],
        "rows": [
            {
                "names": (names[row.newcomer_id], names[row.buddy_id]),
                "state": say(language, STATES[PairingState(row.state)]),
                "why": say(language, ENDS[EndReason(row.end_reason)]) if row.end_reason is not None else "",
                "since": date_words(
                    day_in_france(row.ended_at or row.accepted_at or row.newcomer_asked_at or row.planned_at), language
                ),
            }
            for row in rows
        ],
    }


def _place_of_state(row: Any) -> int:
    return list(STATES).index(PairingState(row[0]))


def _rules(session: Session, language: str) -> list[dict[str, Any]]:
    rows = session.scalars(select(BuddyRule).order_by(BuddyRule.id).limit(ROWS)).all()
    names = _names(session, {each for row in rows for each in (row.newcomer_id, row.buddy_id)}, language)
    return [
        {
            "newcomer": row.newcomer_id,
            "buddy": row.buddy_id,
            "names": (names[row.newcomer_id], names[row.buddy_id]),
            "is_wanted": row.is_wanted,
        }
        for row in rows
    ]


def _choices(session: Session, role: BuddyRole, now: datetime, language: str) -> list[tuple[int, str]]:
    found = [(each.student_id, person_name(each.student, language)) for each in signed_up(session, role, now)]
    return sorted(found, key=lambda each: each[1].casefold())


def _report(services: Services, session: Session, now: datetime, language: str) -> dict[str, Any]:
    first, last = intake_days(day_in_france(now))
    return {
        "days": (date_words(first, language), date_words(last, language)),
        "groups": [_group_words(each, language) for each in intake(session, first, last)],
    }


def _group_words(group: Group, language: str) -> dict[str, Any]:
    name = say(language, "All campuses") if group.campus is None else campus_name(group.campus)
    share = f"{group.content / group.answers:.0%}" if group.answers >= SMALLEST else "–"
    days = f"{group.days_to_accept:g}" if group.days_to_accept is not None else "–"
    return {**asdict(group), "name": name, "share": share, "days": days}


def _report_file(services: Services, signed_in: SignedIn) -> Response:
    language, now = _language(signed_in), services.clock.now()
    out = StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([say(language, each) for each in REPORT_COLUMNS])
    with services.database.read() as session:
        for each in _report(services, session, now, language)["groups"]:
            writer.writerow(
                [
                    each["name"],
                    each["signed_up"],
                    each["paired"],
                    each["accepted"],
                    each["met"],
                    each["answers"],
                    each["share"],
                    each["days"],
                ]
            )
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="buddies.csv"'}
    return Response(
        "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers
    )


def _names(session: Session, ids: set[int], language: str) -> dict[int, str]:
    """By number; 0 is nobody, and whoever is erased meanwhile is said to be."""
    people = {each.id: each for each in session.scalars(select(Student).where(Student.id.in_(ids)))}
    return {each: person_name(people.get(each), language) if each else "–" for each in ids | {0}}


def _weights_of_file(services: Services) -> Weights:
    return load_weights(services.knowledge.folder / "buddies.yml")


def _weights_of(run: BuddyRun | None, services: Services) -> Weights:
    """Those of the run that is shown, so that they can be changed a little."""
    return _weights_of_file(services) if run is None else weights_from(run.weights)


def _weights(typed: Mapping[str, str], otherwise: Weights) -> Weights:
    """Raises ValueError naming the term."""
    values: dict[str, Any] = asdict(otherwise)
    for name, text in typed.items():
        try:
            values[name] = float(text.replace(",", "."))
        except ValueError:
            values[name] = text
    return weights_from(values)


def _number(text: str | None) -> int | None:
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= 9
    return int(text) if is_number and text is not None else None


def _back(done: str, run: int = 0) -> Response:
    where = {"run": run, "done": done} if run else {"done": done}
    return RedirectResponse(f"{PAGE}?{urlencode(where)}", 303, headers=HEADERS)


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
