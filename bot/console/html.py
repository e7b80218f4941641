"""How the console's pages and files are sent: templates in the colleague's language, strict headers."""

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.i18n.languages import BY_CODE, CONTENT_CODES, DEFAULT, negotiate
from bot.i18n.translate import mark, say
from bot.identity.models import Role
from bot.identity.staff import SignedIn

FOLDER = Path(__file__).resolve().parent
LANGUAGE_COOKIE = "accueil_language"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ROLES = {
    Role.ADVISER: mark("Adviser"),
    Role.COORDINATOR: mark("Coordinator"),
    Role.EDITOR: mark("Editor"),
    Role.ADMIN: mark("Administrator"),
    Role.AUDITOR: mark("Auditor"),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer below /staff."""


@dataclass(frozen=True)
class File:
    body: bytes
    media_type: str
    version: str


def _file(path: Path) -> File:
    body = path.read_bytes()
    return File(body, MEDIA_TYPES[path.suffix], sha256(body).hexdigest()[:16])


def _files() -> dict[str, File]:
    folders = [FOLDER / "static", *sorted(FOLDER.glob("pages/*/static"))]
    return {path.name: _file(path) for folder in folders for path in folder.iterdir() if path.suffix in MEDIA_TYPES}


FILES = _files()
"""Styles and scripts by name, those of the pages' folders included."""
_templates = Environment(
    loader=FileSystemLoader([FOLDER / "templates", *sorted(FOLDER.glob("pages/*/templates"))]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["role_name"] = ROLES.__getitem__


def html(template: str, language: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in one of the console's languages."""
    body = _templates.get_template(template).render(
        _=partial(say, language),
        language=BY_CODE[language],
        languages=[BY_CODE[code] for code in CONTENT_CODES],
        file=lambda name: f"/staff/static/{name}?v={FILES[name].version}",
        **values,
    )
    return HTMLResponse(body, status, headers={**HEADERS, "Content-Language": language})


def static_file(request: Request, name: str) -> Response:
    """A style or script; for ever when its address names its version."""
    if (file := FILES.get(name)) is None:
        return Response(status_code=404, headers=HEADERS)
    tag = f'"{file.version}"'
    is_this_version = request.query_params.get("v") == file.version
    cache = "private, max-age=31536000, immutable" if is_this_version else "no-cache"
    headers = HEADERS | {"Cache-Control": cache, "ETag": tag}
    if request.headers.get("If-None-Match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)


@dataclass(frozen=True)
class Notice:
    """A line above a page of forms. `kind`: "done" | "warning" | "trouble"."""

    kind: str
    text: str


def office_page(template: str, path: str, signed_in: SignedIn, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of forms and tables (office.html) with the navigation around it; `path` is the page's own."""
    from bot.console.pages import PAGES

    staff = signed_in.staff
    pages = [page for page in PAGES if staff.role in page.roles]
    title = next(page.title for page in PAGES if page.path == path)
    shown = {"staff": staff, "csrf": signed_in.csrf_token, "pages": pages, "here": path, "title": title}
    return html(template, console_language(staff.language), status, **shown, **values)


def console_language(wanted: str) -> str:
    """The console is written in the languages of the content; others read it in English."""
    return wanted if wanted in CONTENT_CODES else DEFAULT


def visitor_language(request: Request) -> str:
    """Before the sign-in: what was chosen now, before, or in the browser."""
    for choice in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if choice in CONTENT_CODES:
            return str(choice)
    return console_language(negotiate(request.headers.get("Accept-Language")))
