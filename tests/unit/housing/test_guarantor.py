"""Who can be the guarantor, by age, nationality, document and what is recorded."""

from datetime import date

import pytest

from bot.housing.guarantor import guarantor_route

TODAY = date(2026, 11, 24)
ADULT = {"birth_date": "2004-05-03", "housing_status": "searching", "guarantor": "none"}
OUTSIDE = {**ADULT, "nationality": ["MA"], "document_held": "vls_ts", "visa_granted_on": "2026-08-12"}


@pytest.fixture
def route(steps_of, fill):
    def run(**facts: object):
        known, steps = steps_of(**facts)
        return guarantor_route(steps, known, "en", TODAY, fill)

    return run


@pytest.mark.parametrize(
    ("facts", "begins", "topic"),
    [
        (
            {**OUTSIDE, "lease_signed_on": "2026-12-20"},
            "Visale is a free State-backed rent guarantee for tenants of 18 to 30 years. Your visa or card opens it",
            "visale",
        ),
        (
            {**OUTSIDE, "document_held": "vls_t"},
            "A temporary long-stay visa (VLS-T) does not open Visale.",
            "guarantor",
        ),
        (
            {**OUTSIDE, "birth_date": "1994-02-02"},
            "Visale (the free State-backed rent guarantee) is for tenants of 18 to 30 years. You need",
            "guarantor",
        ),
        ({**OUTSIDE, "guarantor": "visale"}, "You already have a Visale guarantee.", None),
        ({**OUTSIDE, "guarantor": "person"}, "You already have a guarantor.", "guarantor"),
        ({**ADULT, "nationality": ["DE"]}, "Visale is a free State-backed rent guarantee", "visale"),
        ({**ADULT, "nationality": ["DZ"], "document_held": "algerian_certificate"}, "Visale asks students", "visale"),
        ({**OUTSIDE, "housing_status": "hosted"}, "You are hosted and sign no lease", "guarantor"),
    ],
)
def test_the_route_names_visale_or_why_not_and_where_more_is_said(route, facts, begins, topic) -> None:
    found = route(**facts)

    assert (found.text[: len(begins)], found.topic) == (begins, topic)


def test_whom_visale_is_open_to_asks_before_signing(route) -> None:
    text = route(**OUTSIDE, lease_signed_on="2026-12-20").text

    assert text.endswith(
        "Ask for it before you sign the lease, and ask the landlord first whether Visale is accepted. "
        "By 19 December 2026, because you sign your lease on 20 December 2026."
    )


def test_the_parents_of_a_minor_sign(route) -> None:
    minor = {**OUTSIDE, "birth_date": "2009-03-15", "lease_start": "2027-01-01"}

    assert route(**minor).text.startswith("You are under 18 when the lease is signed, so your parents sign it. Visale")
    assert "parents" not in route(**{**minor, "lease_start": "2027-03-15"}).text
    assert "parents" not in route(**{**minor, "housing_status": "hosted"}).text


def test_what_is_not_recorded_is_asked(route) -> None:
    assert route().text == (
        "Whether Visale, the free rent guarantee, is open to you depends on something I do not know. "
        "Do you have a guarantor for your rent: a person, Visale, another one, or none?"
    )
