"""Students: the school's file, shown before anything changes; what students ask to be corrected; who left."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.exports import exported
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.students.uploads import LASTS, Upload, drop_upload, find_upload, keep_upload
from bot.console.pages.students.words import column_name, value_words
from bot.console.words import short_moment
from bot.errors import NotFound, VersionChanged
from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say
from bot.identity.audit import record
from bot.identity.imports import Import, Wishes, carry_out, prepare_import
from bot.identity.models import AuditEntry, Staff
from bot.identity.staff import SignedIn
from bot.paperwork.decisions import tell_decision
from bot.students.facts import FactsError
from bot.students.files import MOST_BYTES
from bot.students.findings import Finding, Refused
from bot.students.importing import Plan, read_mapping
from bot.students.models import FactRequest, Student
from bot.students.report import as_csv
from bot.students.requests import AlreadyDecided, decide, open_requests, recorded

PAGE = "/staff/students"
UPLOAD_PATH = f"{PAGE}/import"
MOST_UPLOAD = MOST_BYTES + 5 * 1024 * 1024
"""Of the body: a file that is a little too large is still answered by the page."""
MOST_MAPPING = 100_000
MOST_CHANGES = 200
MOST_FAULTS = 1000
MOST_PEOPLE = 200
LONGEST_FILE_NAME = 120

NOTICES = {
    "imported": Notice("done", mark("The import is done.")),
    "discarded": Notice("done", mark("The file is deleted; nothing was changed.")),
    "gone": Notice("warning", mark("This file is no longer here. Please send it again.")),
    "accepted": Notice("done", mark("The record is corrected.")),
    "refused": Notice("done", mark("The request is refused; the record stays as it is.")),
    "decided": Notice("warning", mark("Somebody else decided this request in the meantime.")),
}
"""By the word in the address after a form was sent."""
COUNTS = {
    "new": mark("New"),
    "changed": mark("Changed"),
    "unchanged": mark("Unchanged"),
    "left": mark("Left"),
    "erased": mark("Erased, not imported"),
    "refused": mark("Rows with faults"),
}
CHANGED_MEANWHILE = mark(
    "The records changed since this preview was made, so nothing was imported. Here is what the file would change now."
)

SignedInDep = Annotated[SignedIn, Depends(by_session)]
Name = Annotated[str, Form(max_length=100)]


def render(request: Request, signed_in: SignedIn) -> Response:
    """The page; `?import=NAME` shows what an uploaded file would change."""
    services, query = services_of(request), request.query_params
    if (name := query.get("import")) is not None:
        upload = find_upload(services.settings.data, name, signed_in.staff.id, services.clock.now())
        return _page(services, signed_in, "gone") if upload is None else _preview(services, signed_in, name, upload)
    return _page(services, signed_in, query.get("done", ""))


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(UPLOAD_PATH, upload_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/confirm", confirm_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/discard", discard_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/report", report_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/request", request_form, methods=["POST"])
    return router


def upload_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    file: Annotated[UploadFile | None, File()] = None,
    mapping: Annotated[UploadFile | None, File()] = None,
    complete: Annotated[str, Form(max_length=10)] = "",
    include_erased: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Keep the file and go to its preview."""
    language = _language(signed_in)
    content = file.file.read(MOST_BYTES + 1) if file is not None else b""
    mapping_bytes = mapping.file.read(MOST_MAPPING) if mapping is not None else b""
    faults: dict[str, str] = {}
    if file is None or not file.filename:
        faults["file"] = say(language, "Choose a file first.")
    elif len(content) > MOST_BYTES:
        faults["file"] = say(language, "The file is larger than {most} MB.", most=MOST_BYTES // 1024 // 1024)
    try:
        mapping_text = mapping_bytes.decode("utf-8-sig")
        if mapping_text:
            read_mapping(mapping_text)
    except UnicodeDecodeError:
        faults["mapping"] = say(language, "The mapping file is not text in UTF-8.")
    except Refused as error:
        faults["mapping"] = _sentence(error.at(), language)
    if faults:
        return _page(services, signed_in, status=422, faults=faults)
    wishes = Wishes(complete=bool(complete), include_erased=bool(include_erased))
    file_name = str(file.filename if file is not None else "")[-LONGEST_FILE_NAME:]
    upload = Upload(file_name, signed_in.staff.id, wishes, mapping_text, services.clock.now(), content)
    return _back(**{"import": keep_upload(services.settings.data, upload)})


def confirm_form(services: ServicesDep, signed_in: SignedInDep, name: Name = "", digest: Name = "") -> Response:
    """Do exactly what was shown; where that is no longer what the file means, show it again."""
    data, now = services.settings.data, services.clock.now()
    upload = find_upload(data, name, signed_in.staff.id, now)
    if upload is None:
        return _back(done="gone")
    prepared = _prepared(services, upload)
    if prepared.plan.faults:
        return _preview(services, signed_in, name, upload, prepared, status=422)
    if prepared.plan.digest != digest:
        return _preview(services, signed_in, name, upload, prepared, has_changed=True, status=409)
    try:
        carry_out(services.database, prepared, now, signed_in.staff.id)
    except VersionChanged:
        return _preview(services, signed_in, name, upload, has_changed=True, status=409)
    drop_upload(data, name)
    return _back(done="imported")


def discard_form(services: ServicesDep, signed_in: SignedInDep, name: Name = "") -> Response:
    data = services.settings.data
    if find_upload(data, name, signed_in.staff.id, services.clock.now()) is None:
        return _back(done="gone")
    drop_upload(data, name)
    return _back(done="discarded")


def report_form(services: ServicesDep, signed_in: SignedInDep, name: Name = "") -> Response:
    """Everything that the preview says, without its limits, as a file for a spreadsheet."""
    upload = find_upload(services.settings.data, name, signed_in.staff.id, services.clock.now())
    if upload is None:
        return _back(done="gone")
    report = as_csv(_prepared(services, upload).plan, _language(signed_in))
    return exported(services, signed_in, "import-report.csv", report, "text/csv; charset=utf-8")


def request_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    request_id: Annotated[int, Form(ge=1, le=2**31 - 1)],
    decision: Annotated[str, Form(pattern="^(accept|refuse)$")],
) -> Response:
    """Accept or refuse what a student asks to be corrected."""
    now, accepted = services.clock.now(), decision == "accept"
    try:
        with services.database.write() as session:
            request = session.get(FactRequest, request_id)
            if request is None:
                raise NotFound
            decide(session, request, accepted, signed_in.staff.id, now)
            told = tell_decision(session, request, now)
            record(
                session,
                "fact_request_decided",
                staff_id=signed_in.staff.id,
                now=now,
                request=request.id,
                fact=request.fact,
                accepted=accepted,
            )
    except AlreadyDecided:
        return _back(done="decided")
    except FactsError as error:
        problems = " ".join(f"{problem}." for problem in error.problems)
        return _page(services, signed_in, status=422, notices=[Notice("trouble", problems)])
    if told is not None:
        services.live.changed(told.conversation_id)
    return _back(done="accepted" if accepted else "refused")


def _page(
    services: Services,
    signed_in: SignedIn,
    done: str = "",
    *,
    status: int = 200,
    notices: list[Notice] | None = None,
    faults: Mapping[str, str] | None = None,
) -> Response:
    language = _language(signed_in)
    shown = list(notices or [])
    if done in NOTICES:
        shown.append(Notice(NOTICES[done].kind, say(language, NOTICES[done].text)))
    if faults:
        shown.append(Notice("trouble", say(language, "Nothing was sent. Please look at the form below.")))
    with services.database.read() as session:
        return office_page(
            "students.html",
            PAGE,
            signed_in,
            status,
            notices=shown,
            faults=faults or {},
            most_megabytes=MOST_BYTES // 1024 // 1024,
            total=session.scalar(select(func.count()).select_from(Student)),
            last=_last_import(session, language),
            requests=_requests(session, language),
            leavers=_leavers(session, language),
            leaver_count=session.scalar(select(func.count()).select_from(Student).where(Student.left_on.is_not(None))),
        )


def _last_import(session: Session, language: str) -> str:
    entry = session.scalar(
        select(AuditEntry).where(AuditEntry.action == "students_imported").order_by(AuditEntry.id.desc()).limit(1)
    )
    if entry is None:
        return ""
    staff = session.get(Staff, entry.staff_id) if entry.staff_id is not None else None
    counts = ", ".join(
        say(language, "{what}: {count}", what=say(language, COUNTS[kind]), count=count)
        for kind, count in entry.details["counts"].items()
        if kind in COUNTS and count
    )
    return say(
        language,
        "Last import on {moment}, by {who}. {counts}",
        moment=short_moment(language, entry.at),
        who=staff.name if staff else say(language, "the command line"),
        counts=counts,
    ).strip()


def _requests(session: Session, language: str) -> list[dict[str, Any]]:
    found = []
    for request in open_requests(session):
        student = session.get_one(Student, request.student_id)
        found.append(
            {
                "id": request.id,
                "student": f"{student.given_name} {student.family_name}",
                "email": student.email,
                "fact": column_name(request.fact, language),
                "recorded": value_words(request.fact, recorded(student, request.fact), language),
                "wanted": value_words(request.fact, request.wanted, language),
                "asked": short_moment(language, request.asked_at),
            }
        )
    return found


def _leavers(session: Session, language: str) -> list[dict[str, str]]:
    rows = session.execute(
        select(Student.given_name, Student.family_name, Student.email, Student.source_id, Student.left_on)
        .where(Student.left_on.is_not(None))
        .order_by(Student.left_on.desc(), Student.family_name, Student.id)
        .limit(MOST_PEOPLE)
    )
    return [
        {
            "name": f"{row.given_name} {row.family_name}",
            "email": row.email,
            "source_id": row.source_id or "–",
            "left_on": date_words(row.left_on, language),
        }
        for row in rows
    ]


def _preview(
    services: Services,
    signed_in: SignedIn,
    name: str,
    upload: Upload,
    prepared: Import | None = None,
    *,
    has_changed: bool = False,
    status: int = 200,
) -> Response:
    language = _language(signed_in)
    plan = (prepared or _prepared(services, upload)).plan
    counts = plan.counts
    return office_page(
        "students_preview.html",
        PAGE,
        signed_in,
        status,
        notices=[Notice("warning", say(language, CHANGED_MEANWHILE))] if has_changed else [],
        name=name,
        digest=plan.digest,
        file_name=upload.file_name,
        minutes=int(LASTS.total_seconds() // 60),
        complete=upload.wishes.complete,
        counts=[(say(language, title), counts[kind]) for kind, title in COUNTS.items()],
        does_nothing=not (counts["new"] or counts["changed"] or counts["left"]),
        faults=[_finding_row(fault, language) for fault in plan.faults[:MOST_FAULTS]],
        fault_count=len(plan.faults),
        warnings=[_sentence(warning, language) for warning in plan.warnings],
        changes=list(islice(_changes(plan, language), MOST_CHANGES)),
        change_count=sum(len(entry.changes) for entry in plan.entries),
        kept=list(islice(_kept(plan, language), MOST_CHANGES)),
        new=[entry for entry in plan.entries if entry.kind == "new"][:MOST_PEOPLE],
        new_count=counts["new"],
        left=plan.left[:MOST_PEOPLE],
        left_count=counts["left"],
        erased=[(each.line, each.email, date_words(each.day, language)) for each in plan.erased],
    )


def _prepared(services: Services, upload: Upload) -> Import:
    mapping = read_mapping(upload.mapping) if upload.mapping else None
    data = services.settings.data
    return prepare_import(services.database, data, upload.content, mapping, upload.wishes, services.clock.now())


def _finding_row(finding: Finding, language: str) -> dict[str, Any]:
    return {
        "line": finding.line or "–",
        "column": column_name(finding.field, language),
        "value": finding.value,
        "problem": finding.problem_words(language),
        "fix": finding.fix_words(language),
    }


def _sentence(finding: Finding, language: str) -> str:
    place = column_name(finding.field, language) if finding.field else finding.value
    words = f"{finding.problem_words(language)} {finding.fix_words(language)}".strip()
    return f"{place}: {words}" if place else words


def _changes(plan: Plan, language: str) -> Iterator[tuple[str, str, str, str]]:
    for entry in plan.entries:
        for moved in entry.changes:
            before = value_words(moved.field, moved.before, language)
            after = value_words(moved.field, moved.after, language)
            yield entry.name, column_name(moved.field, language), before, after


def _kept(plan: Plan, language: str) -> Iterator[tuple[str, str, str, str]]:
    for entry in plan.entries:
        for kept in entry.kept:
            in_file = value_words(kept.field, kept.in_file, language)
            yield entry.name, column_name(kept.field, language), in_file, date_words(kept.day, language)


def _back(**query: str) -> RedirectResponse:
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303, headers=HEADERS)


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
