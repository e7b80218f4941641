"""Answers: what is due for review, drafts and reviews, what did not help, and each answer with its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.answers.words import (
    TelegramForm,
    asked_words,
    day_words,
    difference_words,
    edition_words,
    fault_words,
    owner_words,
    preview_rows,
    rating_words,
)
from bot.console.words import one_after_another, short_moment
from bot.content.loader import Texts
from bot.editing.models import Edition, State
from bot.editing.preview import previews
from bot.editing.queries import (
    edition_of,
    every_answer,
    history,
    is_due,
    last_save,
    live_texts,
    names_of_staff,
    open_edition,
    text_of_save,
    under_way,
    unhelpful_answers,
    writers_of,
)
from bot.editing.rules import (
    LONGEST_TEXT,
    Fields,
    SourceLine,
    faults_of,
    fields_of,
    lines_of,
    texts_hash,
    topic_of,
    with_fields,
)
from bot.editing.service import (
    LONGEST_REMARK,
    MAY_EDIT,
    Editing,
    Faulty,
    OwnWork,
    PublishedMeanwhile,
    SavedMeanwhile,
    UnderWay,
)
from bot.errors import AccueilError, ContentError, InvalidField, NotFound, VersionChanged
from bot.i18n.languages import CONTENT_CODES
from bot.i18n.translate import mark, say
from bot.identity.staff import SignedIn

PAGE = "/staff/answers"
SAVE_PATH = f"{PAGE}/save"
MOST_SAVED = 1024 * 1024
"""Bytes of a form: a text that is far too long comes back to whoever wrote it."""
EMPTY_SOURCES = 2
"""Rows of the form for sources to be added."""
VIEWS = {
    "due": mark("Due for review"),
    "work": mark("Drafts and reviews"),
    "thumbs": mark("Did not help"),
    "all": mark("All answers"),
}
DONE = {
    "saved": mark("Saved. Below you see it as students would."),
    "submitted": mark("Sent to review: a colleague who did not write it can publish it."),
    "published": mark("Published: students read it within five seconds."),
    "restored": mark("The earlier text is published again: students read it within five seconds."),
    "back": mark("It is a draft again."),
    "withdrawn": mark("The draft is given up. Its text is kept in the history."),
    "confirmed": mark("Sent to review with today's date on every source. A colleague publishes it."),
    "rebased": mark("Your text now stands on what students read today."),
}
REFUSALS: Sequence[tuple[type[AccueilError], str]] = (
    (OwnWork, mark("You wrote a part of this text, so a colleague must review it.")),
    (
        PublishedMeanwhile,
        mark(
            "Another text of this answer was published meanwhile. Take the draft back, compare the two below and send "
            "it again."
        ),
    ),
    (UnderWay, mark("Somebody is working on this answer. Publish or give up that draft first.")),
    (SavedMeanwhile, mark("The text has changed since you opened it. Read it again, then decide.")),
    (VersionChanged, mark("This has changed meanwhile. Nothing was done; here is how it stands now.")),
)
FIELD_FAULTS = {
    "remark": mark("Say in up to 1000 characters what is to be done."),
    "valid_until": mark("Write a day after today, as 2027-01-31."),
}

SignedInDep = Annotated[SignedIn, Depends(by_session)]
Number = Annotated[int, Form(ge=1, le=2**31 - 1)]
Line = Annotated[str, Form(max_length=300)]
Slug = Annotated[str, Form(max_length=60)]
Lines = Annotated[list[str] | None, Form(max_length=30)]
LongText = Annotated[str, Form(max_length=4 * LONGEST_TEXT)]
"""What is over LONGEST_TEXT comes back in the form, with a word about it."""


@dataclass
class TopicForm:
    """The form of an edition as it was filled in."""

    title_en: Line = ""
    title_fr: Line = ""
    question_en: Line = ""
    question_fr: Line = ""
    owner: Line = ""
    valid_until: Line = ""
    next: Line = ""
    source_title: Lines = None
    source_url: Lines = None
    source_checked_on: Lines = None
    text_en: LongText = ""
    text_fr: LongText = ""

    def fields(self) -> Fields:
        rows = zip_longest(self.source_title or (), self.source_url or (), self.source_checked_on or (), fillvalue="")
        return Fields(
            title={"en": self.title_en, "fr": self.title_fr},
            question={"en": self.question_en, "fr": self.question_fr},
            owner=self.owner,
            valid_until=self.valid_until,
            sources=tuple(SourceLine(*row) for row in rows if any(each.strip() for each in row)),
            next=self.next,
            texts={"en": self.text_en, "fr": self.text_fr},
        )


def render(request: Request, signed_in: SignedIn) -> Response:
    """The lists; `?topic=SLUG` one answer, `?edition=ID` one text of it."""
    query, services = request.query_params, services_of(request)
    notices = _done(query.get("done", ""), _language(signed_in))
    with services.database.read() as session:
        desk = Desk(request, services, session, signed_in)
        try:
            if "edition" in query:
                return desk.edition_page(_edition(session, query["edition"]), notices)
            if "topic" in query:
                return desk.topic_page(query["topic"], notices)
        except NotFound:
            notices = [Notice("trouble", say(_language(signed_in), "There is no such answer."))]
        return desk.lists(query.get("view", "due"), notices)


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/edit", edit_form, methods=["POST"])
    router.add_api_route(SAVE_PATH, save_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/decide", decide_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/confirm", confirm_form, methods=["POST"])
    return router


def edit_form(services: ServicesDep, signed_in: SignedInDep, topic: Slug = "") -> Response:
    """Open the draft of a topic, a new one where there is none."""
    with services.database.write() as session:
        edition = _editing(services, session, signed_in).start(topic)
        return _back(edition=edition.id)


def save_form(
    request: Request,
    services: ServicesDep,
    signed_in: SignedInDep,
    edition: Number,
    number: Number,
    form: Annotated[TopicForm, Depends(TopicForm)],
    then: Annotated[Literal["look", "submit"], Form()] = "look",
) -> Response:
    """Keep a draft, and send it to review where that was pressed. What is wrong with it keeps it a draft."""
    fields = form.fields()
    if any(len(lines_of(text)) > LONGEST_TEXT for text in fields.texts.values()):
        return _too_long(request, services, signed_in, edition, fields, number)
    try:
        with services.database.write() as session:
            editing = _editing(services, session, signed_in)
            started_from = text_of_save(session, edition, number)
            if started_from is None:
                raise NotFound
            editing.save(edition, number, with_fields(started_from, fields))
    except SavedMeanwhile as faster:
        return _saved_meanwhile(request, services, signed_in, edition, fields, number, faster)
    except VersionChanged:
        return _refused(request, services, signed_in, edition, say(_language(signed_in), REFUSALS[-1][1]))
    if then == "look":
        return _back(edition=edition, done="saved")
    try:
        with services.database.write() as session:
            editing = _editing(services, session, signed_in)
            editing.submit(edition, last_save(session, edition).number)
    except Faulty:
        return _refused(
            request,
            services,
            signed_in,
            edition,
            say(_language(signed_in), "Saved, but not sent to review: please mend what is named below first."),
        )
    return _back(edition=edition, done="submitted")


def decide_form(
    request: Request,
    services: ServicesDep,
    signed_in: SignedInDep,
    edition: Number,
    deed: Annotated[
        Literal["submit", "publish", "send_back", "take_back", "withdraw", "revive", "rebase", "restore"], Form()
    ],
    number: Number = 1,
    remark: Annotated[str, Form(max_length=4 * LONGEST_REMARK)] = "",
) -> Response:
    """Everything that moves an edition on without changing its text."""
    language = _language(signed_in)
    try:
        with services.database.write() as session:
            editing = _editing(services, session, signed_in)
            match deed:
                case "submit":
                    editing.submit(edition, number)
                    return _back(edition=edition, done="submitted")
                case "publish":
                    slug = editing.publish(edition, number).slug
                    return _back(topic=slug, done="published")
                case "send_back":
                    editing.send_back(edition, remark)
                    return _back(edition=edition, done="back")
                case "take_back":
                    editing.take_back(edition)
                    return _back(edition=edition, done="back")
                case "revive":
                    editing.revive(edition)
                    return _back(edition=edition, done="back")
                case "rebase":
                    editing.rebase(edition)
                    return _back(edition=edition, done="rebased")
                case "withdraw":
                    slug = editing.withdraw(edition).slug
                    return _back(edition=edition, done="withdrawn")
                case "restore":
                    slug = editing.restore(edition).slug
                    return _back(topic=slug, done="restored")
    except InvalidField as error:
        return _refused(request, services, signed_in, edition, say(language, FIELD_FAULTS[error.details["field"]]))
    except Faulty:
        return _refused(
            request, services, signed_in, edition, say(language, "It cannot be published: see below what is wrong.")
        )
    except (OwnWork, VersionChanged) as error:
        reason = next(words for kind, words in REFUSALS if isinstance(error, kind))
        return _refused(request, services, signed_in, edition, say(language, reason))


def confirm_form(
    request: Request,
    services: ServicesDep,
    signed_in: SignedInDep,
    topic: Slug = "",
    valid_until: Line = "",
    read_again: Annotated[Literal["", "yes"], Form()] = "",
) -> Response:
    """Every source was read today and still says this."""
    language = _language(signed_in)
    try:
        if read_again != "yes":
            reason = say(language, "Open every source first, and say that it still holds.")
            return _topic_refused(request, services, signed_in, topic, reason)
        with services.database.write() as session:
            edition = _editing(services, session, signed_in).confirm(topic, valid_until)
            return _back(edition=edition.id, done="confirmed")
    except InvalidField as error:
        return _topic_refused(request, services, signed_in, topic, say(language, FIELD_FAULTS[error.details["field"]]))
    except Faulty as error:
        found = [fault_words(each, language) for each in error.faults]
        wrong = one_after_another(
            (say(language, "{name}: {value}", name=each["where"], value=each["what"]) for each in found), language
        )
        return _topic_refused(request, services, signed_in, topic, wrong)
    except UnderWay:
        return _topic_refused(request, services, signed_in, topic, say(language, REFUSALS[2][1]))


@dataclass(frozen=True)
class Desk:
    """One page about to be drawn."""

    request: Request
    services: Services
    session: Session
    signed_in: SignedIn

    @property
    def language(self) -> str:
        return _language(self.signed_in)

    def lists(self, wanted: str, notices: Sequence[Notice]) -> Response:
        view = wanted if wanted in VIEWS else "due"
        services, session, now = self.services, self.session, self.services.clock.now()
        rows = every_answer(session, services.knowledge, now, day_in_france(now))
        due, work = [row for row in rows if is_due(row)], under_way(session)
        names = names_of_staff(session)
        titles = {slug: topic.file.title.get(self.language) for slug, topic in services.knowledge.topics.items()}
        thumbs = self._thumbs(titles)
        counts = {"due": len(due), "work": len(work), "thumbs": len(thumbs), "all": len(rows)}
        return self._page(
            "answers.html",
            notices,
            view=view,
            views=[(name, say(self.language, words), counts[name]) for name, words in VIEWS.items()],
            rows=[asked_words(row, self.language) for row in (due if view == "due" else rows)],
            work=[
                edition_words(each, names, self.language) | {"title": titles.get(each.slug, each.slug)} for each in work
            ],
            thumbs=thumbs,
        )

    def _thumbs(self, titles: Mapping[str, str], slug: str | None = None) -> list[dict[str, Any]]:
        staff = self.signed_in.staff
        found = unhelpful_answers(self.session, staff, self.services.clock.now(), slug)
        # Answers belong to no desk: whoever mends them needs the question, masked, of every student.
        sees_every_question = staff.role in MAY_EDIT
        return [rating_words(each, titles, self.language, sees_every_question=sees_every_question) for each in found]

    def topic_page(self, slug: str, notices: Sequence[Notice], status: int = 200) -> Response:
        texts = live_texts(self.session, self.services.knowledge, slug)
        names, opened = names_of_staff(self.session), open_edition(self.session, slug)
        fields = fields_of(texts)
        titles = {slug: fields.title[self.language]}
        past = [edition_words(each, names, self.language) for each in history(self.session, slug)]
        return self._page(
            "answer.html",
            notices,
            status,
            slug=slug,
            fields=fields,
            day=partial(day_words, language=self.language),
            owner=partial(owner_words, language=self.language),
            is_mine=opened is not None and opened.author_id == self.signed_in.staff.id,
            opened=edition_words(opened, names, self.language) if opened else None,
            past=past,
            thumbs=self._thumbs(titles, slug),
            rows=self._previews(slug, texts),
        )

    def edition_page(
        self,
        edition: Edition,
        notices: Sequence[Notice],
        status: int = 200,
        *,
        fields: Fields | None = None,
        theirs: Texts | None = None,
        number: int | None = None,
    ) -> Response:
        """`fields`: what was typed, where it could not be saved; `theirs`: what somebody else saved meanwhile.

        `number`: of the save that was typed over, where what came after it has not been seen.
        """
        session, slug, state = self.session, edition.slug, State(edition.state)
        save, live = last_save(session, edition.id), live_texts(session, self.services.knowledge, slug)
        texts = with_fields(save.texts, fields) if fields else save.texts
        is_live = state is State.PUBLISHED and texts_hash(texts) == texts_hash(live)
        # Of what students read: what it changed. Of everything else: what it would change for them.
        before = self._before(edition) if is_live else live
        rows, rows_before = self._previews(slug, texts), self._previews(slug, before)
        is_open = state in (State.DRAFT, State.REVIEW)
        shown = fields or fields_of(texts)
        sources = (*shown.sources, *[SourceLine("", "", "")] * EMPTY_SOURCES)
        return self._page(
            "edition.html",
            notices,
            status,
            edition=edition_words(edition, names_of_staff(session), self.language),
            slug=slug,
            fields=replace(shown, sources=sources),
            number=number or save.number,
            saved_at=short_moment(self.language, save.saved_at),
            faults=self._faults(slug, texts) if is_open else [],
            changes=difference_words(before, texts, self.language),
            meanwhile=difference_words(theirs, texts, self.language) if theirs is not None else [],
            moved_on=is_open and texts_hash(live) != edition.based_on,
            is_own=self.signed_in.staff.id in writers_of(session, edition.id),
            is_live=is_live,
            may_restore=state is State.PUBLISHED and not is_live,
            codes=CONTENT_CODES,
            rows=rows,
            changed_rows=[row for row in rows if row not in rows_before],
            longest_remark=LONGEST_REMARK,
            longest_text=LONGEST_TEXT,
            is_unsaved=fields is not None,
        )

    def _before(self, edition: Edition) -> Texts:
        """What students read before this one."""
        earlier = [each for each in history(self.session, edition.slug) if each.publication < edition.publication]  # type: ignore[operator]  # published ones have a number
        texts: Texts = last_save(self.session, (earlier or [edition])[0].id).texts
        return texts

    def _faults(self, slug: str, texts: Texts) -> list[dict[str, str]]:
        found = faults_of(
            self.services.knowledge, slug, texts, _procedures(self.services), day_in_france(self.services.clock.now())
        )
        return [fault_words(each, self.language) for each in found]

    def _previews(self, slug: str, texts: Texts) -> list[dict[str, Any]]:
        """None where the text cannot be shown; the faults say why."""
        knowledge = self.services.knowledge
        telegram: TelegramForm | None = getattr(self.request.app.state, "telegram_form", None)
        try:
            topic = topic_of(knowledge, slug, texts)
            if topic.pages.keys() != set(CONTENT_CODES):
                return []
            shown = previews(knowledge, topic, day_in_france(self.services.clock.now()))
        except ContentError:
            return []
        return preview_rows(shown, telegram, self.language)

    def _page(self, template: str, notices: Sequence[Notice], status: int = 200, **values: Any) -> Response:
        may_edit = self.signed_in.staff.role in MAY_EDIT
        return office_page(template, PAGE, self.signed_in, status, notices=notices, may_edit=may_edit, **values)


def _editing(services: Services, session: Session, signed_in: SignedIn) -> Editing:
    return Editing(session, services.knowledge, _procedures(services), signed_in.staff, services.clock.now())


def _procedures(services: Services) -> frozenset[str]:
    return frozenset(str(each.slug) for each in services.procedures)


def _edition(session: Session, number: str) -> Edition:
    """Raises NotFound."""
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise NotFound
    return edition_of(session, int(number))


def _saved_meanwhile(
    request: Request,
    services: Services,
    signed_in: SignedIn,
    edition_id: int,
    fields: Fields,
    number: int,
    faster: SavedMeanwhile,
) -> Response:
    """The form with what was typed, and what the other one saved beside it."""
    language = _language(signed_in)
    words = say(
        language,
        "{colleague} saved this text at {time}, after you had opened it. Your text is below and nothing is lost: take "
        "over what you want to keep of the other one, then save again.",
        colleague=faster.details["colleague"],
        time=short_moment(language, faster.details["at"]),
    )
    with services.database.read() as session:
        edition = edition_of(session, edition_id)
        desk = Desk(request, services, session, signed_in)
        theirs = last_save(session, edition_id).texts
        notices = [Notice("warning", words)]
        return desk.edition_page(edition, notices, 409, fields=fields, theirs=theirs)


def _too_long(
    request: Request, services: Services, signed_in: SignedIn, edition_id: int, fields: Fields, number: int
) -> Response:
    """The form with what was typed."""
    words = say(
        _language(signed_in),
        "Nothing is saved yet: a text has at most {number} characters. Yours is below; please shorten it.",
        number=LONGEST_TEXT,
    )
    with services.database.read() as session:
        desk = Desk(request, services, session, signed_in)
        notices = [Notice("trouble", words)]
        return desk.edition_page(edition_of(session, edition_id), notices, 422, fields=fields, number=number)


def _refused(request: Request, services: Services, signed_in: SignedIn, edition_id: int, reason: str) -> Response:
    with services.database.read() as session:
        desk = Desk(request, services, session, signed_in)
        return desk.edition_page(edition_of(session, edition_id), [Notice("trouble", reason)], 422)


def _topic_refused(request: Request, services: Services, signed_in: SignedIn, slug: str, reason: str) -> Response:
    with services.database.read() as session:
        return Desk(request, services, session, signed_in).topic_page(slug, [Notice("trouble", reason)], 422)


def _back(**where: Any) -> Response:
    return RedirectResponse(f"{PAGE}?{urlencode(where)}", 303, headers=HEADERS)


def _done(done: str, language: str) -> list[Notice]:
    return [Notice("done", say(language, DONE[done]))] if done in DONE else []


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
