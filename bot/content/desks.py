"""desks.yml: how the office divides its work, as the file says it."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from bot.content.loader import parse, read_yaml
from bot.content.schema import ANSWERABLE_GROUPS, AnswerableGroup, ShortInLanguages, Slug, _Strict
from bot.errors import ContentError

Campus = Literal["lille", "bordeaux", "chateauroux"]


class DeskFile(_Strict):
    """One desk. A list left out matches everything."""

    name: ShortInLanguages
    topics: list[AnswerableGroup] = Field(default_factory=list)
    campuses: list[Campus] = Field(default_factory=list)
    default: bool = False
    escalate_after: int = Field(60, ge=5, le=2400)
    """Minutes of opening time."""


def load_desks(file: Path) -> dict[str, DeskFile]:
    """The desks by their slug. Raises ContentError naming the desk and the field."""
    value = read_yaml(file)
    if not isinstance(value, dict):
        raise ContentError(f"{file}: write one desk per line, as `office: {{name: …}}`.")
    for slug in value:
        _check_slug(file, slug)
    desks = {slug: parse(DeskFile, each, f"{file}: {slug}") for slug, each in value.items()}
    for problem in _problems(desks):
        raise ContentError(f"{file}: {problem}")
    return desks


def _check_slug(file: Path, slug: object) -> None:
    try:
        TypeAdapter(Slug).validate_python(slug)
    except ValidationError as error:
        raise ContentError(
            f"{file}: {slug!r} cannot be the name of a desk: small letters, digits and underscores, a letter first."
        ) from error


def _problems(desks: Mapping[str, DeskFile]) -> Iterator[str]:
    defaults = [slug for slug, desk in desks.items() if desk.default]
    if len(defaults) != 1:
        yield f"exactly one desk takes the rest (`default: true`); here {', '.join(defaults) or 'none'} does."
    for slug, desk in desks.items():
        if desk.default and (desk.topics or desk.campuses):
            yield f"{slug}: the default desk takes the rest; leave out its topics and campuses."
        if not desk.default and not (desk.topics or desk.campuses):
            yield f"{slug}: name its topics ({', '.join(ANSWERABLE_GROUPS)}) or its campuses, or nothing reaches it."
    for (one, first), (other, second) in combinations(desks.items(), 2):
        if _overlap(first, second):
            yield f"{one} and {other} both take the same questions; give them different topics or campuses."


def _overlap(first: DeskFile, second: DeskFile) -> bool:
    """Whether some question suits both equally well."""
    is_as_special = (bool(first.topics), bool(first.campuses)) == (bool(second.topics), bool(second.campuses))
    same_topic = not first.topics or bool(set(first.topics) & set(second.topics))
    same_campus = not first.campuses or bool(set(first.campuses) & set(second.campuses))
    return is_as_special and same_topic and same_campus and not (first.default or second.default)
