"""The facts of one student that change an answer. Every key may be unknown; nothing here knows tables or rules."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.errors import InvalidField

NationalityGroup = Literal["eu_eea_ch", "uk", "algeria", "quebec", "turkey", "other_non_eu", "refugee_or_protected"]
DocumentHeld = Literal[
    "none_needed",
    "vls_ts",
    "vls_t",
    "vls_to_exchange",
    "visa_minor_pupil",
    "student_card",
    "algerian_certificate",
    "eu_mobility_permit",
    "exemption",
    "temporary_protection",
    "refugee_card",
]
StepSlug = Literal[
    "nomination",
    "application_file",
    "learning_agreement",
    "admission_letter",
    "grant_agreement",
    "declare_needs",
    "book_housing",
    "birth_certificate",
    "campus_france_interview",
    "visa_application",
    "health_cover_before_departure",
    "visale",
    "cvec",
    "buddy_sign_up",
    "home_insurance",
    "arrival_and_enrolment",
    "arrival_certificate",
    "lease",
    "bank_account",
    "validate_visa",
    "algerian_certificate",
    "minor_card",
    "health_registration",
    "housing_aid",
    "transport_pass",
    "learning_agreement_changes",
    "top_up_insurance",
    "work_authorisation",
    "work_hours",
    "internship_agreement",
    "cvec_refund",
    "scholarship_to_caf",
    "tax_return",
    "permit_renewal",
    "housing_notice",
    "moving_out",
    "departure_certificate",
    "transcript",
    "closing_accounts",
    "job_search_card",
    "join_alumni",
]
STEP_SLUGS: tuple[str, ...] = get_args(StepSlug)

EU_EEA_CH = frozenset(
    """AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE
    IS LI NO CH""".split()  # noqa: SIM905 - a list of one code a line would be read by nobody
)
COUNTRIES = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW""".split()  # noqa: SIM905
)
"""ISO 3166 alpha-2, and XK, which passports of Kosovo use."""

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""Outside these a date is a slip of the pen, and adding years to it would leave the calendar."""


class FactsError(ValueError):
    """Facts that cannot be read; each line of `problems` names the field, what is wrong and how to mend it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def group_of(nationality: tuple[str, ...] | list[str]) -> NationalityGroup | None:
    """The group of a person of these nationalities: an EU one counts first.

    None when two others would be treated differently (an Algerian and British one, say): then only the student can
    tell which passport the visa is in.
    """
    if EU_EEA_CH.intersection(nationality):
        return "eu_eea_ch"
    special: dict[str, NationalityGroup] = {"DZ": "algeria", "GB": "uk", "TR": "turkey"}
    groups = {special.get(country, "other_non_eu") for country in nationality}
    return groups.pop() if len(groups) == 1 else None


def _iso_date(value: object) -> object:
    if value is None or (isinstance(value, date) and type(value) is date):
        return value
    if isinstance(value, str) and ISO_DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ValueError(f"{value!r} is not a date of the calendar; write it as 2026-09-01")


def _plausible(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"{day} is not between {EARLIEST} and {LATEST}; check the year")
    return day


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise ValueError(f"{code!r} is no country; write the two capital letters of ISO 3166, FR for France")
    return code


def _not_empty(codes: tuple[str, ...]) -> tuple[str, ...]:
    if not codes:
        raise ValueError("an empty list says nothing; leave the fact out when it is unknown")
    return codes


Day = Annotated[date, BeforeValidator(_iso_date), AfterValidator(_plausible)]
Country = Annotated[str, AfterValidator(_country)]


class Stay(BaseModel):
    """One earlier stay in France; both days count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entry: Day
    exit: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.exit < self.entry:
            raise ValueError("exit lies before entry; swap them")
        return self


class Facts(BaseModel):
    """What is known of one student; None is unknown. Dates are days in France, money and marks are not kept here.

    Unknown keys and values are refused: use `facts_from` where they come from outside, for sentences with the fix.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    nationality: Annotated[tuple[Country, ...], AfterValidator(_not_empty)] | None = None
    nationality_group: NationalityGroup | None = None
    """Computed from `nationality` when missing."""
    country_of_residence: Country | None = None
    programme_type: Literal["exchange", "degree", "double_degree", "ka131", "ka171", "bip", "summer"] | None = None
    pays_tuition_to_junia: StrictBool | None = None
    grant: Literal["none", "social_criteria", "erasmus", "ka171", "french_government", "other"] | None = None
    campus: Literal["lille", "bordeaux", "chateauroux"] | None = None
    school: Literal["hei", "isa", "isen"] | None = None
    semester: Literal["autumn", "spring", "year"] | None = None
    programme_start: Day | None = None
    programme_end: Day | None = None
    enrolment_date: Day | None = None
    leaving_date: Day | None = None
    results_date: Day | None = None
    internship_start: Day | None = None
    birth_date: Day | None = None
    document_held: DocumentHeld | None = None
    visa_granted_on: Day | None = None
    visa_start: Day | None = None
    visa_expiry: Day | None = None
    card_expiry: Day | None = None
    date_of_entry: Day | None = None
    date_of_entry_kind: Literal["planned", "real"] | None = None
    earlier_stays: tuple[Stay, ...] | None = None
    housing_status: (
        Literal["searching", "all", "crous", "private_furnished", "private_unfurnished", "shared", "hosted"] | None
    ) = None
    lease_signed_on: Day | None = None
    lease_start: Day | None = None
    guarantor: Literal["none", "person", "visale", "other"] | None = None
    bank_account: Literal["none", "french", "sepa", "other"] | None = None
    health_cover: Literal["none", "ehic", "s1", "ghic_student", "quebec_form", "private", "french"] | None = None
    birth_certificate_language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    work_status: Literal["none", "job_offer", "job", "apprenticeship"] | None = None
    job_start: Day | None = None
    hours_this_permit_year: Annotated[StrictInt, Field(ge=0, le=8784)] | None = None
    cvec_paid_by_mistake: StrictBool | None = None
    wants_buddy: StrictBool | None = None
    special_needs_declared: StrictBool | None = None
    diploma_obtained_on: Day | None = None
    plan_after: Literal["job_search", "leave", "study"] | None = None
    steps_done: dict[StepSlug, Day] = Field(default_factory=dict)

    @field_validator("steps_done", mode="before")
    @classmethod
    def _nothing_done(cls, value: object) -> object:
        return {} if value is None else value

    @model_validator(mode="before")
    @classmethod
    def _group(cls, values: object) -> object:
        if not isinstance(values, Mapping) or values.get("nationality_group") is not None:
            return values
        nationality = values.get("nationality")
        if isinstance(nationality, list | tuple) and nationality and all(isinstance(code, str) for code in nationality):
            return {**values, "nationality_group": group_of(list(nationality))}
        return values

    @property
    def entry_is_planned(self) -> bool:
        """The student has not arrived yet, or not said so: dates that rest on the entry may move."""
        return self.date_of_entry is not None and self.date_of_entry_kind == "planned"

    @property
    def entered_before_visa(self) -> bool:
        """Nobody enters on a visa that has not started: one of the two dates is wrong."""
        return self.date_of_entry is not None and self.visa_start is not None and self.date_of_entry < self.visa_start


DATE_FACTS: tuple[str, ...] = tuple(
    name
    for name in Facts.model_fields
    if name.endswith(("_date", "_start", "_end", "_on", "_expiry")) or name == "date_of_entry"
)
"""The facts that are one day each, by name."""


def facts_from(value: object) -> Facts:
    """Facts out of decoded JSON. Raises FactsError naming every field that is wrong and how to mend it."""
    try:
        return Facts.model_validate(value)
    except ValidationError as error:
        raise FactsError(tuple(_problem(each) for each in error.errors())) from error


def read_facts(file: Path) -> Facts:
    """Facts out of a JSON file. Raises InvalidField, one line for each thing that is wrong, with the file's name."""
    try:
        return facts_from(json.loads(file.read_text(encoding="utf-8-sig")))
    except FactsError as error:
        raise InvalidField("\n".join(f"{file.name}: {each}" for each in error.problems), field="facts") from error
    except OSError as error:
        raise InvalidField(f"{file} cannot be read: {error.strerror}.", field="facts") from error
    except ValueError as error:
        raise InvalidField(f"{file.name} is not JSON in UTF-8: {error}.", field="facts") from error


def _problem(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if part != "[key]") or "facts"
    if error["type"] == "extra_forbidden":
        name = str(error["loc"][-1])
        near = get_close_matches(name, Facts.model_fields, n=1)
        fix = f"did you mean {near[0]}?" if near else "take it out; the names are in `accueil path --schema`"
        return f"{place}: there is no fact of this name; {fix}"
    if error["type"] == "model_type":
        return "facts: not an object; write {} with the names of facts in it"
    if error["type"] == "tuple_type":
        return f"{place}: {error['input']!r} is not a list; write it in square brackets"
    if error["type"] == "value_error":
        return f"{place}: {error['ctx']['error']}"
    return f"{place}: {error['input']!r} is not possible; {error['msg']}"
