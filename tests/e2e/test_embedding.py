"""The widget on another site, by one script tag."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import ConsoleMessage, expect

from bot.supervisor.checks import free_port
from tests.e2e.conftest import Context
from tests.e2e.desk import Desk
from tests.e2e.people import Student, note_tokens

pytestmark = pytest.mark.browser


@contextmanager
def another_site(port: int, desk: Desk) -> Iterator[str]:
    """A page that embeds the widget as the README says; gives its address."""
    body = f"""<!doctype html><html lang="en"><title>Another site</title><h1>Study abroad</h1>
<script src="{desk.url}/widget.js" data-language="fr" defer></script>""".encode()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.engine
def test_one_script_tag_brings_the_chat_to_a_site_that_is_allowed(desk: Desk, new_context: Context):
    with another_site(desk.site_port, desk) as address:
        page = new_context().new_page()
        note_tokens(page, desk)
        page.goto(address)
        student = Student(page, desk)
        launcher = student.chat.locator(".launcher")
        expect(launcher).to_be_visible()
        expect(student.chat.locator(".panel")).to_be_hidden()

        launcher.click()
        expect(student.chat.locator("textarea")).to_be_focused()
        answer = student.ask("Comment trouver un logement à Lille ?")
        expect(answer).to_have_attribute("lang", "fr")

        page.keyboard.press("Escape")
        expect(student.chat.locator(".panel")).to_be_hidden()
        expect(launcher).to_be_focused()


def test_a_site_that_is_not_on_the_list_gets_no_chat(desk: Desk, new_context: Context):
    with another_site(free_port(), desk) as address:
        page = new_context().new_page()
        opened: list[str] = []
        page.on("request", lambda request: opened.append(request.method) if "/api/" in request.url else None)
        with page.expect_console_message(lambda message: _is_refusal(message)):
            page.goto(address)

        expect(page.locator("accueil-chat .launcher")).to_have_count(0)
        assert opened == []


def _is_refusal(message: ConsoleMessage) -> bool:
    return message.type == "error" and "blocked by CORS policy" in message.text
