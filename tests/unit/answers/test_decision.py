"""bot/answers/decision.py: answer, ask back, or say that it is not known."""

import pytest

from bot.answers.decision import Candidate, Decision, decide

VISA = Candidate("ask/validate_visa", 0.91)
PERMIT = Candidate("ask/permit_renewal", 0.05)


def test_a_sure_topic_is_answered() -> None:
    assert decide([VISA, PERMIT]) == Decision("answer", "ask/validate_visa", (VISA, PERMIT))


def test_nothing_to_go_by_is_not_known() -> None:
    assert decide([]) == Decision("abstain", None, ())


def test_a_topic_just_below_the_threshold_is_asked_back_with_its_neighbour() -> None:
    first, second, third = Candidate("ask/visale", 0.59), Candidate("ask/guarantor", 0.3), Candidate("handoff", 0.1)

    assert decide([first, second, third]) == Decision("clarify", "ask/visale", (first, second))


def test_at_most_three_topics_are_asked_back_and_faint_ones_only_to_have_two() -> None:
    close = [Candidate(f"ask/topic_{place}", confidence) for place, confidence in enumerate((0.3, 0.2, 0.15, 0.12))]
    faint = [Candidate("ask/visale", 0.5), Candidate("ask/guarantor", 0.02), Candidate("ask/cvec", 0.01)]

    assert decide(close).topics == tuple(close[:3])
    assert decide(faint).topics == tuple(faint[:2])


def test_a_single_unsure_topic_is_not_asked_back_because_that_is_no_choice() -> None:
    unsure = [Candidate("ask/visale", 0.5), Candidate("out_of_scope", 0.4)]

    assert decide(unsure) == Decision("abstain", "ask/visale", (unsure[0],))


def test_topics_that_are_unlikely_even_together_are_not_asked_back() -> None:
    unlikely = [Candidate("ask/visale", 0.1), Candidate("ask/guarantor", 0.1), Candidate("ask/cvec", 0.05)]

    assert decide(unlikely) == Decision("abstain", "ask/visale", tuple(unlikely))


def test_what_is_none_of_our_topics_is_not_known_however_sure_that_is() -> None:
    weather = Candidate("out_of_scope", 0.98)

    assert decide([weather, PERMIT]) == Decision("abstain", "out_of_scope", (PERMIT,))


def test_an_unsure_out_of_scope_with_likely_topics_is_asked_back() -> None:
    candidates = [Candidate("out_of_scope", 0.5), Candidate("ask/visale", 0.25), Candidate("ask/guarantor", 0.2)]

    assert decide(candidates) == Decision("clarify", "out_of_scope", tuple(candidates[1:]))


@pytest.mark.parametrize(
    ("label", "action"),
    [
        ("smalltalk/greet", "chat"),
        ("language", "chat"),
        ("identity", "chat"),
        ("privacy", "chat"),
        ("path", "chat"),
        ("handoff", "handoff"),
    ],
)
def test_what_is_not_a_question_goes_to_its_own_skill_when_sure(label: str, action: str) -> None:
    sure, unsure = Candidate(label, 0.8), Candidate(label, 0.4)

    assert decide([sure]) == Decision(action, label, ())  # type: ignore[arg-type]
    assert decide([unsure]) == Decision("abstain", label, ())
