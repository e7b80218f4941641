"""The NLU evaluation as one HTML file with plots, for people: what `make test` writes after measuring."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from io import StringIO
from itertools import groupby
from pathlib import Path

import matplotlib
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.answers.decision import ANSWER_FROM, decide
from bot.bench.nlu import Decided, Share, by_language, false_answers, figures, outcomes, recognised
from bot.content.loader import Knowledge

matplotlib.use("svg")

INK, ACCENT, WARM, GREEN = "#26332f", "#0f6b5c", "#c2552d", "#3f8f5f"
THRESHOLDS = np.linspace(0.3, 0.95, 27)
BINS = 10
MOST_PAIRS = 30


def write_report(
    path: Path, knowledge: Knowledge, results: Sequence[Decided], left_out: Sequence[Decided], written_at: datetime
) -> None:
    """`results`: the held-out questions; `left_out`: the training phrases, each by a model without it."""
    templates = Environment(
        loader=PackageLoader("bot.bench", "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    ours = [each for each in results if each.is_ours]
    page = templates.get_template("nlu.html.j2").render(
        written_at=written_at,
        rows=list(figures(results)),
        groups=list(by_group(knowledge, ours)),
        pairs=confusions(ours),
        answered=[each for each in results if not each.is_ours and each.outcome == "wrong"],
        plots=[
            ("By group", plot_groups(list(by_group(knowledge, ours)))),
            ("Calibration: how often it is right when it says so", plot_calibration(ours, left_out)),
            (f"Threshold (in use: {ANSWER_FROM})", plot_thresholds(results, left_out)),
        ],
        answer_from=ANSWER_FROM,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(path)


def by_group(knowledge: Knowledge, ours: Iterable[Decided]) -> Iterable[tuple[str, dict[str, Share]]]:
    """Group → language → share of questions whose right label comes first; what is no topic stands at the end."""

    def group_of(each: Decided) -> str:
        slug = each.label.removeprefix("ask/")
        return knowledge.topic(slug).file.group if slug in knowledge.topics else "~" + each.label.partition("/")[0]

    ordered = sorted(ours, key=group_of)
    for group, part in groupby(ordered, key=group_of):
        yield group.lstrip("~"), {language: recognised(each) for language, each in by_language(list(part)).items()}


def confusions(ours: Iterable[Decided]) -> list[tuple[str, str, int, str]]:
    """(right label, label found, how often, an example), the most frequent first."""
    wrong = [each for each in ours if each.best[0].label != each.label]
    counted = Counter((each.label, each.best[0].label) for each in wrong)
    examples = {(each.label, each.best[0].label): each.text for each in wrong}
    return [(*pair, count, examples[pair]) for pair, count in counted.most_common(MOST_PAIRS)]


def plot_groups(groups: Sequence[tuple[str, dict[str, Share]]]) -> Markup:
    def draw(axes: Axes) -> None:
        places = np.arange(len(groups))
        for offset, language, colour in ((-0.18, "en", ACCENT), (0.18, "fr", WARM)):
            shares = [each.get(language, Share(0, 0)) for _, each in groups]
            values = np.array([share.value for share in shares])
            spread = np.array([[s.value - s.interval[0], s.interval[1] - s.value] for s in shares]).T.clip(0)
            axes.barh(places + offset, values, 0.34, xerr=spread, color=colour, label=language, ecolor=INK)
        axes.set_yticks(places, [name.replace("_", " ") for name, _ in groups])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("right label first (95 % interval)")
        # Above the bars, not on them.
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)

    return _svg(draw, height=0.42 * len(groups) + 1)


def plot_calibration(ours: Sequence[Decided], left_out: Sequence[Decided]) -> Markup:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], ":", color=INK)
        for results, colour, name in ((ours, ACCENT, "held out"), (left_out, WARM, "cross-validated")):
            said = np.array([each.best[0].confidence for each in results])
            right = np.array([each.best[0].label == each.label for each in results])
            bins = np.minimum((said * BINS).astype(int), BINS - 1)
            filled = [number for number in range(BINS) if (bins == number).any()]
            axes.plot(
                [said[bins == number].mean() for number in filled],
                [right[bins == number].mean() for number in filled],
                "o-",
                color=colour,
                label=name,
            )
        axes.set_xlabel("confidence")
        axes.set_ylabel("share that is right")
        axes.legend(frameon=False)

    return _svg(draw)


def plot_thresholds(results: Sequence[Decided], left_out: Sequence[Decided]) -> Markup:
    def draw(axes: Axes) -> None:
        for part, style, name in ((left_out, "--", "cross-validated"), (results, "-", "held out")):
            curves = [rates(part, float(threshold)) for threshold in THRESHOLDS]
            for place, (label, colour) in enumerate(
                (("answered rightly", GREEN), ("answered wrongly", WARM), ("not ours, answered", INK))
            ):
                axes.plot(THRESHOLDS, [each[place] for each in curves], style, color=colour, label=f"{label}, {name}")
        axes.axvline(ANSWER_FROM, color=ACCENT, linewidth=1)
        axes.set_xlabel("answered from this confidence")
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, fontsize=8, loc="center left")

    return _svg(draw)


def rates(results: Sequence[Decided], answer_from: float) -> tuple[float, float, float]:
    """Shares answered rightly and wrongly of ours, and answered of what is not ours, with another threshold."""
    again = [replace(each, decision=decide(each.best, answer_from=answer_from)) for each in results]
    ours, outside = [each for each in again if each.is_ours], [each for each in again if not each.is_ours]
    return outcomes(ours, "right").value, outcomes(ours, "wrong").value, false_answers(outside).value


def _svg(draw: Callable[[Axes], None], height: float = 4.2) -> Markup:
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots()
    draw(axes)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(visible=True, alpha=0.25)
    text = StringIO()
    # A fixed salt and no date: the same measurement writes the same file.
    with matplotlib.rc_context({"svg.hashsalt": "accueil", "font.family": "sans-serif"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return Markup(svg[svg.index("<svg") :])  # noqa: S704  (drawn here, from numbers and our own labels)
