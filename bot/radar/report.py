"""The evidence report as a PDF that screen readers can follow (PDF/UA-1), with its letters embedded."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.clock import day_in_france
from bot.i18n.formats import date_words
from bot.i18n.translate import say
from bot.radar.evidence import Indicator, Period, Sources, indicators
from bot.radar.weeks import monday_of, week_words

TEMPLATE = Path(__file__).with_name("report.typ")


def evidence_report(sources: Sources, period: Period, language: str, now: datetime) -> bytes:
    """The whole report. `language` is one of CONTENT_CODES.

    Raises:
        Unavailable: the database cannot be reached.
    """
    # Here, since the program of the letters is large and few processes ever need it.
    import typst

    content = report_content(sources, period, language, now)
    found: bytes = typst.compile(  # type: ignore[call-overload]  # its stub does not know ua-1
        TEMPLATE,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(content, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    return found


def report_content(sources: Sources, period: Period, language: str, now: datetime) -> dict[str, Any]:
    """What the template shows, in words."""
    first, last = date_words(period.first, language), date_words(period.last, language)
    return {
        "title": say(language, "Indicators of welcome"),
        "subtitle": say(language, "For the file of the label “Bienvenue en France”"),
        "school": sources.knowledge.school.name,
        "language": language,
        "intro": [
            say(
                language,
                "{school}, international office. From {first} to {last}; made on {today}.",
                school=sources.knowledge.school.name,
                first=first,
                last=last,
                today=date_words(day_in_france(now), language),
            ),
            say(
                language,
                "This report gives what the data of the welcome desk can prove, with its limits. It does not say "
                "whether a criterion of the label is met. Groups of fewer than 5 people are hidden, and so is what "
                "would tell of them. Figures of conversations are those of whole calendar weeks, {first_week} to "
                "{last_week}.",
                first_week=week_words(monday_of(period.first), language),
                last_week=week_words(monday_of(period.last), language),
            ),
        ],
        "summary_head": [say(language, "Indicator"), say(language, "Figure")],
        "indicators": [
            _section(each, f"{first} – {last}", language) for each in indicators(sources, period, language, now)
        ],
    }


def _section(indicator: Indicator, period: str, language: str) -> dict[str, Any]:
    return {
        "title": indicator.title,
        "headline": indicator.headline,
        "table": None if indicator.table is None else asdict(indicator.table),
        "notes": [
            (say(language, "Definition"), indicator.definition),
            (say(language, "Period"), period),
            (say(language, "Base"), indicator.base),
            (say(language, "How it is computed"), indicator.how),
            (say(language, "Limits"), indicator.limits),
        ],
    }
