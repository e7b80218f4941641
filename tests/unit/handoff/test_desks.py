"""Which desk a question goes to, and whom a note names."""

import pytest

from bot.content.desks import DeskFile, load_desks
from bot.errors import ContentError
from bot.handoff.beside import mentioned
from bot.handoff.desks import Office, desk_for
from bot.identity.models import Staff

NAME = {"en": "Desk", "fr": "Bureau"}


def office(**desks):
    return Office({slug: DeskFile.model_validate({"name": NAME, **desk}) for slug, desk in desks.items()})


OFFICE = office(
    main={"default": True},
    housing={"topics": ["housing"]},
    bordeaux={"campuses": ["bordeaux"]},
    homes_bordeaux={"topics": ["housing"], "campuses": ["bordeaux"]},
)


@pytest.mark.parametrize(
    ("group", "campus", "desk"),
    [
        ("housing", "bordeaux", "homes_bordeaux"),
        ("housing", "lille", "housing"),
        ("housing", None, "housing"),
        ("paperwork", "bordeaux", "bordeaux"),
        ("paperwork", "lille", "main"),
        (None, None, "main"),
    ],
)
def test_the_topic_counts_more_than_the_campus_and_the_default_takes_the_rest(group, campus, desk):
    assert desk_for(OFFICE, group, campus) == desk


def test_a_desk_that_is_no_longer_in_the_file_is_the_default():
    assert OFFICE.desk("gone") == OFFICE.desks["main"]
    assert OFFICE.desk(None) == OFFICE.desks["main"]


def test_the_desks_of_the_checkout_are_in_order(knowledge):
    desks = load_desks(knowledge.folder / "desks.yml")

    assert [slug for slug, desk in desks.items() if desk.default] == ["office"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {name: {en: One, fr: Un}}", "one desk takes the rest|a letter first"),
        ("one: {name: {en: One, fr: Un}}", "exactly one desk takes the rest"),
        ("one: {name: {en: One, fr: Un}, default: true}\ntwo: {name: {en: Two, fr: Deux}}", "two: name its topics"),
        ("one: {name: {en: One, fr: Un}, default: true, topics: [housing]}", "leave out its topics"),
        ("one: {name: {en: One, fr: Un}, default: true, hours: 3}", "one: hours"),
        ("one: {name: {en: One, fr: Un}, default: true, escalate_after: 1}", "one: escalate_after"),
        (
            "one: {name: {en: One, fr: Un}, default: true}\n"
            "two: {name: {en: Two, fr: Deux}, topics: [housing]}\n"
            "three: {name: {en: Three, fr: Trois}, topics: [housing, health]}",
            "two and three both take the same questions",
        ),
        ("Big Desk: {name: {en: One, fr: Un}, default: true}", "cannot be the name of a desk"),
        ("- one", "one desk per line"),
    ],
)
def test_a_wrong_file_is_refused_by_desk_and_field(tmp_path, text, words):
    (tmp_path / "desks.yml").write_text(text, encoding="utf-8")

    with pytest.raises(ContentError, match=words):
        load_desks(tmp_path / "desks.yml")


def person(name, email):
    return Staff(name=name, email=email)


CAST = [
    person("Claire", "claire@junia.example"),
    person("Inès Martin", "i.martin@junia.example"),
    person("Paul", "p.durand@junia.example"),
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@claire please", ["Claire"]),
        ("ask @ines, or @Paul.", ["Inès Martin", "Paul"]),
        ("@i.martin and @p.durand", ["Inès Martin", "Paul"]),
        ("write to claire@junia.example", []),
        ("@nobody", []),
        ("@ claire", []),
    ],
)
def test_a_note_names_colleagues_by_name_or_address(text, names):
    assert [each.name for each in mentioned(text, CAST)] == names
