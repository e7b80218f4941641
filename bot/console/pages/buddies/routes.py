"""Buddies: run the matching on a copy, look at it, publish it, undo it; pairs, alerts, the report of the intake."""

import csv
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.buddies.interests import interest_name
from bot.buddies.matching import Weights, load_weights, score_pair, weights_from
from bot.buddies.matching.weights import LARGEST, TERMS
from bot.buddies.models import (
    OPEN,
    AlertReason,
    BuddyAlert,
    BuddyPairing,
    BuddyProfile,
    BuddyRole,
    BuddyRule,
    BuddyRun,
    EndReason,
    PairingState,
    ProfileState,
    RunState,
)
from bot.buddies.pairing import end_pairing, rematch
from bot.buddies.pool import Pool, pool
from bot.buddies.profiles import profile_of
from bot.buddies.report import SMALLEST, Group, counts, intake, intake_days
from bot.buddies.runs import (
    RunOutdated,
    compare,
    loads_of,
    make_run,
    may_be_undone,
    publish,
    run_before,
    set_rule,
    totals_by_run,
    totals_of,
    undo,
)
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.exports import exported
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
from bot.console.words import short_moment
from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say
from bot.identity.audit import record
from bot.identity.staff import SignedIn
from bot.students.models import Student

PAGE = "/staff/buddies"
ROWS = 200
"""Rows of a table at once."""
LISTS = ("from", "pairs", "alerts", "rules")
"""What the address calls the first row of each long list; `from` is that of the run."""
MOST_RUNS = 10
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
"""Days that the address may name."""
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
    "still_nobody": Notice("warning", mark("Nobody else fits now: the newcomer is on the waiting list.")),
    "settled": Notice("done", mark("Settled.")),
    "gone": Notice("warning", mark("This is no longer here, or somebody else has settled it.")),
    "too_many": Notice(
        "trouble", mark("There are too many people for one run, so nothing was run. Match each campus by itself.")
    ),
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
    """The page; `?run=ID` shows a run, with `?ask=publish` whether to publish it, with `?from=N` its rows from there;
    `?pairs=N`, `?alerts=N` and `?rules=N` these lists from there, `?weights=file` the weights of the file,
    `?intake=DAY` the report of another semester, `?report=csv` the report as a file, `?import=NAME` a list that was
    sent.
    """
    services, query = services_of(request), request.query_params
    if (name := query.get("import")) is not None:
        return upload.preview(services, signed_in, name)
    if query.get("report") == "csv":
        return _report_file(services, signed_in, _day(query.get("intake")))
    return _page(
        services,
        signed_in,
        run_id=_number(query.get("run")),
        starts={name: _number(query.get(name)) or 0 for name in LISTS},
        intake_day=_day(query.get("intake")),
        asks=query.get("ask") == "publish",
        done=query.get("done", ""),
        typed=_typed_from(_weights_of_file(services)) if query.get("weights") == "file" else None,
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
    try:
        run_id = await run_in_threadpool(_make, services, weights, signed_in)
    except ValueError:
        return _back("too_many")
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
    rule: Annotated[Literal["lock", "forbid", "forget"], Form()],
    run: Annotated[int, Form(ge=0, le=LARGEST_ID)] = 0,
) -> Response:
    """Lock two people, rule them out, or forget what was said of them."""
    is_wanted = {"lock": True, "forbid": False}.get(rule)
    now = services.clock.now()
    with services.database.write() as session:
        if rule != "forget" and not (
            _has_role(session, newcomer, BuddyRole.NEWCOMER) and _has_role(session, buddy, BuddyRole.BUDDY)
        ):
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


def _has_role(session: Session, student_id: int, role: BuddyRole) -> bool:
    profile = profile_of(session, student_id)
    return profile is not None and profile.role == role


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
        if done == "still_nobody":
            return _back(done)
        found.settled_at, found.settled_by = now, staff_id
        record(session, f"buddies_{done}", staff_id=staff_id, now=now, alert=alert)
    return _back(done)


def _rematch(services: Services, session: Session, alert: BuddyAlert, now: datetime) -> str:
    """What came of it: rematched, nobody, still_nobody (as the alert says: it stays open)."""
    newcomer_id = alert.student_id
    if alert.pairing_id is not None:
        pairing = session.get_one(BuddyPairing, alert.pairing_id)
        newcomer_id = pairing.newcomer_id
        reason = EndReason.TROUBLE if alert.reason == AlertReason.TROUBLE else EndReason.OFFICE
        end_pairing(session, pairing, reason, now)
    found = rematch(session, newcomer_id, now, _weights_of_file(services))
    if found is None and alert.reason == AlertReason.NO_MORE_MATCH:
        return "still_nobody"
    return "rematched" if found is not None else "nobody"


def _page(
    services: Services,
    signed_in: SignedIn,
    *,
    status: int = 200,
    run_id: int | None = None,
    starts: Mapping[str, int] | None = None,
    intake_day: date | None = None,
    asks: bool = False,
    done: str = "",
    typed: Mapping[str, str] | None = None,
    fault: str = "",
) -> Response:
    language, now = _language(signed_in), services.clock.now()
    at = dict.fromkeys(LISTS, 0) | dict(starts or {})
    notice = (NOTICES | upload.NOTICES).get(done)
    with services.database.read() as session:
        runs = session.scalars(select(BuddyRun).order_by(BuddyRun.id.desc()).limit(MOST_RUNS)).all()
        shown = session.get(BuddyRun, run_id) if run_id else next(iter(runs), None)
        weights = _typed_from(_weights_of(shown, services))
        totals = totals_by_run(session, [each.id for each in runs])
        people = pool(session, now)
        values: dict[str, Any] = {
            "counts": counts(session),
            "waiting": len(people.newcomers),
            "free": sum(each.capacity for each in people.buddies),
            "alerts": _alerts(session, at["alerts"], language),
            "runs": [
                {
                    "id": each.id,
                    "state": say(language, RUNS[RunState(each.state)]),
                    "made": short_moment(language, each.made_at),
                    "paired": totals[each.id].paired,
                }
                for each in runs
            ],
            "run": _shown(session, shown, at["from"], language) if shown is not None else None,
            "pairings": _pairings(session, at["pairs"], language),
            "rules": _rules(session, people, at["rules"], language),
            "newcomers": _choices(session, BuddyRole.NEWCOMER, now),
            "buddies": _choices(session, BuddyRole.BUDDY, now),
            "report": _report(session, intake_day, day_in_france(now), language),
        }
    return office_page(
        "buddies.html",
        PAGE,
        signed_in,
        status,
        notices=[Notice(notice.kind, say(language, notice.text))] if notice is not None else [],
        weights=[(name, say(language, WEIGHTS[name]), (typed or weights).get(name, "")) for name in TERMS],
        largest=f"{LARGEST:g}",
        asks=asks,
        fault=fault,
        smallest=SMALLEST,
        upload=upload.upload_box(),
        **values,
    )


def _shown(session: Session, run: BuddyRun, start: int, language: str) -> dict[str, Any]:
    rules = {(rule.newcomer_id, rule.buddy_id): rule.is_wanted for rule in session.scalars(select(BuddyRule))}
    part = _part(start, len(run.rows))
    rows = run.rows[part["start"] : part["end"]]
    loads = loads_of(session, run)[:ROWS]
    ids = {row.newcomer_id for row in rows} | {row.buddy_id or 0 for row in rows} | {each.buddy_id for each in loads}
    names = _names(session, ids, language)
    label = partial(interest_name, language=language)
    earlier = run_before(session, run)
    paired = [row for row in rows if row.buddy_id is not None]
    return {
        "id": run.id,
        "state": say(language, RUNS[RunState(run.state)]),
        "is_draft": run.state == RunState.DRAFT,
        "may_undo": may_be_undone(session, run),
        "send_at": short_moment(language, run.send_at) if run.send_at is not None else "",
        "made": short_moment(language, run.made_at),
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
        "loads": [(names[each.buddy_id], each.newcomers, each.capacity) for each in loads],
        "part": part,
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
    }


def _part(start: int, count: int) -> dict[str, Any]:
    """Where a list of `count` rows is shown from, and where the parts before and after begin; from its first row where
    it has no row at `start`.
    """
    start = start if start < count else 0
    return {
        "start": start,
        "end": min(start + ROWS, count),
        "count": count,
        "before": max(start - ROWS, 0) if start else None,
        "after": start + ROWS if start + ROWS < count else None,
    }


def _alerts(session: Session, start: int, language: str) -> dict[str, Any]:
    is_open = BuddyAlert.settled_at.is_(None)
    part = _part(start, session.scalar(select(func.count()).select_from(BuddyAlert).where(is_open)) or 0)
    rows = session.execute(
        select(BuddyAlert, BuddyPairing)
        .outerjoin(BuddyPairing, BuddyPairing.id == BuddyAlert.pairing_id)
        .where(is_open)
        .order_by(BuddyAlert.id)
        .offset(part["start"])
        .limit(ROWS)
    ).all()
    about = {
        row.id: (row.student_id,) if pairing is None else (pairing.newcomer_id, pairing.buddy_id)
        for row, pairing in rows
    }
    names = _names(session, {each for ids in about.values() for each in ids}, language)
    found = []
    for row, pairing in rows:
        found.append(
            {
                "id": row.id,
                "about": " – ".join(names[each] for each in about[row.id]),
                "reason": say(language, ALERTS[AlertReason(row.reason)]),
                "since": date_words(day_in_france(row.raised_at), language),
                "may_rematch": pairing is None or pairing.state in OPEN,
            }
        )
    return {"rows": found, "part": part}


def _pairings(session: Session, start: int, language: str) -> dict[str, Any]:
    """Pairs from the newest, whatever became of them, and how many there are of each state."""
    by_state = session.execute(select(BuddyPairing.state, func.count()).group_by(BuddyPairing.state)).all()
    part = _part(start, sum(each[1] for each in by_state))
    rows = session.scalars(
        select(BuddyPairing).order_by(BuddyPairing.id.desc()).offset(part["start"]).limit(ROWS)
    ).all()
    names = _names(session, {each for row in rows for each in (row.newcomer_id, row.buddy_id)}, language)
    return {
        "part": part,
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


def _rules(session: Session, people: Pool, start: int, language: str) -> dict[str, Any]:
    part = _part(start, session.scalar(select(func.count()).select_from(BuddyRule)) or 0)
    rows = session.scalars(select(BuddyRule).order_by(BuddyRule.id).offset(part["start"]).limit(ROWS)).all()
    names = _names(session, {each for row in rows for each in (row.newcomer_id, row.buddy_id)}, language)
    found = [
        {
            "newcomer": row.newcomer_id,
            "buddy": row.buddy_id,
            "names": (names[row.newcomer_id], names[row.buddy_id]),
            "is_wanted": row.is_wanted,
            "is_in_vain": row.is_wanted and _is_in_vain(people, str(row.newcomer_id), str(row.buddy_id)),
        }
        for row in rows
    ]
    return {"rows": found, "part": part}


def _is_in_vain(people: Pool, newcomer_id: str, buddy_id: str) -> bool:
    """Whether two who are locked and take part cannot be paired: a limit or a former pair stands against it."""
    newcomer = next((each for each in people.newcomers if each.id == newcomer_id), None)
    buddy = next((each for each in people.buddies if each.id == buddy_id), None)
    if newcomer is None or buddy is None:
        return False
    return (newcomer_id, buddy_id) in people.forbidden or score_pair(newcomer, buddy, Weights()) is None


def _choices(session: Session, role: BuddyRole, now: datetime) -> list[tuple[int, str]]:
    found = session.execute(
        select(Student.id, Student.given_name, Student.family_name)
        .join(BuddyProfile, BuddyProfile.student_id == Student.id)
        .where(
            BuddyProfile.role == role,
            BuddyProfile.state == ProfileState.SIGNED_UP,
            or_(Student.left_on.is_(None), Student.left_on > day_in_france(now)),
        )
    )
    return sorted(((id_, f"{given} {family}") for id_, given, family in found), key=lambda each: each[1].casefold())


def _report(session: Session, day: date | None, today: date, language: str) -> dict[str, Any]:
    """Of the semester in which `day` is, today without it; with the days to name the ones before and after."""
    first, last = intake_days(day or today)
    return {
        "intake": first.isoformat(),
        "before": (first - timedelta(days=1)).isoformat() if first > EARLIEST else None,
        "after": (last + timedelta(days=1)).isoformat() if last < today else None,
        "days": (date_words(first, language), date_words(last, language)),
        "groups": [_group_words(each, language) for each in intake(session, first, last)],
    }


def _group_words(group: Group, language: str) -> dict[str, Any]:
    name = say(language, "All campuses") if group.campus is None else campus_name(group.campus)
    share = f"{group.content / group.answers:.0%}" if group.content is not None and group.answers else "–"
    days = f"{group.days_to_accept:g}" if group.days_to_accept is not None else "–"
    return {**asdict(group), "name": name, "share": share, "days": days}


def _report_file(services: Services, signed_in: SignedIn, day: date | None) -> Response:
    language, now = _language(signed_in), services.clock.now()
    out = StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([say(language, each) for each in REPORT_COLUMNS])
    with services.database.read() as session:
        for each in _report(session, day, day_in_france(now), language)["groups"]:
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
    text = "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()
    return exported(services, signed_in, "buddies.csv", text, "text/csv; charset=utf-8")


def _names(session: Session, ids: set[int], language: str) -> dict[int, str]:
    """By number; 0 is nobody, and whoever is erased meanwhile is said to be."""
    people = {each.id: each for each in session.scalars(select(Student).where(Student.id.in_(ids)))}
    return {each: person_name(people.get(each), language) if each else "–" for each in ids | {0}}


def _weights_of_file(services: Services) -> Weights:
    return load_weights(services.knowledge.folder / "buddies.yml")


def _weights_of(run: BuddyRun | None, services: Services) -> Weights:
    """Those of the run that is shown, so that they can be changed a little."""
    return _weights_of_file(services) if run is None else weights_from(run.weights)


def _typed_from(weights: Weights) -> dict[str, str]:
    """As they stand in the form."""
    return {name: f"{value:g}" for name, value in asdict(weights).items()}


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


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


def _back(done: str, run: int = 0) -> Response:
    where = {"run": run, "done": done} if run else {"done": done}
    return RedirectResponse(f"{PAGE}?{urlencode(where)}", 303, headers=HEADERS)


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
