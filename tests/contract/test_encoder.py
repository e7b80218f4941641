"""The encoder answers the same in both environments: vectors of one are compared with vectors of the other."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import encoder
from encoder.handing import handed

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "nlu" / ".venv" / "bin" / "python"

SAME_QUESTION = {
    "en": "How do I validate my visa after arriving in France?",
    "fr": "Comment valider mon visa après mon arrivée en France ?",
    "es": "¿Cómo valido mi visado después de llegar a Francia?",
    "pt": "Como valido o meu visto depois de chegar à França?",
    "uk": "Як підтвердити мою візу після приїзду до Франції?",
    "ar": "كيف أقوم بتفعيل تأشيرتي بعد وصولي إلى فرنسا؟",
    "zh": "抵达法国后如何验证我的签证？",
}
OTHER_QUESTION = "How do I find a gym and play football in Lille?"
ODD_TEXTS = ["", " ", "\0", "\ud800", "🙂", "a" * 20_000]

PRINT_VECTORS = "import json, sys, encoder; json.dump(encoder.encode(json.load(sys.stdin)).tolist(), sys.stdout)"


def test_a_vector_has_the_promised_length_and_norm_for_any_text() -> None:
    vectors = encoder.encode([*SAME_QUESTION.values(), *ODD_TEXTS])

    assert vectors.shape == (len(SAME_QUESTION) + len(ODD_TEXTS), encoder.DIMENSION)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_a_question_is_found_at_either_end_of_a_long_message_and_the_middle_is_not_looked_at() -> None:
    story = "I came by train from Prague and my family waved for a long time. " * 200
    question = "How do I find a gym and play football in Lille?"
    begins, ends, has_none = f"{question} {story}", f"{story} {question}", story

    vectors = encoder.encode([begins, begins[:300] + begins[500:], ends, has_none, question])

    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-4)
    assert min(vectors[0] @ vectors[4], vectors[2] @ vectors[4]) > vectors[3] @ vectors[4] + 0.1


def test_no_text_gives_no_vector() -> None:
    assert encoder.encode([]).shape == (0, encoder.DIMENSION)


def test_a_vector_does_not_depend_on_the_texts_encoded_with_it() -> None:
    texts = [*SAME_QUESTION.values(), OTHER_QUESTION] * 3

    alone = np.vstack([encoder.encode([text]) for text in texts])

    np.testing.assert_allclose(encoder.encode(texts), alone, atol=1e-4)


@pytest.mark.parametrize("language", SAME_QUESTION)
def test_the_same_question_is_nearer_than_another_in_every_language(language: str) -> None:
    english, translated, other = encoder.encode([SAME_QUESTION["en"], SAME_QUESTION[language], OTHER_QUESTION])

    assert english @ translated > 0.3
    assert english @ translated > english @ other + 0.1


@pytest.mark.engine
def test_both_environments_give_the_same_vectors_and_fingerprint() -> None:
    if not ENGINE.exists():
        pytest.skip("the engine's environment: run `make setup`")
    texts = [*SAME_QUESTION.values(), OTHER_QUESTION]

    theirs = json.loads(_engine(PRINT_VECTORS, json.dumps(texts)))

    np.testing.assert_allclose(np.array(theirs, dtype=np.float32), encoder.encode(texts), atol=1e-4)
    assert _engine("import encoder; print(encoder.fingerprint())").strip() == encoder.fingerprint()


TAKE_A_VECTOR = """
import json, sys
from nlu import without_tensorflow
without_tensorflow.install()
from encoder.spelling import Speller
from nlu.components.topic_classifier import TopicClassifier
from rasa.shared.nlu.training_data.message import Message

class Kernel:
    def best(self, vectors, count):
        self.seen = vectors
        return [[("handoff", 1.0)] for _ in vectors]

kernel = Kernel()
message = Message(data={"text": "bonjour", "metadata": json.load(sys.stdin)})
classifier = TopicClassifier({}, None, None, kernel, Speller({}))
classifier.process([message])
json.dump({"seen": kernel.seen[0].tolist(), "left": message.get("metadata")}, sys.stdout)
"""


@pytest.mark.engine
def test_the_engine_takes_the_vector_of_the_gateway_and_leaves_none_behind() -> None:
    if not ENGINE.exists():
        pytest.skip("the engine's environment: run `make setup`")
    # Of another sentence: it can only have been taken.
    vector = handed("bonjour") | {"values": handed("Où est la gare ?")["values"]}
    asked = json.dumps({"language": "fr", "vector": vector})

    result = json.loads(_engine(TAKE_A_VECTOR, asked))
    np.testing.assert_allclose(result["seen"], encoder.encode(["Où est la gare ?"])[0], atol=1e-6)
    assert result["left"] == {"language": "fr"}


def _engine(code: str, given: str = "") -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([ENGINE, "-c", code], input=given, env=env, capture_output=True, text=True, check=True)
    return done.stdout
