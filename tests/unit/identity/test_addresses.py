import pytest

from bot.identity.addresses import code_in, email_in, is_address_alone, is_email, without_credentials
from bot.identity.linking import looks_like_credentials


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("amina@student.junia.com", "amina@student.junia.com"),
        ("Amina@Student.JUNIA.com", "amina@student.junia.com"),
        ("it is amina@student.junia.com.", "amina@student.junia.com"),
        ("<amina@student.junia.com>", "amina@student.junia.com"),
        ("amina＠student.junia.com", "amina@student.junia.com"),
        ("amina@student", None),
        ("@student.junia.com", None),
        ("visa", None),
        ("a" * 5000 + "@" + "b" * 5000, None),
    ],
)
def test_an_address_is_found_in_lower_case(text, address):
    assert email_in(text) == address


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("123 456", "123456"),
        ("1 2 3 4 5 6", "123456"),
        ("123-456", "123456"),
        ("my code is 123456", "123456"),
        ("١٢٣٤٥٦", "123456"),
        ("１２３４５６", "123456"),
        ("000000", "000000"),
        ("12345", None),
        ("1234567", None),
        ("06 12 34 56 78", None),
        ("my appointment number at the prefecture is 123456 what now", None),
        ("visa", None),
    ],
)
def test_a_code_is_six_digits_and_no_part_of_a_longer_number(text, code):
    assert code_in(text) == code


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("amina@student.junia.com", True),
        ("here you are: amina@student.junia.com thanks", True),
        ("my code is 123 456", True),
        ("can I write to visa@school.example?", False),
        ("I wrote to visa@school.example two weeks ago and nobody has answered me until now", False),
        ("when must I validate my visa", False),
        ("I arrived on 2026-09-12", False),
    ],
)
def test_a_question_that_holds_an_address_is_still_a_question(text, is_one):
    assert looks_like_credentials(text) is is_one


def test_an_address_alone_is_one_and_nothing_more():
    assert is_email("claire@accueil.example")
    assert not is_email("Claire <claire@accueil.example>")
    assert not is_address_alone("visa")


def test_addresses_and_codes_are_taken_out_and_the_rest_stays():
    assert without_credentials("can I write to visa@school.example?") == "can I write to e-mail?"
    assert without_credentials("my code is 123456") == "my code is"
    long = "I have found it in the junk folder at last, it says 123456 there"
    assert without_credentials(long) == long.replace("123456 ", "")
    assert without_credentials("Le  visa ?") == "Le  visa ?"
