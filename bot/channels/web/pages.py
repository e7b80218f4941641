"""The pages anybody may read: the welcome page, the widget's script and strings, their styles and pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.conversations.brought import MOST_MEGABYTES
from bot.conversations.words import greeting
from bot.i18n.formats import date_words
from bot.i18n.languages import BY_CODE, LANGUAGES, is_supported, negotiate
from bot.i18n.translate import say

FOLDER = Path(__file__).resolve().parent
LANGUAGE_COOKIE = "accueil_language"
A_YEAR = 365 * 24 * 3600
EXAMPLES = 4

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
FOREVER = f"public, max-age={A_YEAR}, immutable"
FIVE_MINUTES = "public, max-age=300"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True)
class SourceLink:
    title: str
    url: str
    checked_on: date


@dataclass(frozen=True)
class Entry:
    """One question with its answer, as the welcome page shows it without JavaScript."""

    slug: str
    question: str
    answer: str
    """Markdown, figures already filled in."""
    language: str
    """Of question and answer: English where the topic is not written in the reader's language."""
    sources: tuple[SourceLink, ...] = ()
    example: str = ""
    """The question in the reader's own language; "" where it is in it already."""


@dataclass(frozen=True)
class Group:
    """Questions of one field, the most asked first; the first one is also offered as an example to try."""

    slug: str
    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Asset:
    body: bytes
    media_type: str
    version: str


def pages_router(answers: Callable[[str], Sequence[Group]]) -> APIRouter:
    """Routes `/`, `/widget.js`, `/widget/strings/{language}` and `/static/web/{name}`.

    `answers(language)` gives the groups in the order in which the page shows them; it is asked on every request.
    """
    router = APIRouter(include_in_schema=False)
    assets = {path.name: _asset(path) for path in sorted((FOLDER / "static").iterdir()) if path.suffix in MEDIA_TYPES}
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markdown = MarkdownIt("commonmark", {"html": False})
    templates.filters["markdown"] = lambda text: Markup(markdown.render(text))  # noqa: S704 - HTML in it is escaped
    templates.filters["date_words"] = date_words
    page = templates.get_template("welcome.html")

    @router.api_route("/", methods=["GET", "HEAD"])
    def welcome(request: Request) -> Response:
        chosen = chosen_language(request)
        language = chosen or negotiate(request.headers.get("Accept-Language"))
        groups = [group for group in answers(language) if group.entries]
        html = page.render(
            _=partial(say, language),
            language=BY_CODE[language],
            is_chosen=chosen is not None,
            languages=LANGUAGES,
            groups=groups,
            examples=[group.entries[0] for group in groups[:EXAMPLES]],
            version={name: asset.version for name, asset in assets.items()},
        )
        response = _cached(request, html.encode(), "text/html", ASK_AGAIN)
        response.headers["Content-Language"] = language
        response.headers["Vary"] = "Accept-Language, Cookie"
        if request.query_params.get("lang") == language:
            response.set_cookie(
                LANGUAGE_COOKIE, language, max_age=A_YEAR, samesite="lax", secure=request.url.scheme == "https"
            )
        return response

    @router.api_route("/widget.js", methods=["GET", "HEAD"])
    def widget(request: Request) -> Response:
        response = static_file(request, "widget.js")
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    @router.get("/widget/strings/{language}")
    def strings(request: Request, language: str) -> Response:
        # A site that embeds us may name a language that we do not speak; the widget then has its nearest.
        spoken = BY_CODE[negotiate(language)]
        body = JSONResponse(
            {
                "language": spoken.code,
                "direction": spoken.direction,
                "languages": [{"code": other.code, "name": other.name} for other in LANGUAGES],
                "strings": widget_strings(spoken.code),
            }
        ).body
        return _cached(request, bytes(body), "application/json", FIVE_MINUTES)

    @router.api_route("/static/web/{name}", methods=["GET", "HEAD"])
    def static_file(request: Request, name: str) -> Response:
        if (asset := assets.get(name)) is None:
            return Response(status_code=404, headers=HEADERS)
        is_this_version = request.query_params.get("v") == asset.version
        return _cached(request, asset.body, asset.media_type, FOREVER if is_this_version else FIVE_MINUTES)

    return router


def chosen_language(request: Request) -> str | None:
    """What the reader chose with a link now, else chose before; nothing where only the browser speaks."""
    choices = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    return next((choice for choice in choices if choice and is_supported(choice)), None)


def widget_strings(language: str) -> dict[str, str]:
    """Every text of the widget; words in braces are filled in by the widget."""
    return {
        "name": say(language, "Accueil"),
        "open": say(language, "Ask the welcome desk"),
        "open_unread": say(language, "Ask the welcome desk, new messages: {count}"),
        "close": say(language, "Close the chat"),
        "panel": say(language, "Chat with the welcome desk"),
        "log": say(language, "Messages"),
        "language": say(language, "Language"),
        "new": say(language, "New conversation"),
        "new_title": say(language, "Start a new conversation?"),
        "new_text": say(language, "What was said here will no longer be shown on this device."),
        "new_text_person": say(
            language, "You have asked for a person here: their answers would not reach you any more."
        ),
        "new_confirm": say(language, "Start anew"),
        "cancel": say(language, "Cancel"),
        "status_bot": say(language, "A machine, here at any hour"),
        "status_waiting": say(language, "Waiting for a person; the machine still answers"),
        "status_position": say(language, "Waiting for a person, number {position} in line"),
        "status_staff": say(language, "You are talking to {name}"),
        "status_closed": say(language, "Closed. Write to open it again"),
        "a_person": say(language, "a person"),
        "role_bot": say(language, "machine"),
        "role_staff": say(language, "person"),
        "role_system": say(language, "Notice"),
        "changed": say(language, "changed"),
        "you": say(language, "You"),
        "hello": greeting(language),
        "placeholder": say(language, "Write your question"),
        "message": say(language, "Your message"),
        "send": say(language, "Send"),
        "counter": say(language, "{count} of {limit} characters"),
        "too_long": say(language, "Too long: {count} of {limit} characters"),
        "person": say(language, "Talk to a person"),
        "person_message": say(language, "I want to talk to a person"),
        "typing": say(language, "{name} is writing"),
        "latest": say(language, "Latest messages"),
        "sources": say(language, "Sources ({count})"),
        "checked": say(language, "checked on {date}"),
        "valid": say(language, "holds until {date}"),
        "sending": say(language, "Sending…"),
        "retrying": say(language, "Not sent yet, trying again…"),
        "slow_down": say(language, "You are writing very fast. This will be sent in {seconds} s."),
        "not_sent": say(language, "Not sent."),
        "refused": say(language, "This cannot be sent: {reason}"),
        "try_again": say(language, "Try again"),
        "edit": say(language, "Edit"),
        "paper_save": say(language, "Download"),
        "paper_save_named": say(language, "Download the file {name}"),
        "paper_loading": say(language, "The file is loading…"),
        "paper_failed": say(language, "The file could not be loaded. Please try again."),
        "paper_gone": say(language, "This file is no longer here."),
        "connecting": say(language, "Connecting…"),
        "offline": say(language, "No connection. What you write is kept and sent as soon as it is back."),
        "gone": say(language, "The earlier conversation can no longer be opened. This is a new one."),
        "urgent": say(language, "Urgent"),
        "helped": say(language, "Did this help?"),
        "helped_yes": say(language, "Yes"),
        "helped_no": say(language, "No"),
        "not_helped": say(language, "What was it?"),
        "reason_wrong": say(language, "It is wrong"),
        "reason_unclear": say(language, "It is unclear"),
        "reason_not_my_case": say(language, "It is not my case"),
        "thanks": say(language, "Thank you."),
        **_upload_strings(language),
        **_file_strings(language),
        **_telegram_strings(language),
    }


def _upload_strings(language: str) -> dict[str, str]:
    """Those of sending a file."""
    return {
        "attach": say(language, "Send a file"),
        "remove": say(language, "Remove"),
        "upload_empty": say(language, "This file is empty."),
        "upload_large": say(
            language,
            "This file was not passed on: it is larger than {limit} MB. Send a smaller one, please.",
            limit=MOST_MEGABYTES,
        ),
        "upload_no_colleague": say(language, "Files can be sent here once a person of the office has taken over."),
    }


def _file_strings(language: str) -> dict[str, str]:
    """Those of the sheet with the student's steps and data."""
    return {
        "file": say(language, "My steps and my data"),
        "my_steps": say(language, "My steps"),
        "my_data": say(language, "My data"),
        "back_to_chat": say(language, "Back to the chat"),
        "not_linked": say(
            language,
            "Your steps and dates depend on your record. Link it once with a code that I send to your school mailbox.",
        ),
        "link": say(language, "Link my record"),
        "link_message": say(language, "I want to link my student record"),
        "file_failed": say(language, "This cannot be shown at the moment."),
        "steps_now": say(language, "To do now"),
        "steps_later": say(language, "Later"),
        "steps_unclear": say(language, "Something is missing to say more"),
        "steps_done": say(language, "Done"),
        "steps_not_needed": say(language, "Not needed for you"),
        "count_overdue": say(language, "Overdue: {count}"),
        "count_open": say(language, "To do now: {count}"),
        "count_done": say(language, "Done: {count}"),
        "opens_on": say(language, "From {date}"),
        "due_by": say(language, "By {date}"),
        "due_if_planned": say(language, "By {date}, if you arrive as planned"),
        "was_due": say(language, "Was due on {date}"),
        "done_on": say(language, "Done on {date}"),
        "flag_sunday": say(language, "(a Sunday: do it before)"),
        "flag_holiday": say(language, "(a public holiday: do it before)"),
        "needs": say(language, "You need:"),
        "where": say(language, "Where:"),
        "source": say(language, "Source:"),
        "did_it": say(language, "I did it"),
        "undo": say(language, "Undo"),
        "marked_done": say(language, "Marked as done: {step}"),
        "marked_open": say(language, "No longer marked as done: {step}"),
        "calendar": say(language, "Your dates in your calendar"),
        "calendar_text": say(
            language,
            "You get a private address that your calendar program reads by itself. It follows your record when a date "
            "changes.",
        ),
        "calendar_give": say(language, "Give me an address"),
        "calendar_given": say(
            language,
            "Add this address in your calendar program as a subscription. It is shown only now, and whoever has it can "
            "read your dates.",
        ),
        "calendar_subscribe": say(language, "Open in a calendar program"),
        "calendar_stop": say(language, "Stop all addresses"),
        "calendar_stopped": say(language, "No address works any more."),
        "copy": say(language, "Copy"),
        "copied": say(language, "Copied"),
        "your_rights": say(language, "What you can do"),
        "export": say(language, "Download a copy"),
        "correct": say(language, "Correct something"),
        "correct_hint": say(language, "For example: I arrive a week later"),
        "erase": say(language, "Erase everything"),
        "erase_title": say(language, "Erase everything?"),
        "erase_text": say(
            language,
            "This conversation is erased, and if your record is linked, all your data here with it: record, steps, "
            "bookings, reminders. It cannot be undone. What the school keeps in its own systems stays there.",
        ),
        "erase_now": say(language, "Yes, erase everything"),
        "erased": say(language, "Everything is erased. This is a new conversation."),
    }


def _telegram_strings(language: str) -> dict[str, str]:
    """Those of joining Telegram to the conversation."""
    return {
        "telegram": say(language, "Telegram"),
        "telegram_go": say(language, "Continue on Telegram"),
        "telegram_text": say(language, "The same conversation here and in Telegram: I answer where you wrote last."),
        "telegram_make": say(language, "Make a link"),
        "telegram_new": say(language, "New link"),
        "telegram_how": say(
            language, "Open Telegram and press Start there. Then come back to this page and confirm that it is you."
        ),
        "telegram_open": say(language, "Open Telegram"),
        "telegram_scan": say(language, "With a phone, scan this:"),
        "telegram_until": say(language, "The link works once, until {time}. Keep it for yourself."),
        "telegram_asks": say(language, "The Telegram account {name} wants to join this conversation. Is this you?"),
        "telegram_nameless": say(language, "without a name"),
        "telegram_yes": say(language, "Yes, join"),
        "telegram_no": say(language, "No"),
        "telegram_joined": say(
            language,
            "This conversation goes on in Telegram as well, with the account {name}. I answer where you wrote last.",
        ),
        "telegram_leave": say(language, "Disconnect Telegram"),
        "telegram_over": say(language, "The time of the link is over."),
        "telegram_refused": say(language, "The link is over, and nothing was joined."),
    }


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, MEDIA_TYPES[path.suffix], _version(body))


def _version(body: bytes) -> str:
    return sha256(body).hexdigest()[:16]


def _cached(request: Request, body: bytes, media_type: str, cache: str) -> Response:
    """The body with our headers, or 304 when the reader already has it."""
    tag = f'"{_version(body)}"'
    headers = HEADERS | {"Cache-Control": cache, "ETag": tag}
    known = [known.strip().removeprefix("W/") for known in request.headers.get("If-None-Match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
