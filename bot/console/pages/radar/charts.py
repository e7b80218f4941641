"""Charts as SVG: colours are classes of radar.css, since the page allows no inline style."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bot.radar.rules import Shown

LEFT, TOP, HEIGHT, FOOT = 44, 12, 170, 24
SIZES = ((4, "few"), (13, "some"), (26, "many"))
"""Up to so many bars the chart may be as narrow as this class of radar.css says; with more it is "most"."""
MANY = 13
"""From so many bars on only every fourth has a name."""
STUB = 11
"""Pixels of what is hidden: the same whatever it is."""
DAYS = 92
"""Pixels for the names of weekdays."""
WIDEST = 180
PART = Markup('<rect class="{}" x="{:.2f}%" y="{:.1f}" width="{:.2f}%" height="{:.1f}"><title>{}</title></rect>')
CELL = Markup('<rect class="heat-{}" x="{:.2f}%" y="{}" width="3.7%" height="20" rx="4"><title>{}</title></rect>')


@dataclass(frozen=True)
class Series:
    """One colour of a stack: `css` is a class of radar.css; a hidden value is None."""

    name: str
    css: str
    values: Sequence[Shown]


def stacks(title: str, names: Sequence[str], series: Sequence[Series], hidden: str) -> Markup:
    """Bars side by side over the whole width, each a stack of the series, with a scale on the left.

    `hidden`: the word for a stub on top, which says that a part is not shown.
    """
    totals = [sum(each.values[place] or 0 for each in series) for place in range(len(names))]
    top = nice(max(totals, default=0))
    step = 100 / max(1, len(names))
    scale, parts = _scale(top)
    for place, name in enumerate(names):
        base = 0.0
        for each in series:
            value = each.values[place] or 0
            if value:
                tall = HEIGHT * value / top
                y = TOP + HEIGHT - base - tall
                tip = f"{name}: {each.name} {value}"
                parts.append(PART.format(each.css, step * (place + 0.15), y, step * 0.7, tall, tip))
                base += tall
        if any(each.values[place] is None for each in series):
            y = TOP + HEIGHT - base - STUB
            parts.append(PART.format("hidden", step * (place + 0.15), y, step * 0.7, STUB, f"{name}: {hidden}"))
        if len(names) <= MANY or place % 4 == 0:
            parts.append(
                Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
                    step * (place + 0.5), TOP + HEIGHT + 17, name.partition("-")[2] or name
                )
            )
    size = next((css for most, css in SIZES if len(names) <= most), "most")
    return _beside(title, size, LEFT, TOP + HEIGHT + FOOT, scale, parts)


def bar(value: int, largest: int) -> Markup:
    """One lying bar beside its number in a table; the number is the text, the bar only shows it."""
    width = WIDEST * value / largest if largest else 0
    return Markup(
        '<svg class="bar" width="{}" height="12" viewBox="0 0 {} 12" aria-hidden="true" focusable="false">'
        '<rect class="one" width="{:.1f}" height="12" rx="3"></rect></svg>'
    ).format(WIDEST, WIDEST, width)


def week_grid(title: str, days: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Seven rows of 24 hours: the darker, the more. `counts` has 0 where there are too few to show."""
    largest = max((count for row in counts for count in row), default=0)
    cell, step = 22, 100 / 24
    names = [
        Markup('<text x="0" y="{}">{}</text>').format(20 + cell * place + 15, day) for place, day in enumerate(days)
    ]
    parts = [
        Markup('<text x="{:.2f}%" y="12" text-anchor="middle">{}</text>').format(step * (hour + 0.45), hour)
        for hour in range(0, 24, 3)
    ]
    for place, (day, row) in enumerate(zip(days, counts, strict=True)):
        for hour, count in enumerate(row):
            shade = -(-4 * count // largest) if largest else 0
            tip = f"{day} {hour}:00: {count}" if count else f"{day} {hour}:00"
            parts.append(CELL.format(shade, step * hour, 20 + cell * place, tip))
    return _beside(title, "many", DAYS, 24 + cell * 7, names, parts)


def nice(largest: int) -> int:
    """A round number that is not below, divisible by four so that the scale has whole steps."""
    for power in range(12):
        for lead in (4, 8, 12, 20, 40, 60):
            if lead * 10**power >= largest:
                return lead * int(10**power)
    raise ValueError(f"{largest} is no count")


def _scale(top: int) -> tuple[list[Markup], list[Markup]]:
    """The numbers on the left, and the lines that go on from them."""
    numbers, lines = [], []
    for quarter in range(5):
        y = TOP + HEIGHT - HEIGHT * quarter / 4
        numbers.append(
            Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(LEFT - 6, y + 4, top * quarter // 4)
        )
        lines.append(Markup('<line class="rule" x1="0" x2="100%" y1="{:.1f}" y2="{:.1f}"></line>').format(y, y))
    return numbers, lines


def _beside(title: str, size: str, left: int, height: int, names: Sequence[Markup], parts: Sequence[Markup]) -> Markup:
    """Two drawings in a row: names of a fixed width, and parts placed by percent, which fill what is left."""
    return Markup(
        '<div class="chart {}"><svg width="{}" height="{}" aria-hidden="true" focusable="false">{}</svg>'
        '<svg class="parts" role="img" aria-label="{}" height="{}">{}</svg></div>'
    ).format(size, left, height, Markup("").join(names), title, height, Markup("").join(parts))
