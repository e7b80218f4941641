"""The demo timetable: invented classes, appointments and events, some of them always in the days to come."""

from datetime import date, time, timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.bookings.models import OfferKind, Service
from bot.bookings.rules import OfferData, faults_of, span, weekly
from bot.errors import ContentError
from bot.i18n.languages import DEFAULT
from bot.students.findings import Refused

AT_LEAST = timedelta(weeks=8)
"""So long after the day of loading there are classes, whenever that is."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str
    title_en: str
    title_fr: str
    campus: str | None = None
    room: str | None = None
    host: str | None = None
    places: int | None = None

    def offers(self, today: date) -> list[OfferData]:
        """What this entry stands for on the day of loading. Raises Refused for hours that are none."""
        raise NotImplementedError


class DemoClass(_Part):
    level: str
    first: date = Field(alias="from")
    until: date
    starts: time
    ends: time

    def offers(self, today: date) -> list[OfferData]:
        meetings = weekly(self.first, self.starts, self.ends, max(self.until, today + AT_LEAST))
        return [_offer(self, OfferKind.FRENCH_CLASS, level=self.level, meetings=meetings)]


class DemoSlots(_Part):
    """A slot at each of `times` on each of `weekdays` (1: Monday) in the `days` after the loading."""

    service: Service
    weekdays: frozenset[int]
    times: tuple[time, ...]
    minutes: int
    days: int

    def offers(self, today: date) -> list[OfferData]:
        days = [today + timedelta(days=number) for number in range(1, self.days + 1)]
        return [
            _offer(
                self,
                OfferKind.APPOINTMENT,
                code=f"{self.code}-{day.isoformat()}-{at:%H%M}",
                service=self.service,
                meetings=(span(day, at, _later(at, self.minutes)),),
            )
            for day in days
            if day.isoweekday() in self.weekdays
            for at in self.times
        ]


class DemoEvent(_Part):
    day: date | None = None
    in_days: int | None = None
    starts: time
    ends: time

    @model_validator(mode="after")
    def _has_a_day(self) -> "DemoEvent":
        if (self.day is None) == (self.in_days is None):
            raise ValueError("an event has either `day` or `in_days`")
        return self

    def offers(self, today: date) -> list[OfferData]:
        day = self.day or today + timedelta(days=self.in_days or 0)
        return [_offer(self, OfferKind.EVENT, meetings=(span(day, self.starts, self.ends),))]


class DemoTimetable(BaseModel):
    """demo/offers.yml."""

    model_config = ConfigDict(extra="forbid")

    classes: tuple[DemoClass, ...]
    appointments: tuple[DemoSlots, ...]
    events: tuple[DemoEvent, ...]


def demo_offers(file: Path, today: date) -> list[OfferData]:
    """Every offer of the file as on the day of loading. Raises ContentError naming the offer and the field."""
    text = file.read_text(encoding="utf-8")
    try:
        timetable = DemoTimetable.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise ContentError(f"{file.name}: {error}") from error
    parts: tuple[_Part, ...] = (*timetable.classes, *timetable.appointments, *timetable.events)
    try:
        offers = [offer for part in parts for offer in part.offers(today)]
    except Refused as refused:
        raise ContentError(f"{file.name}: {refused.at().problem_words(DEFAULT)}") from refused
    for offer in offers:
        for fault in faults_of(offer):
            raise ContentError(f"{file.name}, {offer.code}, {fault.field}: {fault.problem_words(DEFAULT)}")
    return offers


def _offer(part: _Part, kind: OfferKind, **values: object) -> OfferData:
    return OfferData(**{**_common(part), "kind": kind, **values})  # type: ignore[arg-type]


def _common(part: _Part) -> dict[str, object]:
    return {name: getattr(part, name) for name in _Part.model_fields}


def _later(at: time, minutes: int) -> time:
    whole = at.hour * 60 + at.minute + minutes
    return time(whole // 60 % 24, whole % 60)
