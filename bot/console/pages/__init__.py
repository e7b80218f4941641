"""The pages of the console, one folder each, with the roles that may open them."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from bot.console.pages.account import routes as account
from bot.console.pages.accounts import routes as accounts
from bot.console.pages.answers import routes as answers
from bot.console.pages.audit import routes as audit
from bot.console.pages.beside import routes as beside
from bot.console.pages.bookings import routes as bookings
from bot.console.pages.buddies import routes as buddies
from bot.console.pages.desk import routes as desk
from bot.console.pages.questions import routes as questions
from bot.console.pages.radar import routes as radar
from bot.console.pages.reminders import routes as reminders
from bot.console.pages.replies import routes as replies
from bot.console.pages.students import routes as students
from bot.i18n.translate import mark
from bot.identity.models import Role
from bot.identity.staff import SignedIn


@dataclass(frozen=True)
class Page:
    """`render` draws the page; `routes` are its own requests. Both are only reached signed in, in one of `roles`."""

    path: str
    title: str
    roles: frozenset[Role]
    render: Callable[[Request, SignedIn], Response]
    routes: APIRouter
    is_own: bool = False
    """Of the account that is signed in: in the menu of the name, open before a second step; auditors write there."""


def _together(*routers: APIRouter) -> APIRouter:
    """The routes of a page and of what is shown beside it."""
    router = APIRouter()
    for each in routers:
        router.include_router(each)
    return router


PAGES = (
    Page("/staff", mark("Conversations"), frozenset(Role), desk.render, _together(desk.routes(), beside.routes())),
    Page("/staff/answers", mark("Answers"), frozenset(Role), answers.render, answers.routes()),
    Page(
        "/staff/bookings",
        mark("Classes and appointments"),
        frozenset({Role.ADVISER, Role.COORDINATOR, Role.ADMIN}),
        bookings.render,
        bookings.routes(),
    ),
    Page(
        "/staff/buddies",
        mark("Buddies"),
        frozenset({Role.COORDINATOR, Role.ADMIN}),
        buddies.render,
        buddies.routes(),
    ),
    Page(
        "/staff/questions",
        mark("Questions"),
        frozenset({Role.EDITOR, Role.COORDINATOR, Role.ADMIN, Role.AUDITOR}),
        questions.render,
        questions.routes(),
    ),
    Page(
        "/staff/radar",
        mark("Radar"),
        frozenset({Role.COORDINATOR, Role.ADMIN, Role.AUDITOR}),
        radar.render,
        radar.routes(),
    ),
    Page(
        "/staff/reminders",
        mark("Reminders"),
        frozenset({Role.COORDINATOR, Role.ADMIN}),
        reminders.render,
        reminders.routes(),
    ),
    Page(
        "/staff/replies",
        mark("Canned replies"),
        frozenset({Role.ADVISER, Role.COORDINATOR, Role.ADMIN}),
        replies.render,
        replies.routes(),
    ),
    Page(
        "/staff/students",
        mark("Students"),
        frozenset({Role.COORDINATOR, Role.ADMIN}),
        students.render,
        students.routes(),
    ),
    Page("/staff/accounts", mark("Accounts"), frozenset({Role.ADMIN}), accounts.render, accounts.routes()),
    Page("/staff/audit", mark("Log"), frozenset({Role.AUDITOR, Role.ADMIN}), audit.render, audit.routes()),
    Page("/staff/account", mark("My account"), frozenset(Role), account.render, account.routes(), is_own=True),
)
