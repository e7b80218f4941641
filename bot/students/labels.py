"""The words for facts and their values, in the reader's language: English source strings for gettext."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from babel import Locale

from bot.i18n.formats import date_words
from bot.i18n.languages import CODES, language_name, locale_of
from bot.i18n.translate import mark, say
from bot.students.facts import DATE_FACTS

FACT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "given_name": mark("Given name"),
        "family_name": mark("Family name"),
        "email": mark("School mailbox"),
        "language": mark("Language"),
        "nationality": mark("Nationality"),
        "nationality_group": mark("Passport of the visa"),
        "country_of_residence": mark("Country where you live"),
        "programme_type": mark("Kind of programme"),
        "pays_tuition_to_junia": mark("Tuition paid to JUNIA"),
        "grant": mark("Grant"),
        "campus": mark("Campus"),
        "school": mark("School"),
        "semester": mark("Semester"),
        "programme_start": mark("Start of the programme"),
        "programme_end": mark("End of the programme"),
        "enrolment_date": mark("Day of enrolment"),
        "leaving_date": mark("Departure from France"),
        "results_date": mark("Day of the results"),
        "internship_start": mark("Start of the internship"),
        "birth_date": mark("Date of birth"),
        "document_held": mark("Visa or residence document"),
        "visa_granted_on": mark("Visa granted on"),
        "visa_start": mark("First day of the visa"),
        "visa_expiry": mark("Last day of the visa"),
        "card_expiry": mark("Last day of the residence card"),
        "date_of_entry": mark("Arrival in France"),
        "date_of_entry_kind": mark("Arrived already"),
        "earlier_stays": mark("Earlier stays in France"),
        "housing_status": mark("Housing"),
        "lease_signed_on": mark("Lease signed on"),
        "lease_start": mark("First day of the lease"),
        "guarantor": mark("Guarantor"),
        "bank_account": mark("Bank account"),
        "health_cover": mark("Health cover"),
        "birth_certificate_language": mark("Language of the birth certificate"),
        "work_status": mark("Work"),
        "job_start": mark("First day of the job"),
        "hours_this_permit_year": mark("Hours worked in this permit year"),
        "cvec_paid_by_mistake": mark("CVEC paid by mistake"),
        "wants_buddy": mark("Buddy wanted"),
        "special_needs_declared": mark("Special needs told to the school"),
        "diploma_obtained_on": mark("Diploma obtained on"),
        "plan_after": mark("Plan after the programme"),
        "steps_done": mark("Steps done"),
    }
)
"""Every fact of a record, and what names the person."""

CHOICES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "nationality_group": {
            "eu_eea_ch": mark("EU, EEA or Swiss passport"),
            "uk": mark("British passport"),
            "algeria": mark("Algerian passport"),
            "quebec": mark("Canadian passport, from Quebec"),
            "turkey": mark("Turkish passport"),
            "other_non_eu": mark("Another passport"),
            "refugee_or_protected": mark("Refugee or protected person"),
        },
        "programme_type": {
            "exchange": mark("Exchange"),
            "degree": mark("Degree"),
            "double_degree": mark("Double degree"),
            "ka131": mark("Erasmus+ exchange in Europe (KA131)"),
            "ka171": mark("Erasmus+ exchange with the world (KA171)"),
            "bip": mark("Blended intensive programme (BIP)"),
            "summer": mark("Summer programme"),
        },
        "grant": {
            "none": mark("No grant"),
            "social_criteria": mark("Grant on social criteria (Crous)"),
            "erasmus": mark("Erasmus+ grant"),
            "ka171": mark("Erasmus+ grant (KA171)"),
            "french_government": mark("Grant of the French government"),
            "other": mark("Another grant"),
        },
        "campus": {"lille": mark("Lille"), "bordeaux": mark("Bordeaux"), "chateauroux": mark("Châteauroux")},
        "school": {"hei": mark("HEI"), "isa": mark("ISA"), "isen": mark("ISEN")},
        "semester": {"autumn": mark("Autumn"), "spring": mark("Spring"), "year": mark("The whole year")},
        "document_held": {
            "vls_ts": mark("Student visa VLS-TS"),
            "vls_t": mark("Temporary student visa VLS-T"),
            "vls_to_exchange": mark("Visa that says “carte de séjour à solliciter”"),
            "student_card": mark("Student residence card"),
            "none_needed": mark("None, I do not need one"),
            "visa_minor_pupil": mark("Visa for a minor pupil"),
            "algerian_certificate": mark("Algerian residence certificate"),
            "eu_mobility_permit": mark("Mobility permit of another EU country"),
            "exemption": mark("Temporary exemption from a card"),
            "temporary_protection": mark("Temporary protection"),
            "refugee_card": mark("Card of a refugee"),
        },
        "date_of_entry_kind": {"real": mark("Yes, I have arrived"), "planned": mark("Not yet")},
        "housing_status": {
            "searching": mark("Still searching"),
            "all": mark("Residence of All"),
            "crous": mark("Crous residence"),
            "private_furnished": mark("Rented, furnished"),
            "private_unfurnished": mark("Rented, not furnished"),
            "shared": mark("Shared flat"),
            "hosted": mark("With a family or friends"),
        },
        "guarantor": {
            "person": mark("A person"),
            "visale": mark("Visale"),
            "other": mark("Another guarantor"),
            "none": mark("No guarantor"),
        },
        "bank_account": {
            "french": mark("Account in France"),
            "sepa": mark("Account in the euro area (SEPA)"),
            "other": mark("Account elsewhere"),
            "none": mark("No account"),
        },
        "health_cover": {
            "ehic": mark("European card (EHIC)"),
            "s1": mark("S1 form"),
            "ghic_student": mark("British card (GHIC)"),
            "quebec_form": mark("Form of Quebec"),
            "private": mark("Private insurance"),
            "french": mark("French health insurance"),
            "none": mark("Not insured yet"),
        },
        "work_status": {
            "none": mark("No work"),
            "job_offer": mark("Job offer"),
            "job": mark("Job"),
            "apprenticeship": mark("Apprenticeship"),
        },
        "plan_after": {
            "job_search": mark("Look for a job in France"),
            "leave": mark("Leave France"),
            "study": mark("Go on studying"),
        },
    }
)
"""Facts with a list of values: value → its words, in the order of the buttons."""

YES_OR_NO = ("pays_tuition_to_junia", "cvec_paid_by_mistake", "wants_buddy", "special_needs_declared")


def fact_name(fact: str, language: str) -> str:
    """The fact as a heading: "Arrival in France"."""
    return say(language, FACT_NAMES[fact])


def value_words(fact: str, value: Any, language: str) -> str:
    """A value as the record stores it (JSON), in words; what is unknown is said to be so."""
    if value is None:
        return say(language, "not known")
    if fact in DATE_FACTS:
        return date_words(date.fromisoformat(str(value)), language)
    if fact in CHOICES:
        return say(language, CHOICES[fact][str(value)])
    if isinstance(value, bool):
        return yes_or_no(value, language)
    if fact == "nationality":
        return ", ".join(country_name(str(code), language) for code in value)
    if fact == "country_of_residence":
        return country_name(str(value), language)
    if fact in ("birth_certificate_language", "language"):
        return language_name(str(value), language)
    if fact == "earlier_stays":
        return _stays(value, language)
    return str(value)


def yes_or_no(value: bool, language: str) -> str:
    return say(language, "Yes") if value else say(language, "No")


def choices_of(fact: str, language: str) -> Sequence[tuple[Any, str]]:
    """(value, its words) of a fact with few values, for buttons; none for what is typed."""
    if fact in YES_OR_NO:
        return [(value, yes_or_no(value, language)) for value in (True, False)]
    if fact == "birth_certificate_language":
        return [(code, language_name(code, language)) for code in CODES]
    return [(value, say(language, words)) for value, words in CHOICES.get(fact, {}).items()]


def country_name(code: str, language: str) -> str:
    return str(Locale.parse(locale_of(language)).territories.get(code, code))


def _stays(stays: Sequence[Mapping[str, str]], language: str) -> str:
    if not stays:
        return say(language, "none")
    return "; ".join(
        say(
            language,
            "{first} to {last}",
            first=date_words(date.fromisoformat(stay["entry"]), language),
            last=date_words(date.fromisoformat(stay["exit"]), language),
        )
        for stay in stays
    )
