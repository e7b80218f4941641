"""The pages of the console, one folder each, with the roles that may open them."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from bot.console.pages.desk import routes as desk
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


PAGES = (Page("/staff", mark("Conversations"), frozenset(Role), desk.render, desk.routes()),)
