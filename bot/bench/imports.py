"""`accueil bench import`: how long the school's file takes, first and changed, on the machine at hand."""

import csv
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from io import BytesIO, StringIO
from pathlib import Path

from bot.bench.desk import machine, say_table
from bot.clock import SystemClock
from bot.db.session import Database
from bot.identity.imports import Wishes, import_file
from bot.tables import METADATA

SEED = 4
HEADERS = (
    "source_id",
    "email",
    "given_name",
    "family_name",
    "language",
    "nationality",
    "country_of_residence",
    "programme_type",
    "pays_tuition_to_junia",
    "grant",
    "campus",
    "school",
    "semester",
    "programme_start",
    "programme_end",
    "enrolment_date",
    "birth_date",
    "document_held",
    "visa_start",
    "visa_expiry",
    "date_of_entry",
    "date_of_entry_kind",
    "housing_status",
    "guarantor",
    "wants_buddy",
)


def bench_import(rows: int, say: Callable[[str], None]) -> None:
    """Import a made-up file of `rows` students as CSV, the same with a third changed, and again as XLSX; on SQLite."""
    first, changed = list(_students(rows, moved=0)), list(_students(rows, moved=3))
    files = (
        ("CSV, all new", _csv(first)),
        ("CSV, a third changed", _csv(changed)),
        ("XLSX, a third changed back", _xlsx(first)),
        ("XLSX, nothing changed", _xlsx(first)),
    )
    results: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="accueil-bench-") as name:
        data = Path(name)
        with closing(Database(f"sqlite:///{data / 'accueil.db'}")) as database:
            METADATA.create_all(database.engine.execution_options(writes=True))
            for title, content in files:
                began = time.monotonic()
                plan = import_file(database, data, content, None, Wishes(), SystemClock(), dry_run=False)
                seconds = time.monotonic() - began
                counts = ", ".join(f"{count} {kind}" for kind, count in plan.counts.items() if count)
                results.append((f"{rows} rows, {title}", f"{seconds:.1f} s ({counts})"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    say_table(say, [*results, ("peak of the whole process", f"{peak:.0f} MB")])
    say(machine())


def _students(rows: int, *, moved: int) -> Iterator[list[str]]:
    """`moved`: days by which the dates of every third student lie later."""
    chance = random.Random(SEED)  # noqa: S311  (made-up rows, not a secret)
    for number in range(rows):
        start = date(2026, 9, 1) + timedelta(days=chance.randrange(20) + (moved if number % 3 == 0 else 0))
        birth = date(2000, 1, 1) + timedelta(days=chance.randrange(2500))
        yield [
            f"J{number:06}",
            f"student{number}@student.junia.com",
            f"Prénom{number}",
            f"Nom{number}",
            chance.choice(("français", "anglais", "es")),
            chance.choice(("Maroc", "Inde", "Chine|Canada", "DZ", "Brésil")),
            chance.choice(("Maroc", "IN")),
            chance.choice(("échange", "diplôme")),
            "oui",
            "aucune",
            "Lille",
            chance.choice(("HEI", "ISA", "ISEN")),
            "automne",
            f"{start:%d/%m/%Y}",
            (start + timedelta(days=280)).isoformat(),
            f"{start:%d/%m/%Y}",
            f"{birth:%d/%m/%Y}",
            "VLS-TS",
            start.isoformat(),
            (start + timedelta(days=300)).isoformat(),
            f"{start:%d/%m/%Y}",
            "prévu",
            "en recherche",
            "aucun",
            "non",
        ]


def _csv(rows: list[list[str]]) -> bytes:
    out = StringIO()
    csv.writer(out, delimiter=";").writerows([HEADERS, *rows])
    return out.getvalue().encode("cp1252")


def _xlsx(rows: list[list[str]]) -> bytes:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    for row in (list(HEADERS), *rows):
        sheet.append(row)
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()
