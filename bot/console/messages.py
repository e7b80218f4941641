"""What the console says in place of a page: a sentence, what to do about each field, and a way on."""

from collections.abc import Iterable, Mapping

from fastapi import Request
from fastapi.responses import HTMLResponse

from bot.console.html import html, visitor_language
from bot.console.pages import PAGES
from bot.i18n.translate import mark, say

SIGN_IN = "/staff/sign-in"
REFUSED = mark("This was not accepted, and nothing was changed.")
TEXTS: Mapping[int, str] = {
    401: mark("Please sign in first."),
    403: mark("Your role does not allow this."),
    404: mark("There is no such page, or it is not yours to see."),
    405: mark("There is no such page, or it is not yours to see."),
    409: mark("This has changed in the meantime, and nothing was done. Please look at it again."),
    429: mark("That was too fast. Please wait a moment."),
    500: mark("Something went wrong on our side. Please try again in a minute."),
    503: mark("Nothing can be stored at the moment. Please try again in a minute."),
}
"""By the status of the answer; REFUSED for every other one."""
ALL_TOO_LONG = mark("Together the fields are too long: please shorten them.")
RELOAD = mark("The page was open for too long, or the request came from another place: please load the page again.")
FIELDS: Mapping[str, str] = {
    "again": mark("The same once more"),
    "code": mark("Code"),
    "email": mark("E-mail address"),
    "first": mark("From"),
    "last": mark("Until"),
    "left_out": mark("Left out, in percent"),
    "meetings": mark("Meetings"),
    "name": mark("Name"),
    "new": mark("New password"),
    "password": mark("Password"),
    "question_en": mark("Question, as a student would say it"),
    "question_fr": mark("Question, as a student would say it"),
    "remark": mark("What is to be done"),
    "text_en": mark("English text"),
    "text_fr": mark("French text"),
    "title_en": mark("Title in English"),
    "title_fr": mark("Title in French"),
}
"""What the pages call the fields that people fill in; the others are shown by their own name."""
TOO_LONG = frozenset({"string_too_long", "too_long"})


def wants_page(request: Request) -> bool:
    """Whether a person reads the answer in a browser: programs, and the scripts of our pages, read problems."""
    path = request.url.path
    is_page = path.startswith("/staff/") and not path.startswith("/staff/api/")
    return is_page and "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers


def message_page(request: Request, status: int, faults: Iterable[str] = ()) -> HTMLResponse:
    """In the language of who is signed in, as the browser keeps it: the database may be what is missing."""
    language = visitor_language(request)
    if status == 401 or not request.cookies:
        home, back = SIGN_IN, say(language, "To the sign-in")
    else:
        # The desk comes first in the list and is above every other page.
        page = next((each for each in PAGES[1:] if f"{request.url.path}/".startswith(f"{each.path}/")), PAGES[0])
        home, back = page.path, say(language, "Back to “{page}”", page=say(language, page.title))
    title = say(language, TEXTS.get(status, REFUSED))
    return html("message.html", language, status, title=title, faults=list(faults), home=home, back=back)


def fault_words(kind: str, field: str, language: str) -> str:
    """What is wrong with a field and what to do, by Pydantic's name of the fault."""
    name = say(language, FIELDS[field]) if field in FIELDS else field
    if kind in TOO_LONG:
        return say(language, "“{field}” is too long: please shorten it.", field=name)
    if kind == "missing":
        return say(language, "“{field}” is missing: please fill it in.", field=name)
    return say(language, "“{field}” has a value that is not possible here: please choose it again.", field=name)
