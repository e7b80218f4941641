"""/dev/mailbox: the mails of development, since no mail server is there to take them. Never mounted in production."""

import base64
import hashlib
import mailbox
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

MOST_SHOWN = 50
REFRESH_SECONDS = 5

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "mailbox.css").read_text(encoding="utf-8")
_PAGES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Mail:
    subject: str
    to: str
    date: str
    language: str
    text: str


def mailbox_router(folder: Path) -> APIRouter:
    """The page that shows the Maildir `folder`, the newest mail first."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dev/mailbox", response_class=HTMLResponse)
    def show() -> HTMLResponse:
        page = _PAGES.get_template("mailbox.html")
        html = page.render(mails=newest_mails(folder), style=_STYLE, refresh=REFRESH_SECONDS)
        return HTMLResponse(html, headers=_HEADERS)

    return router


def newest_mails(folder: Path) -> Sequence[Mail]:
    """At most the last 50 mails; none where there is no mailbox yet."""
    if not folder.is_dir():
        return []
    box = mailbox.Maildir(folder)
    # Maildir names begin with the instant of arrival in microseconds.
    keys = sorted(box.iterkeys(), key=_arrival, reverse=True)[:MOST_SHOWN]
    return [_mail(message_from_bytes(box.get_bytes(key), policy=policy.default)) for key in keys]


def _arrival(key: str) -> tuple[int, int, str]:
    seconds, _, rest = key.partition(".")
    micros = rest.partition("M")[2].partition("P")[0]
    return int(seconds), int(micros) if micros.isdigit() else 0, key


def _mail(message: EmailMessage) -> Mail:
    return Mail(
        subject=str(message["Subject"]),
        to=str(message["To"]),
        date=str(message["Date"]),
        language=str(message["Content-Language"]),
        text=message.get_content(),
    )
