"""French and Arabic screens, wide and narrow."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, Context, Shoot
from tests.e2e.desk import Desk
from tests.e2e.people import student_at

pytestmark = pytest.mark.browser

NARROW = {"width": 360, "height": 740}
SAME_EVERYWHERE = {"Accueil", "JUNIA", "CVEC", "SAMU", "JavaScript", "AR", "Telegram"}
"""Names and codes that stay as they are in every language."""
LATIN_WORDS = re.compile(r"[A-Za-zÀ-ÿ]+(?:[ '’-][A-Za-zÀ-ÿ]+)*")

TEXTS_OF_THE_PAGE = """() => {
  const texts = [];
  const visit = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        const parent = node.parentElement;
        const skipped = parent?.closest("script, style, select, [lang]:not([lang='ar'])");
        if (!skipped && node.textContent.trim()) texts.push(node.textContent.trim());
        continue;
      }
      if (node.closest?.("[lang]:not([lang='ar'])")) continue;
      for (const name of ["aria-label", "title", "placeholder", "alt"]) {
        if (node.getAttribute?.(name)) texts.push(node.getAttribute(name));
      }
      if (node.shadowRoot) visit(node.shadowRoot);
    }
  };
  visit(document.body);
  return [document.title, ...texts];
}"""


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_the_arabic_page_and_widget_are_arabic_from_right_to_left(desk: Desk, new_context: Context, shoot: Shoot):
    phone = new_context(viewport=PHONE, device_scale_factor=1, is_mobile=True, has_touch=True)
    student = student_at(phone, desk, "/?lang=ar")
    expect(student.chat.locator("textarea")).to_be_visible()

    expect(student.page.locator("html")).to_have_attribute("dir", "rtl")
    expect(student.chat).to_have_attribute("dir", "rtl")
    on_screen: list[str] = student.page.evaluate(TEXTS_OF_THE_PAGE)
    # Those that the widget shows later: states, labels, errors.
    later = student.page.request.get(f"{desk.url}/widget/strings/ar").json()["strings"].values()
    texts = [*on_screen, *(re.sub(r"\{\w+\}", "", text) for text in later)]
    assert {words for text in texts for words in LATIN_WORDS.findall(text)} - SAME_EVERYWHERE == set()
    assert len(on_screen) > 60
    assert overflow(student.page) == 0
    shoot(student.page, "arabic-phone")


@pytest.mark.engine
def test_english_parts_of_an_arabic_answer_run_from_left_to_right(desk: Desk, new_context: Context):
    student = student_at(new_context(viewport=NARROW, is_mobile=True, has_touch=True), desk, "/?lang=ar")

    hello = student.ask("مرحبا")

    expect(hello).to_have_attribute("lang", "ar")
    expect(hello.locator(".text")).to_contain_text(re.compile(r"[\u0600-\u06ff]{3}"))
    borrowed = student.ask("What is the CVEC?").locator(".text > *")
    expect(borrowed.nth(0)).to_contain_text(re.compile(r"[\u0600-\u06ff]{3}"))
    expect(borrowed.nth(0)).to_have_css("direction", "rtl")
    expect(borrowed.nth(1)).to_contain_text("students")
    expect(borrowed.nth(1)).to_have_css("direction", "ltr")
    expect(borrowed.nth(2)).to_have_css("direction", "ltr")
    assert overflow(student.page) == 0


@pytest.mark.parametrize("language", ["en", "fr", "es", "pt", "uk", "ar", "zh"])
def test_nothing_sticks_out_of_a_narrow_screen(desk: Desk, new_context: Context, language: str):
    student = student_at(new_context(viewport=NARROW), desk, f"/?lang={language}")
    expect(student.chat.locator("textarea")).to_be_visible()

    assert overflow(student.page) == 0
    inside = student.chat.locator(".panel").evaluate("node => node.scrollWidth - node.clientWidth")
    assert inside == 0


@pytest.mark.engine
def test_a_french_reader_gets_a_french_page_and_french_answers(desk: Desk, new_context: Context, shoot: Shoot):
    phone = new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="fr-FR")
    student = student_at(phone, desk, "/")
    expect(student.page.locator("html")).to_have_attribute("lang", "fr")
    expect(student.chat.locator("textarea")).to_be_visible()
    shoot(student.page, "welcome-phone")

    answer = student.ask("Quand dois-je valider mon visa ?")

    expect(answer).to_have_attribute("lang", "fr")
    expect(answer).to_contain_text("dans les trois mois")
    expect(answer.locator("summary")).to_contain_text("Sources")
    expect(answer.locator(".role")).to_have_text("machine")


@pytest.mark.engine
def test_the_language_chosen_in_the_widget_stays_chosen(desk: Desk, new_context: Context):
    student = student_at(new_context(), desk)
    student.ask("Which insurance do I need for my room?")

    student.chat.locator("select").select_option("fr")
    expect(student.chat.locator("textarea")).to_have_attribute("placeholder", "Écrivez votre question")
    reply = student.ask("What is the CVEC, again?")

    expect(reply).to_have_attribute("lang", "fr")
    student.page.reload()
    expect(student.chat.locator("textarea")).to_have_attribute("placeholder", "Écrivez votre question")


def test_the_page_can_be_read_without_javascript(desk: Desk, new_context: Context):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{desk.url}/?lang=en#asked")

    question = page.locator(".answers details").first
    question.locator("summary").click()

    expect(question.locator(".answer p, .answer li").first).to_be_visible()
    expect(question.locator(".sources a").first).to_be_visible()
