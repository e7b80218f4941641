"""What a change of facts does to the path of a student, in a few lines. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date

from bot.i18n.formats import date_words
from bot.i18n.translate import say, say_n
from bot.paperwork.rules import Status, Step
from bot.paperwork.wording import line_words

MOST_LINES = 5
CONCERNS = (Status.OPEN, Status.BLOCKED, Status.UNKNOWN)
"""The step is still to do, or may be."""


def consequences(before: Sequence[Step], after: Sequence[Step], language: str, today: date) -> list[str]:
    """One line of Markdown for each step that is new, gone or has another date; the rest is counted in a last line."""
    earlier = {step.slug: step for step in before}
    changed = [step for step in after if step.slug in earlier and _differs(earlier[step.slug], step)]
    lines = list(_lines(changed, earlier, language, today))
    shown = lines if len(lines) <= MOST_LINES else lines[: MOST_LINES - 1]
    if (more := len(lines) - len(shown)) > 0:
        shown = [
            *shown,
            say_n(language, "And {number} more step changes.", "And {number} more steps change.", more),
        ]
    return shown


def _differs(before: Step, after: Step) -> bool:
    """Whether the student has something else to do, or by another day."""
    was, is_now = before.status in CONCERNS, after.status in CONCERNS
    if was != is_now:
        return True
    return is_now and (
        before.due != after.due
        or before.provisional != after.provisional
        or (before.status is Status.UNKNOWN) != (after.status is Status.UNKNOWN)
    )


def _lines(changed: Sequence[Step], earlier: dict[str, Step], language: str, today: date) -> Iterator[str]:
    """What is still to do comes first, in the order of the path."""
    for step in sorted(changed, key=lambda step: step.status not in CONCERNS):
        before = earlier[step.slug]
        title = step.title.get(language)
        if step.status is Status.DONE:
            yield say(language, "Done by this: {step}.", step=f"**{title}**")
        elif step.status is Status.NOT_NEEDED:
            yield say(language, "No longer needed: {step}.", step=f"**{title}**")
        elif before.status not in CONCERNS:
            yield say(language, "New: {line}", line=line_words(step, language, today))
        elif before.due is not None and step.due is not None and before.due != step.due:
            yield say(
                language,
                "{step}: now by {date}, no longer by {before}.",
                step=f"**{title}**",
                date=date_words(step.due, language),
                before=date_words(before.due, language),
            )
        else:
            yield line_words(step, language, today)
