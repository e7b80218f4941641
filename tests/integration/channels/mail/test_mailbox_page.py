import base64
import hashlib
import re
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.mail.channel import MailboxTransport, render
from bot.channels.mail.mailbox_page import mailbox_router


@pytest.fixture
def browse(tmp_path):
    app = FastAPI()
    app.include_router(mailbox_router(tmp_path / "mailbox"))

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get("/dev/mailbox")

    return get


async def put(tmp_path, now, name="Amina", code="123456") -> None:
    payload = {
        "kind": "link_code",
        "to": f"{name.lower()}@student.junia.com",
        "name": name,
        "language": "en",
        "code": code,
        "expires_at": (now + timedelta(minutes=10)).isoformat(),
    }
    await MailboxTransport(tmp_path / "mailbox").send(render(f"link_code:{code}", payload, "accueil@localhost", now))


async def test_an_empty_mailbox_says_so(browse):
    page = await browse()

    assert page.status_code == 200
    assert "No mail yet." in page.text


async def test_mails_are_shown_newest_first(browse, tmp_path, now):
    await put(tmp_path, now, "Amina", "111111")
    await put(tmp_path, now, "Jonas", "222222")

    page = await browse()

    assert re.findall(r"To (\S+)", page.text) == ["jonas@student.junia.com", "amina@student.junia.com"]
    assert re.findall(r"\d{3} \d{3}", page.text) == ["222 222", "111 111"]


async def test_a_mail_cannot_add_markup(browse, tmp_path, now):
    transport = MailboxTransport(tmp_path / "mailbox")
    payload = {"kind": "linked", "to": "a@b.example", "name": "<script>alert(1)</script>", "language": "en"}
    await transport.send(render("linked:1", payload, "accueil@localhost", now))

    page = await browse()

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_the_page_runs_nothing_and_is_not_kept(browse):
    page = await browse()

    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert page.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["Cache-Control"] == "no-store"
