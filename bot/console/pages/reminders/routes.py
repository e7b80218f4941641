"""Reminders: what went out, and campaigns: who would get one, start it, what it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.errors import AccueilError, InvalidField, NotFound
from bot.i18n.formats import date_words
from bot.i18n.translate import mark, say, say_n
from bot.identity.staff import SignedIn
from bot.reminders.campaigns import (
    FILTERS,
    LONGEST_NAME,
    Audience,
    Wish,
    audience,
    campaigns,
    checked,
    choices_of,
    result,
    start,
    undo,
    undoable,
)
from bot.reminders.models import ReminderKind
from bot.reminders.queries import sent_counts, skipped_counts, waiting_count
from bot.reminders.report import count_words, result_words

PAGE = "/staff/reminders"
COUNTED = timedelta(days=7)
UNDONE = mark("The reminder was taken back; nobody gets it.")
DEFAULT_LEFT_OUT = 20
"""Percent of the students."""
KINDS = {
    ReminderKind.STEP: mark("Steps"),
    ReminderKind.BOOKING: mark("Classes, appointments, events"),
    ReminderKind.CAMPAIGN: mark("Campaigns"),
}
CHANNELS = {"web": mark("in the chat"), "telegram": mark("on Telegram"), "mail": mark("by mail")}
REASONS = {
    "done": mark("done meanwhile"),
    "not_needed": mark("not needed any more"),
    "not_open": mark("cannot be done now"),
    "changed": mark("its date changed"),
    "past": mark("its date has passed"),
    "newer": mark("a newer reminder took its place"),
    "counted": mark("counted in a message about more urgent steps"),
    "opted_out": mark("the student does not want them"),
    "left_out": mark("left out of a campaign, to compare"),
    "left": mark("no longer a student"),
    "cancelled": mark("the booking is cancelled"),
}
OTHER_REASON = mark("another reason")
VALUES = {
    "lille": mark("Lille"),
    "bordeaux": mark("Bordeaux"),
    "chateauroux": mark("Châteauroux"),
    "exchange": mark("exchange"),
    "degree": mark("degree"),
    "double_degree": mark("double degree"),
    "ka131": mark("Erasmus+ (KA131)"),
    "ka171": mark("Erasmus+ worldwide (KA171)"),
    "bip": mark("blended intensive programme"),
    "summer": mark("summer programme"),
}
FIELDS = {
    "campus": mark("Campus"),
    "programme_type": mark("Programme"),
}
EVERY = {"campus": mark("every campus"), "programme_type": mark("every programme")}

SignedInDep = Annotated[SignedIn, Depends(by_session)]


@dataclass(frozen=True)
class Draft:
    """The form as it was filled in."""

    step: str = ""
    name: str = ""
    campus: str = ""
    programme_type: str = ""
    left_out: str = str(DEFAULT_LEFT_OUT)

    def wish(self) -> Wish:
        """Raises InvalidField when the share is no number."""
        try:
            percent = int(self.left_out)
        except ValueError as error:
            raise InvalidField(mark("The share is not a whole number of percent."), field="left_out") from error
        filters = {fact: value for fact in FILTERS if (value := getattr(self, fact))}
        return Wish(self.step, self.name, filters, percent / 100)


def render(request: Request, signed_in: SignedIn) -> Response:
    """The page; `?step=…` shows who would get a campaign, `?campaign=ID` what one changed."""
    query = request.query_params
    draft = Draft(**{name: query[name][:200] for name in Draft.__dataclass_fields__ if name in query})
    services = services_of(request)
    if not draft.step:
        return _page(
            services,
            signed_in,
            draft,
            campaign_id=query.get("campaign"),
            is_new="started" in query,
            notices=[Notice("done", say(_language(signed_in), UNDONE))] if "undone" in query else [],
        )
    try:
        wish = checked(draft.wish(), services.procedures)
    except InvalidField as error:
        return _page(services, signed_in, draft, status=422, faults=_faults(error, signed_in))
    chosen = audience(services.database, wish, services.procedures, services.clock.now())
    return _page(services, signed_in, draft, preview=_preview(wish, chosen, _language(signed_in)))


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/campaigns", start_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/undo", undo_form, methods=["POST"])
    return router


def start_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    step: Annotated[str, Form(max_length=60)] = "",
    name: Annotated[str, Form(max_length=4 * LONGEST_NAME)] = "",
    campus: Annotated[str, Form(max_length=60)] = "",
    programme_type: Annotated[str, Form(max_length=60)] = "",
    left_out: Annotated[str, Form(max_length=10)] = str(DEFAULT_LEFT_OUT),
) -> Response:
    """Start a campaign and show it."""
    draft = Draft(step, name, campus, programme_type, left_out)
    now = services.clock.now()
    try:
        wish = checked(draft.wish(), services.procedures)
        chosen = audience(services.database, wish, services.procedures, now)
        with services.database.write() as session:
            campaign = start(session, wish, chosen, now, staff_id=signed_in.staff.id)
            where = urlencode({"campaign": campaign.id, "started": 1})
    except InvalidField as error:
        return _page(services, signed_in, draft, status=422, faults=_faults(error, signed_in))
    return RedirectResponse(f"{PAGE}?{where}", 303, headers=HEADERS)


def undo_form(
    services: ServicesDep, signed_in: SignedInDep, campaign: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """Take a campaign back before its first message."""
    try:
        with services.database.write() as session:
            undo(session, _number(campaign) or 0, services.clock.now(), staff_id=signed_in.staff.id)
    except (InvalidField, NotFound):
        language = _language(signed_in)
        text = say(language, "It cannot be undone any more: the first message has gone out, or it was undone before.")
        return _page(services, signed_in, Draft(), status=409, notices=[Notice("trouble", text)])
    return RedirectResponse(f"{PAGE}?undone=1", 303, headers=HEADERS)


def _page(
    services: Services,
    signed_in: SignedIn,
    draft: Draft,
    *,
    status: int = 200,
    faults: Mapping[str, str] | None = None,
    preview: dict[str, Any] | None = None,
    campaign_id: str | None = None,
    is_new: bool = False,
    notices: Sequence[Notice] = (),
) -> Response:
    language, now = _language(signed_in), services.clock.now()
    titles = {str(each.slug): each.title.get(language) for each in services.procedures}
    with services.database.read() as session:
        can_undo = {each.id for each in undoable(session)}
        sent = sent_counts(session, now - COUNTED)
        waiting, skipped = waiting_count(session), skipped_counts(session, now - COUNTED)
        rows = [
            {
                "id": each.id,
                "name": titles.get(each.name, each.name),
                "step": titles.get(each.step, each.step),
                "chosen_by": _chosen_words(each.chosen_by, language),
                "left_out": f"{each.left_out * 100:.0f}\N{NO-BREAK SPACE}%",
                "started": date_words(day_in_france(each.started_at), language),
                "can_undo": each.id in can_undo,
            }
            for each in campaigns(session)
        ]
    shown = _shown(services, campaign_id, titles, now, language)
    notices = list(notices)
    if is_new and shown is not None:
        notices.append(Notice("done", say(language, "The campaign has started.")))
    if campaign_id is not None and shown is None:
        notices.append(Notice("trouble", say(language, "There is no such campaign.")))
    if faults:
        notices.append(Notice("trouble", say(language, "Nothing was started. Please look at the form below.")))
    return office_page(
        "reminders.html",
        PAGE,
        signed_in,
        status,
        notices=notices,
        sent=[
            (say(language, KINDS[each.kind]), say(language, CHANNELS.get(each.channel, each.channel)), each.count)
            for each in sent
        ],
        waiting=waiting,
        skipped=[(say(language, REASONS.get(reason, OTHER_REASON)), count) for reason, count in skipped.items()],
        campaigns=rows,
        shown=shown,
        draft=draft,
        faults=faults or {},
        preview=preview,
        steps=sorted(titles.items(), key=lambda each: each[1].casefold()),
        filters=[
            (
                fact,
                say(language, FIELDS[fact]),
                [("", say(language, EVERY[fact])), *((value, _value(value, language)) for value in choices_of(fact))],
                getattr(draft, fact),
            )
            for fact in FILTERS
        ],
        most_left_out=50,
        longest_name=LONGEST_NAME,
    )


def _shown(
    services: Services, campaign_id: str | None, titles: Mapping[str, str], now: datetime, language: str
) -> dict[str, Any] | None:
    """The campaign whose result was asked for."""
    number = _number(campaign_id)
    if number is None:
        return None
    try:
        with services.database.read() as session:
            found = result(session, number, now)
    except NotFound:
        return None
    return {
        "name": titles.get(found.campaign.name, found.campaign.name),
        "step": titles.get(found.campaign.step, found.campaign.step),
        "sent": say_n(
            language,
            "{count} message has gone out so far.",
            "{count} messages have gone out so far.",
            found.sent,
            count=count_words(found.sent, hidden=True),
        ),
        "sentences": result_words(found, language, are_small_counts_hidden=True),
    }


def _preview(wish: Wish, chosen: Audience, language: str) -> dict[str, Any]:
    all_of_them, without = len(chosen.student_ids), chosen.left_out(wish.left_out)
    return {
        "count": all_of_them,
        "words": say(
            language,
            "{with_message} students would get the message, {without} would be left out to compare.",
            with_message=count_words(all_of_them - without, hidden=True),
            without=count_words(without, hidden=True),
        ),
        "has_legal_date": bool(chosen.with_legal_date and without),
    }


def _chosen_words(chosen_by: Mapping[str, str], language: str) -> str:
    return ", ".join(_value(value, language) for value in chosen_by.values()) or say(language, "everybody")


def _value(value: str, language: str) -> str:
    return say(language, VALUES.get(value, value))


FAULTS = {
    "step": mark("Choose a step at which somebody is now."),
    "left_out": mark("Write a whole number from 0 to 50."),
    "name": mark("The name is too long; 120 characters are possible."),
    "campus": mark("Choose one of the list."),
    "programme_type": mark("Choose one of the list."),
}
"""What to do about a field; the sentences of the errors themselves are for the command line."""


def _faults(error: AccueilError, signed_in: SignedIn) -> dict[str, str]:
    name = str(error.details["field"])
    return {name: say(_language(signed_in), FAULTS[name])}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 9 else None


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
