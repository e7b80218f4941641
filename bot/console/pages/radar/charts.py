"""Charts as SVG: colours are classes of radar.css, since the page allows no inline style."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bot.radar.rules import Shown

LEFT, TOP, HEIGHT, FOOT = 44, 12, 170, 24
WIDE, NARROW = 46, 22
MANY = 13
"""From so many bars on they are narrow, and only every fourth has a name."""
WIDEST = 180
BLOCK = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')
CELL = Markup('<rect class="heat-{}" x="{}" y="{}" width="20" height="20" rx="4"><title>{}</title></rect>')


@dataclass(frozen=True)
class Series:
    """One colour of a stack: `css` is a class of radar.css; a hidden value (None) is drawn as nothing."""

    name: str
    css: str
    values: Sequence[Shown]


def stacks(title: str, names: Sequence[str], series: Sequence[Series]) -> Markup:
    """Bars side by side, each a stack of the series, with a scale on the left."""
    step = WIDE if len(names) <= MANY else NARROW
    totals = [sum(each.values[place] or 0 for each in series) for place in range(len(names))]
    top = nice(max(totals, default=0))
    parts = [_scale(top, LEFT + step * len(names))]
    for place, name in enumerate(names):
        left, base = LEFT + step * place + step * 0.15, 0.0
        for each in series:
            value = each.values[place] or 0
            if value:
                tall = HEIGHT * value / top
                y = TOP + HEIGHT - base - tall
                tip = f"{name}: {each.name} {value}"
                parts.append(
                    Markup(
                        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
                    ).format(each.css, left, y, step * 0.7, tall, tip)
                )
                base += tall
        if step == WIDE or place % 4 == 0:
            parts.append(
                Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    left + step * 0.35, TOP + HEIGHT + 17, name.partition("-")[2] or name
                )
            )
    return _svg(title, LEFT + step * len(names) + 6, TOP + HEIGHT + FOOT, parts)


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
    cell, left = 22, 92
    parts = [
        Markup('<text x="{}" y="12" text-anchor="middle">{}</text>').format(left + cell * hour + cell / 2, hour)
        for hour in range(0, 24, 3)
    ]
    for place, (day, row) in enumerate(zip(days, counts, strict=True)):
        top = 20 + cell * place
        parts.append(Markup('<text x="0" y="{}">{}</text>').format(top + 15, day))
        for hour, count in enumerate(row):
            shade = -(-4 * count // largest) if largest else 0
            parts.append(
                Markup(
                    '<rect class="heat-{}" x="{}" y="{}" width="20" height="20" rx="4"><title>{}</title></rect>'
                ).format(shade, left + cell * hour, top, f"{day} {hour}:00: {count}" if count else f"{day} {hour}:00")
            )
    return _svg(title, left + cell * 24, 24 + cell * 7, parts)


def nice(largest: int) -> int:
    """A round number that is not below, divisible by four so that the scale has whole steps."""
    for power in range(12):
        for lead in (4, 8, 12, 20, 40, 60):
            if lead * 10**power >= largest:
                return lead * int(10**power)
    raise ValueError(f"{largest} is no count")


def _scale(top: int, right: float) -> Markup:
    lines = []
    for quarter in range(5):
        y = TOP + HEIGHT - HEIGHT * quarter / 4
        lines.append(
            Markup('<line class="rule" x1="{}" x2="{:.0f}" y1="{:.1f}" y2="{:.1f}"></line>').format(LEFT, right, y, y)
            + Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(LEFT - 6, y + 4, top * quarter // 4)
        )
    return Markup("").join(lines)


def _svg(title: str, width: float, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="chart" role="img" aria-label="{}" width="{:.0f}" height="{:.0f}">{}</svg>').format(
        title, width, height, Markup("").join(parts)
    )
