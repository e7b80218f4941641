import pytest

from bot.identity.addresses import is_email
from bot.students.people import person_problem

LONG = "a@" + "b." * 130 + "com"


@pytest.mark.parametrize(
    "address",
    [
        "amina@student.junia.com",
        "o'neil+x@student.junia.com",
        "a" * 64 + "@junia.com",
        "a" * 65 + "@junia.com",
        "amina",
        "amina@junia",
        "a b@junia.com",
        "amina@junia.com\n",
        "émile@junia.com",
    ],
)
def test_an_address_of_a_record_is_one_that_a_student_can_type(address: str):
    assert (person_problem("email", address) is None) == is_email(address)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        (
            "email",
            LONG,
            f"{LONG!r} is no e-mail address; write it like amina.brahmi@student.junia.com",
        ),
        ("language", "de", "'de' is no language of ours; write one of en, fr, es, pt, uk, ar, zh"),
        ("given_name", "", "it is empty; every record needs it"),
        ("given_name", None, "it is empty; every record needs it"),
        ("family_name", "x" * 81, "it has 81 characters; shorten it to 80"),
        ("family_name", "a\x1bb", "'a\\x1bb' holds signs that cannot be printed; type it again"),
        ("family_name", "Nguyễn-O’Neil", None),
    ],
)
def test_what_is_wrong_is_said_with_its_fix(field: str, value: object, problem: str | None):
    assert person_problem(field, value) == problem
