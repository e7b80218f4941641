"""Canned replies: the office's and one's own, written by language, deleted with a way back."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.words import short_moment
from bot.errors import NotFound, VersionChanged
from bot.i18n.languages import CODES, language_name
from bot.i18n.translate import mark, say
from bot.identity.models import Staff
from bot.identity.staff import SignedIn
from bot.replies.rules import LONGEST_NAME, LONGEST_SHORTCUT, LONGEST_TEXT, VARIABLES, Draft
from bot.replies.service import MAY_SHARE, Faulty, add, change, delete, may_change, one, restore, visible

PAGE = "/staff/replies"
NOTICES = {
    "saved": Notice("done", mark("The reply is saved.")),
    "deleted": Notice("done", mark("The reply is deleted. It can be brought back for 30 days.")),
    "restored": Notice("done", mark("The reply is back.")),
    "gone": Notice("warning", mark("This reply is no longer here.")),
    "taken": Notice("trouble", mark("It cannot come back: another reply has its shortcut. Change that one first.")),
    "changed": Notice(
        "warning", mark("A colleague changed this reply in the meantime. Your text is below; saving replaces theirs.")
    ),
}
"""By the word in the address after a form was sent."""

SignedInDep = Annotated[SignedIn, Depends(by_session)]
ReplyId = Annotated[int, Form(ge=0, le=2**31 - 1)]


def render(request: Request, signed_in: SignedIn) -> Response:
    """The list; `?edit=ID` or `?edit=new` shows the form, `?deleted=ID` the way back."""
    query, services = request.query_params, services_of(request)
    edited = query.get("edit", "")
    if edited == "new":
        return _form(signed_in, Draft("", "", signed_in.staff.role in MAY_SHARE, {}))
    if edited.isascii() and edited.isdigit() and len(edited) < 10:
        with services.database.read() as session:
            try:
                reply = one(session, signed_in.staff, int(edited))
            except NotFound:
                return _list(services, signed_in, "gone", status=404)
        if may_change(signed_in.staff, reply):
            draft = Draft(reply.name, reply.shortcut, reply.owner_id is None, reply.texts)
            return _form(signed_in, draft, reply.id, reply.version)
    return _list(services, signed_in, query.get("done", ""), deleted=query.get("deleted", ""))


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/save", save_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/delete", delete_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/restore", restore_form, methods=["POST"])
    return router


async def typed_in(request: Request) -> dict[str, str]:
    """The fields of the form; the texts are `text_<language>`."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def save_form(
    services: ServicesDep, signed_in: SignedInDep, typed: Annotated[dict[str, str], Depends(typed_in)]
) -> Response:
    """Add a reply or write one anew; the form again where something is wrong."""
    draft = Draft(
        name=typed.get("name", ""),
        shortcut=typed.get("shortcut", ""),
        is_shared=typed.get("whose") == "shared",
        texts={code: typed.get(f"text_{code}", "") for code in CODES},
    )
    reply_id, version = _number(typed.get("reply_id")), _number(typed.get("version"))
    staff, language, now = signed_in.staff, _language(signed_in), services.clock.now()
    try:
        with services.database.write() as session:
            if reply_id:
                change(session, staff, reply_id, version, draft, now, language)
            else:
                add(session, staff, draft, now, language)
    except Faulty as error:
        return _form(signed_in, draft, reply_id, version, status=422, faults=error.faults)
    except NotFound:
        return _back(done="gone")
    except VersionChanged:
        with services.database.read() as session:
            version = one(session, staff, reply_id).version
        return _form(signed_in, draft, reply_id, version, status=409, word="changed")
    return _back(done="saved")


def delete_form(services: ServicesDep, signed_in: SignedInDep, reply_id: ReplyId = 0) -> Response:
    try:
        with services.database.write() as session:
            delete(session, signed_in.staff, reply_id, services.clock.now())
    except NotFound:
        return _back(done="gone")
    return _back(done="deleted", deleted=str(reply_id))


def restore_form(services: ServicesDep, signed_in: SignedInDep, reply_id: ReplyId = 0) -> Response:
    try:
        with services.database.write() as session:
            restore(session, signed_in.staff, reply_id, services.clock.now(), _language(signed_in))
    except NotFound:
        return _back(done="gone")
    except Faulty:
        return _back(done="taken")
    return _back(done="restored")


def _list(services: Services, signed_in: SignedIn, word: str, *, deleted: str = "", status: int = 200) -> Response:
    staff, language = signed_in.staff, _language(signed_in)
    with services.database.read() as session:
        found = visible(session, staff)
        names = _names(session, found)
        rows = [
            {
                "id": reply.id,
                "shortcut": reply.shortcut,
                "name": reply.name,
                "languages": [language_name(code, language) for code in CODES if code in reply.texts],
                "is_shared": reply.owner_id is None,
                "may_change": may_change(staff, reply),
                "updated": short_moment(language, reply.updated_at),
                "by": names.get(reply.updated_by or 0, ""),
            }
            for reply in found
        ]
    undo = deleted if word == "deleted" and deleted.isascii() and deleted.isdigit() else ""
    return office_page("replies.html", PAGE, signed_in, status, rows=rows, undo=undo, notices=_notices(word, language))


def _names(session: Session, found: Any) -> dict[int, str]:
    ids = {reply.updated_by for reply in found} - {None}
    return {person.id: person.name for person in session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def _form(
    signed_in: SignedIn,
    draft: Draft,
    reply_id: int = 0,
    version: int = 0,
    *,
    status: int = 200,
    faults: dict[str, str] | None = None,
    word: str = "",
) -> Response:
    language, faults = _language(signed_in), faults or {}
    wrong = next((code for code in CODES if f"text_{code}" in faults), None)
    written = next((code for code in (language, *CODES) if draft.texts.get(code)), language)
    tabs = [
        {
            "code": code,
            "name": language_name(code, language),
            "text": draft.texts.get(code, ""),
            "is_open": code == (wrong or written),
        }
        for code in CODES
    ]
    return office_page(
        "reply_form.html",
        PAGE,
        signed_in,
        status,
        reply_id=reply_id,
        version=version,
        draft=draft,
        tabs=tabs,
        faults=faults,
        is_unsaved=status != 200,
        variables=[(name, say(language, meaning)) for name, meaning in VARIABLES.items()],
        may_share=signed_in.staff.role in MAY_SHARE,
        longest={"name": LONGEST_NAME, "shortcut": LONGEST_SHORTCUT, "text": LONGEST_TEXT},
        notices=_notices(word, language),
    )


def _notices(word: str, language: str) -> list[Notice]:
    found = NOTICES.get(word)
    return [Notice(found.kind, say(language, found.text))] if found else []


def _number(typed: str | None) -> int:
    """A hidden number of our own form; 0 for anything else."""
    return int(typed) if typed and typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def _back(**query: str) -> RedirectResponse:
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303, headers=HEADERS)


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
