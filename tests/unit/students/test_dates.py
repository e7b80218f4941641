"""The days that a text names, in the languages of the desk, relative to a Monday in August."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n.formats import date_words, weekday_words
from bot.i18n.languages import CODES
from bot.students.dates import Asked, day_in, days_in
from bot.students.phrases import fold, phrases

TODAY = date(2026, 8, 24)
RECORDED = date(2026, 9, 12)


def named(text: str, language: str, asked: Asked) -> list[tuple[str, ...]]:
    return [tuple(day.isoformat() for day in found.days(asked)) for found in days_in(fold(text), phrases(language))]


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("en", "12 September 2026", "2026-09-12"),
        ("en", "Sept. 12, 2026", "2026-09-12"),
        ("en", "2026-09-12", "2026-09-12"),
        ("en", "12/09/2026", "2026-09-12"),
        ("en", "12.09.26", "2026-09-12"),
        ("en", "the day after tomorrow", "2026-08-26"),
        ("en", "two weeks ago", "2026-08-10"),
        ("en", "in a fortnight", "2026-09-07"),
        ("en", "a month later", "2026-10-12"),
        ("en", "last Friday", "2026-08-21"),
        ("fr", "1er octobre", "2026-10-01"),
        ("fr", "le 12 sept", "2026-09-12"),
        ("fr", "après-demain", "2026-08-26"),
        ("fr", "il y a trois jours", "2026-08-21"),
        ("fr", "avant-hier", "2026-08-22"),
        ("fr", "une semaine plus tôt", "2026-09-05"),
        ("es", "el 12 de septiembre de 2026", "2026-09-12"),
        ("es", "pasado mañana", "2026-08-26"),
        ("es", "hace dos días", "2026-08-22"),
        ("pt", "12 de setembro", "2026-09-12"),
        ("pt", "depois de amanhã", "2026-08-26"),
        ("pt", "há duas semanas", "2026-08-10"),
        ("uk", "12 вересня", "2026-09-12"),
        ("uk", "післязавтра", "2026-08-26"),
        ("uk", "два тижні тому", "2026-08-10"),
        ("ar", "١٢ سبتمبر ٢٠٢٦", "2026-09-12"),
        ("ar", "بعد غد", "2026-08-26"),
        ("ar", "قبل يومين", "2026-08-22"),
        ("ar", "12 شتنبر", "2026-09-12"),
        ("zh", "2026年9月12日", "2026-09-12"),
        ("zh", "后天", "2026-08-26"),
        ("zh", "三天前", "2026-08-21"),
        ("zh", "下周三", "2026-09-02"),
    ],
)
def test_a_day_is_named_in_each_language(language: str, text: str, day: str) -> None:
    assert named(text, language, Asked(TODAY, recorded=RECORDED)) == [(day,)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "31 February 2026"),
        ("en", "09/19/2026"),
        ("en", "in October"),
        ("en", "before 12 September"),
        ("en", "around the 12th"),
        ("fr", "pas avant le 12 octobre"),
        ("fr", "mi-octobre"),
        ("zh", "十月底"),
        ("en", "Monday, 15 September 2026"),
    ],
)
def test_what_is_no_day_is_not_made_one(language: str, text: str) -> None:
    assert named(text, language, Asked(TODAY)) == [()]


@pytest.mark.parametrize(
    ("language", "text", "days"),
    [
        ("en", "next Friday", ("2026-08-28", "2026-09-04")),
        ("en", "next Monday", ("2026-08-31",)),
        ("fr", "dans quinze jours", ("2026-09-07", "2026-09-08")),
        ("en", "the 30th", ("2026-08-30", "2026-09-30")),
    ],
)
def test_every_day_that_the_words_allow_is_given(language: str, text: str, days: tuple[str, ...]) -> None:
    assert named(text, language, Asked(TODAY, recorded=RECORDED)) == [days]


@pytest.mark.parametrize(
    ("asked", "day"),
    [
        (Asked(TODAY, "future"), "2027-08-20"),
        (Asked(TODAY, "past"), "2026-08-20"),
        (Asked(TODAY, "near"), "2026-08-20"),
        (Asked(TODAY, "near", date(2025, 8, 1)), "2025-08-20"),
    ],
)
def test_a_year_that_is_left_out_lies_in_the_direction_of_the_sentence(asked: Asked, day: str) -> None:
    assert named("20 August", "en", asked) == [(day,)]


def test_a_shift_without_a_recorded_day_names_none() -> None:
    assert named("a week later", "en", Asked(TODAY)) == [()]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I did it yesterday", date(2026, 8, 23)),
        ("c'est fait depuis le 12 août", date(2026, 8, 12)),
        ("I did it", None),
        ("either yesterday or today", None),
        ("next Friday", None),
    ],
)
def test_the_one_day_of_a_text_in_any_language(text: str, day: date | None) -> None:
    assert day_in(text, "en", TODAY, "past") == day


@given(
    day=st.dates(date(1950, 1, 1), date(2099, 12, 31)),
    language=st.sampled_from(CODES),
    write=st.sampled_from((date_words, weekday_words)),
)
def test_what_we_write_ourselves_is_read_back(day: date, language: str, write) -> None:
    assert named(write(day, language), language, Asked(TODAY)) == [(day.isoformat(),)]


@given(today=st.dates(date(1990, 1, 1), date(2150, 1, 1)), weekday=st.integers(0, 6))
def test_next_is_at_most_two_weeks_ahead_and_last_within_the_last(today: date, weekday: int) -> None:
    name = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[weekday]
    (coming,) = days_in(fold(f"next {name}"), phrases("en"))
    (gone,) = days_in(fold(f"last {name}"), phrases("en"))

    ahead = coming.days(Asked(today))
    (behind,) = gone.days(Asked(today))

    assert {day.weekday() for day in (*ahead, behind)} == {weekday}
    assert all(timedelta(0) < day - today <= timedelta(days=13) for day in ahead)
    assert timedelta(0) < today - behind <= timedelta(days=7)
