"""The page of questions that were not understood: by meaning, with what was decided, and the training that follows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from bot.answers.inputs import inputs_fingerprint
from bot.answers.trained import read_current, read_engine
from bot.bootstrap import Services
from bot.clock import day_in_france
from bot.console.access import ServicesDep, by_session, services_of
from bot.console.exports import exported
from bot.console.html import HEADERS, Notice, console_language, office_page
from bot.console.pages.questions.words import DONE, OUTCOMES, STAGES, TROUBLE, TROUBLES, WHY
from bot.console.words import one_after_another
from bot.content.check import folded, near_repeat
from bot.errors import InvalidField, NotFound
from bot.i18n.formats import date_words, number
from bot.i18n.languages import CODES, language_name
from bot.i18n.translate import say
from bot.identity.staff import SignedIn
from bot.upkeep import assigning, retraining
from bot.upkeep.assigning import MAY_DECIDE, Desk
from bot.upkeep.gathering import read_groups
from bot.upkeep.masking import LONGEST
from bot.upkeep.models import PhraseAssignment, Retraining, Stage, Verdict
from bot.upkeep.phrases import FAULTS, Phrase, changed_files, patch
from bot.upkeep.questions import Question, open_questions
from bot.upkeep.report import Report

PAGE = "/staff/questions"
MOST_GROUPS = 50
MOST_IN_FORM = 20
"""Questions of one group that are offered as phrases; all of them are decided."""
MOST_THOUGHTS = 3
EXTRA_LINES = 3
"""Empty lines for more ways to ask."""
USES = ("learn", "test", "leave")
NUMBER = 2_147_483_647

SignedInDep = Annotated[SignedIn, Depends(by_session)]
Ids = Annotated[list[Annotated[int, Form(ge=1, le=NUMBER)]], Form(max_length=2000)]
Texts = Annotated[list[Annotated[str, Form(max_length=4 * LONGEST)]], Form(max_length=100)]


@dataclass(frozen=True)
class Group:
    """Questions of one meaning, the most central one first."""

    questions: Sequence[Question]

    @property
    def id(self) -> int:
        return self.questions[0].message_id

    @property
    def ids(self) -> list[int]:
        return [each.message_id for each in self.questions]

    @property
    def in_other_words(self) -> list[Question]:
        """Each wording once."""
        return list({folded(each.text): each for each in reversed(self.questions)}.values())[::-1]

    @property
    def thoughts(self) -> list[str]:
        """Topics that the model thought of, those of most weight first."""
        weights: Counter[str] = Counter()
        for each in self.questions:
            weights.update(each.thoughts)
        return [topic for topic, _ in weights.most_common()]


def render(request: Request, signed_in: SignedIn) -> Response:
    """The page; `?group=NUMBER` opens one group to give it to a topic."""
    query, services = request.query_params, services_of(request)
    language = _language(signed_in)
    notices = [Notice("done", say(language, DONE[name])) for name in (query.get("done"),) if name in DONE]
    notices += [Notice("trouble", say(language, TROUBLE[name])) for name in (query.get("trouble"),) if name in TROUBLE]
    wanted = query.get("group", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 11:
        group = next((each for each in _groups(services) if int(wanted) in each.ids), None)
        if group is not None and signed_in.staff.role in MAY_DECIDE:
            return _assign_page(services, signed_in, group, _first_lines(group), notices=notices)
        notices.append(Notice("trouble", say(language, TROUBLE["gone"])))
    return _page(services, signed_in, notices)


def routes() -> APIRouter:
    router = APIRouter()
    router.add_api_route(f"{PAGE}/assign", assign_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/take-back", take_back_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/ignore", ignore_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/snooze", snooze_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/reopen", reopen_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/patch", patch_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/train", train_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/switch", switch_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/discard", discard_form, methods=["POST"])
    router.add_api_route(f"{PAGE}/back", back_form, methods=["POST"])
    return router


@dataclass(frozen=True)
class Line:
    """One line of the form."""

    language: str
    text: str
    use: str


def assign_form(
    services: ServicesDep,
    signed_in: SignedInDep,
    message: Ids = [],  # noqa: B006  (FastAPI copies it)
    topic: Annotated[str, Form(max_length=80)] = "",
    text: Texts = [],  # noqa: B006
    language: Texts = [],  # noqa: B006
    use: Texts = [],  # noqa: B006
) -> Response:
    """Give a group to a topic, with the phrases as they were edited."""
    lines = [Line(*each) for each in zip(language, text, use, strict=False)]
    chosen = [
        (place, Phrase(line.language, line.text, "test" if line.use == "test" else "learn"))
        for place, line in enumerate(lines)
        if line.use in ("learn", "test") and line.text.strip()
    ]
    now = services.clock.now()
    try:
        with services.database.write() as session:
            made = assigning.assign(
                session, _desk(services), signed_in.staff, topic, message, [each for _, each in chosen], now
            )
            done = "assigned" if made.is_written else "patch"
    except InvalidField as error:
        with services.database.read() as session:
            group = Group(_in_order(open_questions(session, now, only=message), message))
        if not group.questions:
            return _to_page(trouble="gone")
        field = str(error.details["field"])
        place = str(chosen[int(field)][0]) if field.isdigit() else field
        fault = say(_language(signed_in), FAULTS[str(error)])
        return _assign_page(services, signed_in, group, lines, topic=topic, faults={place: fault}, status=422)
    except NotFound:
        return _to_page(trouble="gone")
    return _to_page(done=done)


def take_back_form(
    services: ServicesDep, signed_in: SignedInDep, assignment: Annotated[int, Form(ge=1, le=NUMBER)] = 1
) -> Response:
    now = services.clock.now()

    def deed(session: Session) -> None:
        assigning.take_back(session, _desk(services), signed_in.staff, assignment, now)

    return _do(services, deed, "taken_back")


def ignore_form(services: ServicesDep, signed_in: SignedInDep, message: Ids = []) -> Response:  # noqa: B006
    now = services.clock.now()
    return _do(services, lambda session: assigning.ignore(session, signed_in.staff, message, now), "ignored")


def snooze_form(services: ServicesDep, signed_in: SignedInDep, message: Ids = []) -> Response:  # noqa: B006
    now = services.clock.now()
    return _do(services, lambda session: assigning.snooze(session, signed_in.staff, message, now), "snoozed")


def reopen_form(services: ServicesDep, signed_in: SignedInDep) -> Response:
    """Undo what was ignored and snoozed."""
    now = services.clock.now()
    return _do(services, lambda session: assigning.reopen_all(session, signed_in.staff, now), "reopened")


def patch_form(
    services: ServicesDep, signed_in: SignedInDep, assignment: Annotated[int, Form(ge=1, le=NUMBER)] = 1
) -> Response:
    """What an assignment would change, for a checkout that can be written."""
    assigning.check_may_decide(signed_in.staff)
    with services.database.read() as session:
        found = session.get(PhraseAssignment, assignment)
        if found is None or found.taken_back_at is not None:
            return _to_page(trouble="gone")
        root = services.settings.root
        text = patch(root, changed_files(root, found.label, assigning.phrases_of(found)))
    return exported(services, signed_in, f"phrases-{assignment}.patch", text, "text/plain; charset=utf-8")


def train_form(services: ServicesDep, signed_in: SignedInDep) -> Response:
    with services.database.write() as session:
        is_new = retraining.ask(session, signed_in.staff, services.clock.now())
    return _to_page(done="asked") if is_new else _to_page(trouble="busy")


def switch_form(
    services: ServicesDep, signed_in: SignedInDep, training: Annotated[int, Form(ge=1, le=NUMBER)] = 1
) -> Response:
    models, now = services.settings.data / "models", services.clock.now()
    assigning.check_may_decide(signed_in.staff)
    former = read_current(models)
    if former is None or read_engine(models) is None:
        return _to_page(trouble="unsupervised")
    return _do(
        services, lambda session: retraining.switch(session, signed_in.staff, training, former, now), "switching"
    )


def discard_form(
    services: ServicesDep, signed_in: SignedInDep, training: Annotated[int, Form(ge=1, le=NUMBER)] = 1
) -> Response:
    now = services.clock.now()
    return _do(services, lambda session: retraining.discard(session, signed_in.staff, training, now), "discarded")


def back_form(
    services: ServicesDep, signed_in: SignedInDep, training: Annotated[int, Form(ge=1, le=NUMBER)] = 1
) -> Response:
    """The model before, again."""
    assigning.check_may_decide(signed_in.staff)
    if read_engine(services.settings.data / "models") is None:
        return _to_page(trouble="unsupervised")
    now = services.clock.now()
    return _do(services, lambda session: retraining.go_back(session, signed_in.staff, training, now), "switching")


def _do(services: Services, deed: Callable[[Session], object], done: str) -> Response:
    try:
        with services.database.write() as session:
            deed(session)
    except NotFound:
        return _to_page(trouble="gone")
    return _to_page(done=done)


def _to_page(**query: str) -> Response:
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303, headers=HEADERS)


def _page(services: Services, signed_in: SignedIn, notices: Sequence[Notice]) -> Response:
    language = _language(signed_in)
    groups, found = _groups(services), read_groups(services.settings.data / "upkeep")
    may_decide = signed_in.staff.role in MAY_DECIDE
    with services.database.read() as session:
        counts = assigning.decided_counts(session)
        assigned = [_assignment(services, each, language) for each in assigning.assignments(session)]
        now_open, last = retraining.open_retraining(session), retraining.last_in_use(session)
        training = _training(services, now_open, language) if now_open is not None else None
        past = [_training(services, each, language) for each in retraining.history(session)]
        back_to = last.id if last is not None and now_open is None else None
        to_learn = assigning.phrases_since(session, last.asked_at if last is not None else None)
    return office_page(
        "questions.html",
        PAGE,
        signed_in,
        notices=notices,
        may_decide=may_decide,
        groups=[_shown(services, each, language) for each in groups[:MOST_GROUPS]],
        more=max(len(groups) - MOST_GROUPS, 0),
        sorting=found,
        set_aside=counts.get(Verdict.IGNORED, 0) + counts.get(Verdict.SNOOZED, 0),
        assigned=assigned,
        training=training,
        past=past,
        back_to=back_to,
        to_learn=to_learn,
        is_behind=may_decide and not to_learn and _is_behind(services),
    )


def _is_behind(services: Services) -> bool:
    """Whether the files are others than those the model in use was trained on: phrases taken back, for one."""
    current = read_current(services.settings.data / "models")
    return current is not None and current.fingerprint != inputs_fingerprint(services.settings.root)


def _groups(services: Services) -> list[Group]:
    """As last sorted, without what was decided or erased since."""
    found = read_groups(services.settings.data / "upkeep")
    with services.database.read() as session:
        known = {each.message_id: each for each in open_questions(session, services.clock.now())}
    groups = [Group([known[number] for number in numbers if number in known]) for numbers in found.groups]
    return sorted((each for each in groups if each.questions), key=lambda each: -len(each.questions))


def _in_order(questions: Sequence[Question], numbers: Sequence[int]) -> list[Question]:
    by_number = {each.message_id: each for each in questions}
    return [by_number[number] for number in numbers if number in by_number]


def _shown(services: Services, group: Group, language: str) -> dict[str, Any]:
    days = sorted(day_in_france(each.asked_at) for each in group.questions)
    whys = Counter(each.why for each in group.questions)
    return {
        "id": group.id,
        "central": group.questions[0].text,
        "count": len(group.questions),
        "others": [each.text for each in group.in_other_words[1:MOST_IN_FORM]],
        "languages": ", ".join(
            language_name(code, language) for code in sorted({each.language for each in group.questions})
        ),
        "first": date_words(days[0], language),
        "last": date_words(days[-1], language),
        "why": one_after_another((say(language, WHY[why]) for why, _ in whys.most_common()), language),
        "thoughts": one_after_another(
            (_title(services, each, language) for each in group.thoughts[:MOST_THOUGHTS]), language
        ),
        "messages": group.ids,
    }


def _title(services: Services, slug: str, language: str) -> str:
    topic = services.knowledge.topics.get(slug)
    return topic.file.title.get(language) if topic is not None else slug


def _first_lines(group: Group) -> list[Line]:
    """The most central question is kept to test with, the others are learned; nearly the same words are no test."""
    questions = group.in_other_words[:MOST_IN_FORM]
    test, *others = questions
    lines = [Line(test.language, test.text, "test")]
    for each in others:
        use = "leave" if near_repeat(folded(each.text), [folded(test.text)]) else "learn"
        lines.append(Line(each.language, each.text, use))
    return [*lines, *[Line(test.language, "", "learn")] * EXTRA_LINES]


def _assign_page(
    services: Services,
    signed_in: SignedIn,
    group: Group,
    lines: Sequence[Line],
    *,
    topic: str = "",
    faults: Mapping[str, str] | None = None,
    notices: Sequence[Notice] = (),
    status: int = 200,
) -> Response:
    language = _language(signed_in)
    if faults:
        notices = [Notice("trouble", say(language, "Nothing was saved. Please look at the form below."))]
    thoughts = [each for each in group.thoughts if each in services.knowledge.topics][:MOST_THOUGHTS]
    titles = {slug: _title(services, slug, language) for slug in services.knowledge.topics}
    return office_page(
        "questions_assign.html",
        PAGE,
        signed_in,
        status,
        notices=notices,
        group=_shown(services, group, language),
        thoughts=[(slug, titles[slug]) for slug in thoughts],
        topics=sorted(titles.items(), key=lambda each: each[1].casefold()),
        topic=topic,
        lines=lines,
        codes=[(code, language_name(code, language)) for code in CODES],
        faults=faults or {},
        longest=LONGEST,
    )


def _assignment(services: Services, each: PhraseAssignment, language: str) -> dict[str, Any]:
    return {
        "id": each.id,
        "topic": _title(services, each.label.partition("/")[2], language),
        "learned": [phrase["text"] for phrase in each.phrases if phrase["use"] == "learn"],
        "tests": [phrase["text"] for phrase in each.phrases if phrase["use"] == "test"],
        "on": date_words(day_in_france(each.at), language),
        "is_written": each.is_written,
    }


def _training(services: Services, each: Retraining, language: str) -> dict[str, Any]:
    report = Report.model_validate(each.report) if each.report is not None else None
    return {
        "id": each.id,
        "stage": str(each.stage),
        "words": say(language, STAGES[Stage(each.stage)]),
        "progress": each.progress,
        "on": date_words(day_in_france(each.asked_at), language),
        "trouble": say(language, TROUBLES[each.trouble]) if each.trouble in TROUBLES else each.trouble,
        "report": _report(services, report, language) if report is not None else None,
    }


def _report(services: Services, report: Report, language: str) -> dict[str, Any]:
    before, after = report.before, report.after
    return {
        "questions": report.questions,
        "rows": [
            (words, *(_percent(share, language) for share in shares))
            for words, *shares in (
                (say(language, "Understood"), before.recognised, after.recognised),
                (say(language, "Answered rightly"), before.answered, after.answered),
                (say(language, "Answered wrongly"), before.wrong, after.wrong),
                (say(language, "Asked back, or not known"), before.unsure, after.unsure),
            )
        ],
        "winners": [(_label(services, each.label, language), each) for each in report.winners],
        "losers": [(_label(services, each.label, language), each) for each in report.losers],
        "regressions": [
            (each.text, _label(services, each.label, language), *_outcomes(each.before, each.after, language))
            for each in report.regressions
        ],
    }


def _outcomes(before: str, after: str, language: str) -> tuple[str, str]:
    return say(language, OUTCOMES[before]), say(language, OUTCOMES[after])


def _percent(share: float, language: str) -> str:
    return f"{number(Decimal(f'{share:.1%}'[:-1]), language)} %"


def _label(services: Services, label: str, language: str) -> str:
    return _title(services, label.removeprefix("ask/"), language)


def _desk(services: Services) -> Desk:
    settings = services.settings
    return Desk(settings.root, services.knowledge.topics, settings.data / "models")


def _language(signed_in: SignedIn) -> str:
    return console_language(signed_in.staff.language)
