"""A list of local students through the page of buddies: sent, shown, confirmed."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from fastapi.responses import RedirectResponse

from bot.bootstrap import Services
from bot.buddies.importing import MOST_ROWS
from bot.buddies.imports import Import, carry_out, prepare_import
from bot.buddies.interests import Interests, load_interests
from bot.buddies.models import ProfileState
from bot.buddies.signing import GENDER_LABELS
from bot.console.access import ServicesDep, by_session
from bot.console.exports import exported
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.students import words as student_words
from bot.console.pages.students.uploads import LASTS, Upload, drop_upload, find_upload, keep_upload
from bot.errors import VersionChanged
from bot.i18n.formats import date_words
from bot.i18n.languages import language_name
from bot.i18n.translate import mark, say
from bot.identity.imports import Wishes
from bot.identity.staff import SignedIn
from bot.students.files import MOST_BYTES
from bot.students.findings import Finding
from bot.students.importing import Kept, Moved, Plan
from bot.students.labels import yes_or_no
from bot.students.report import as_csv

PAGE = "/staff/buddies"
IMPORT_PATH = f"{PAGE}/import"
MOST_SHOWN = 200
"""Rows of each kind in a preview; the report has all of them."""
LONGEST_FILE_NAME = 120

NOTICES = {
    "file_imported": Notice("done", mark("The import is done.")),
    "file_deleted": Notice("done", mark("The file is deleted; nothing was changed.")),
    "file_gone": Notice("warning", mark("This file is no longer here. Please send it again.")),
}
"""By the word `done` in the address of the page after a form of this module was sent; for its own notices."""
COUNTS = {
    "new": mark("New"),
    "changed": mark("Changed"),
    "unchanged": mark("Unchanged"),
    "erased": mark("Erased, not imported"),
    "refused": mark("Rows with faults"),
}
COLUMN_NAMES = {
    "former_email": mark("Former school mailbox"),
    "languages": mark("Languages"),
    "arrival": mark("Arrival"),
    "departure": mark("Departure"),
    "interests": mark("Interests"),
    "own_words": mark("Interests in own words"),
    "field": mark("Field of study"),
    "gender": mark("Gender"),
    "same_gender": mark("Wants the same gender"),
    "same_field": mark("Wants the same field"),
    "capacity": mark("Number of newcomers"),
    "consent": mark("Agreed on"),
    "state": mark("On the list"),
}
STATES = {
    ProfileState.SIGNED_UP: mark("signed up"),
    ProfileState.PAUSED: mark("paused"),
    ProfileState.WITHDRAWN: mark("withdrawn"),
}
CHANGED_MEANWHILE = mark(
    "The records changed since this preview was made, so nothing was imported. Here is what the file would change now."
)

SignedInDep = Annotated[SignedIn, Depends(by_session)]
Name = Annotated[str, Form(max_length=100)]


def add_routes(router: APIRouter) -> None:
    """The requests of the import, for the router of the page."""
    router.add_api_route(IMPORT_PATH, upload_form, methods=["POST"])
    router.add_api_route(f"{IMPORT_PATH}/confirm", confirm_form, methods=["POST"])
    router.add_api_route(f"{IMPORT_PATH}/discard", discard_form, methods=["POST"])
    router.add_api_route(f"{IMPORT_PATH}/report", report_form, methods=["POST"])


def upload_box(fault: str = "") -> dict[str, Any]:
    """What the template `buddies_upload.html` needs, under the name `upload`: a section with the form."""
    return {"fault": fault, "most_megabytes": MOST_BYTES // 1024 // 1024, "most_rows": MOST_ROWS}


def preview(services: Services, signed_in: SignedIn, name: str) -> Response:
    """The page with `?import=NAME`: what a file that was sent would change."""
    upload = find_upload(services.settings.data, name, signed_in.staff.id, services.clock.now())
    return _back(done="file_gone") if upload is None else _preview(services, signed_in, name, upload)


def upload_form(
    services: ServicesDep, signed_in: SignedInDep, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Keep the file and go to its preview."""
    language = _language(signed_in)
    content = file.file.read(MOST_BYTES + 1) if file is not None else b""
    if file is None or not file.filename:
        return _refused(signed_in, say(language, "Choose a file first."))
    if len(content) > MOST_BYTES:
        too_large = say(language, "The file is larger than {most} MB.", most=MOST_BYTES // 1024 // 1024)
        return _refused(signed_in, too_large)
    file_name = file.filename[-LONGEST_FILE_NAME:]
    upload = Upload(file_name, signed_in.staff.id, Wishes(), "", services.clock.now(), content)
    return _back(**{"import": keep_upload(services.settings.data, upload)})


def confirm_form(services: ServicesDep, signed_in: SignedInDep, name: Name = "", digest: Name = "") -> Response:
    """Do exactly what was shown; where that is no longer what the file means, show it again."""
    data, now = services.settings.data, services.clock.now()
    upload = find_upload(data, name, signed_in.staff.id, now)
    if upload is None:
        return _back(done="file_gone")
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
    return _back(done="file_imported")


def discard_form(services: ServicesDep, signed_in: SignedInDep, name: Name = "") -> Response:
    data = services.settings.data
    if find_upload(data, name, signed_in.staff.id, services.clock.now()) is None:
        return _back(done="file_gone")
    drop_upload(data, name)
    return _back(done="file_deleted")


def report_form(services: ServicesDep, signed_in: SignedInDep, name: Name = "") -> Response:
    """Everything that the preview says, without its limits, as a file for a spreadsheet."""
    upload = find_upload(services.settings.data, name, signed_in.staff.id, services.clock.now())
    if upload is None:
        return _back(done="file_gone")
    report = as_csv(_prepared(services, upload).plan, _language(signed_in))
    return exported(services, signed_in, "import-report.csv", report, "text/csv; charset=utf-8")


def _refused(signed_in: SignedIn, fault: str) -> Response:
    """The form again, on a page of its own."""
    notice = Notice("trouble", say(_language(signed_in), "Nothing was sent. Please look at the form below."))
    return office_page(
        "buddies_import.html", PAGE, signed_in, 422, notices=[notice], upload=upload_box(fault), shown=None
    )


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
    return office_page(
        "buddies_import.html",
        PAGE,
        signed_in,
        status,
        notices=[Notice("warning", say(language, CHANGED_MEANWHILE))] if has_changed else [],
        upload=upload_box(),
        shown={
            "name": name,
            "digest": plan.digest,
            "file_name": upload.file_name,
            "minutes": int(LASTS.total_seconds() // 60),
            **_plan_values(plan, _interests(services), language),
        },
    )


def _plan_values(plan: Plan, interests: Interests, language: str) -> dict[str, Any]:
    counts = plan.counts
    in_words = _value_words(interests, language)
    changes = [(entry.name, moved) for entry in plan.entries for moved in entry.changes]
    kept = [(entry.name, each) for entry in plan.entries for each in entry.kept]
    new = [entry for entry in plan.entries if entry.kind == "new"]
    doubts = [warning for warning in plan.warnings if warning.line is not None]
    return {
        "counts": [(say(language, title), counts[kind]) for kind, title in COUNTS.items()],
        "does_nothing": not (counts["new"] or counts["changed"]),
        "faults": [_finding_row(fault, language) for fault in plan.faults[:MOST_SHOWN]],
        "fault_count": len(plan.faults),
        "warnings": [_sentence(warning, language) for warning in plan.warnings if warning.line is None],
        "doubts": [_finding_row(doubt, language) for doubt in doubts[:MOST_SHOWN]],
        "doubt_count": len(doubts),
        "changes": list(islice(_changes(changes, in_words, language), MOST_SHOWN)),
        "change_count": len(changes),
        "kept": list(islice(_kept(kept, in_words, language), MOST_SHOWN)),
        "kept_count": len(kept),
        "new": [(entry.line, entry.name, entry.person["email"]) for entry in new[:MOST_SHOWN]],
        "new_count": len(new),
        "erased": [(each.line, each.email, date_words(each.day, language)) for each in plan.erased],
    }


def _prepared(services: Services, upload: Upload) -> Import:
    data, now = services.settings.data, services.clock.now()
    return prepare_import(services.database, data, upload.content, _interests(services), now)


def _interests(services: Services) -> Interests:
    return load_interests(services.settings.root / "knowledge" / "buddies.yml")


def _changes(
    changes: Sequence[tuple[str, Moved]], in_words: Callable[[str, Any], str], language: str
) -> Iterator[tuple[str, str, str, str]]:
    for name, moved in changes:
        before, after = in_words(moved.field, moved.before), in_words(moved.field, moved.after)
        yield name, _column_name(moved.field, language), before, after


def _kept(
    kept: Sequence[tuple[str, Kept]], in_words: Callable[[str, Any], str], language: str
) -> Iterator[tuple[str, str, str, str]]:
    for name, each in kept:
        in_file = in_words(each.field, each.in_file)
        yield name, _column_name(each.field, language), in_file, date_words(each.day, language)


def _finding_row(finding: Finding, language: str) -> tuple[str, ...]:
    line = str(finding.line) if finding.line is not None else "–"
    column = _column_name(finding.field, language)
    return line, column, finding.value, finding.problem_words(language), finding.fix_words(language)


def _sentence(finding: Finding, language: str) -> str:
    place = _column_name(finding.field, language) if finding.field else finding.value
    words = f"{finding.problem_words(language)} {finding.fix_words(language)}".strip()
    return f"{place}: {words}" if place else words


def _column_name(column: str, language: str) -> str:
    if column in COLUMN_NAMES:
        return say(language, COLUMN_NAMES[column])
    return student_words.column_name(column, language)


def _value_words(interests: Interests, language: str) -> Callable[[str, Any], str]:
    """How a value of a column reads; a dash where there is none."""

    def words(column: str, value: Any) -> str:
        if value is None or value in ("", []):
            return "–"
        match column:
            case "languages":
                return ", ".join(language_name(tag, language) for tag in value)
            case "interests":
                return ", ".join(interests.label(code, language) if code in interests.codes else code for code in value)
            case "arrival" | "departure" | "consent":
                return date_words(date.fromisoformat(value), language)
            case "same_gender" | "same_field":
                return yes_or_no(value, language)
            case "gender":
                return say(language, GENDER_LABELS[value])
            case "state":
                return say(language, STATES[ProfileState(value)])
            case _:
                return student_words.value_words(column, value, language)

    return words


def _back(**query: str) -> RedirectResponse:
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303, headers=HEADERS)


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
