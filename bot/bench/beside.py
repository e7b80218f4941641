"""A model trained beside the running one against it: the same held-out questions, the same regressions, one report."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.answers.trained import current_model
from bot.assistant.training import Beside, HeldOut, Say, TrainingPaths, held_out_phrases, is_worse, train_beside
from bot.bench.nlu import BEST, Decided, decided
from bot.config import Settings
from bot.errors import ConfigurationError
from bot.upkeep.phrases import regressions
from bot.upkeep.report import RegressionResult, Report, Side, TopicChange, write_report
from encoder.model import Model, best, load


def train_and_compare(settings: Settings, say: Say) -> None:
    """`accueil train --beside`: the model in use stays; models/beside/report.json says what would change.

    Raises:
        ConfigurationError, ContentError: the training failed, or there is nothing to compare with.
    """
    models = settings.data / "models"
    old = current_model(models)
    beside = train_beside(TrainingPaths(settings.root, settings.data, settings.cache.expanduser()), say)
    say("comparing with the model in use")
    report = compare(settings.root, models, beside, old)
    write_report(models, report)
    say(f"{report.after.recognised:.1%} of the held-out questions recognised, {report.before.recognised:.1%} before")


def compare(root: Path, models: Path, beside: Beside, old: Path) -> Report:
    """What would change with the new model.

    Raises:
        ConfigurationError: one of the two is of another make.
    """
    phrases = held_out_phrases(root)
    tests = [HeldOut(text=each["text"], label=each["label"], language=each["language"]) for each in regressions(root)]
    asked = [*phrases, *tests]
    # The new model last, so that the vectors that are kept are of its spelling.
    before, after = (_decided(models, archive, asked) for archive in (old, beside.model))
    count = len(phrases)
    sides = _side(before[:count]), _side(after[:count])
    return Report(
        model=beside.model.name,
        fingerprint=beside.fingerprint,
        before=sides[0],
        after=sides[1],
        questions=count,
        topics=_topics(before[:count], after[:count]),
        regressions=[
            RegressionResult(
                language=each.language, label=each.label, text=each.text, before=each.outcome, after=new.outcome
            )
            for each, new in zip(before[count:], after[count:], strict=True)
        ],
        is_worse=is_worse(sides[1].recognised, sides[0].recognised),
    )


def _decided(models: Path, archive: Path, phrases: Sequence[HeldOut]) -> list[Decided]:
    model: Model | None = load(archive)
    if model is None:
        raise ConfigurationError(f"{archive.name} is a model of another make: run `accueil train --force`.")
    found = best(model, [each.text for each in phrases], BEST, models / "vectors" / "beside")
    return [decided(phrase, candidates) for phrase, candidates in zip(phrases, found, strict=True)]


def _side(results: Sequence[Decided]) -> Side:
    ours = [each for each in results if each.is_ours]
    counted, total = Counter(each.outcome for each in ours), max(len(ours), 1)
    return Side(
        recognised=_right(results) / max(len(results), 1),
        answered=counted["right"] / total,
        wrong=counted["wrong"] / total,
        unsure=(counted["asked"] + counted["astray"] + counted["unknown"]) / total,
    )


def _right(results: Sequence[Decided]) -> int:
    return sum(each.best[0].label == each.label for each in results)


def _topics(before: Sequence[Decided], after: Sequence[Decided]) -> list[TopicChange]:
    """Those that changed."""
    changes = []
    for label in sorted({each.label for each in before}):
        old = [each for each in before if each.label == label]
        new = [each for each in after if each.label == label]
        if _right(old) != _right(new):
            changes.append(TopicChange(label=label, before=_right(old), after=_right(new), of=len(old)))
    return changes
