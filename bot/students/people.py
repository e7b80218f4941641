"""What names a person in a record, beside the facts of the rules: names, mailbox, language."""

import re

from bot.i18n.languages import CODES

LONGEST_NAME = 80
LONGEST_ADDRESS = 254
PERSON_FIELDS = ("given_name", "family_name", "email", "language")
"""Columns of `Student` that are corrected and imported like facts."""

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")


def person_problem(field: str, value: object) -> str | None:
    """What is wrong with the value of one of PERSON_FIELDS and how to mend it; None when it is fine."""
    if not isinstance(value, str) or not value.strip():
        return "it is empty; every record needs it"
    if field == "email":
        if len(value) > LONGEST_ADDRESS or _ADDRESS.fullmatch(value) is None:
            return f"{value!r} is no e-mail address; write it like amina.brahmi@student.junia.com"
        return None
    if field == "language":
        return None if value in CODES else f"{value!r} is no language of ours; write one of {', '.join(CODES)}"
    if len(value) > LONGEST_NAME:
        return f"it has {len(value)} characters; shorten it to {LONGEST_NAME}"
    if any(not sign.isprintable() for sign in value):
        return f"{value!r} holds signs that cannot be printed; type it again"
    return None
