"""Rasa's pipeline, all of it: one calibrated classifier over the full label of a message (`ask/<slug>`, `handoff`, …).

Stock classifiers see only the retrieval intent (`ask`) and would leave the topic to a response selector per intent.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.linalg import lapack

import encoder
from encoder import handing, kernel, urgent, vectors
from encoder.kernel import Kernel
from encoder.model import TOPICS
from encoder.spelling import Speller, expand
from nlu.components import knowledge

LABELS_KEY = "labels"
"""Key of the parse, and so of `tracker.latest_message`: [{"label": "ask/validate_visa", "confidence": 0.91}, …]."""

BEST = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(IntentClassifier, GraphComponent):
    """Sets `intent`, `intent_ranking` and `labels` of a message from one vector of its text."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"width": 1.4, "ridge": 0.05, "knowledge": "knowledge/topics", "urgent": "data/urgent"}

    @staticmethod
    def fingerprint_addon(config: dict[str, Any]) -> str | None:
        """Rasa's cache sees only the source of this class: the encoder, our helpers and the knowledge count as well."""
        digest = hashlib.sha256(encoder.fingerprint().encode())
        for folder in (Path(__file__).parent, Path(encoder.__file__).parent):
            for source in sorted(folder.glob("*.py")):
                digest.update(source.read_bytes())
        settings = {**TopicClassifier.get_default_config(), **config}
        for sentence in knowledge.sentences(Path(settings["knowledge"])):
            digest.update(repr(sentence).encode())
        digest.update(repr(urgent.phrases(Path(settings["urgent"]))).encode())
        return digest.hexdigest()

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        trained: Kernel | None = None,
        speller: Speller | None = None,
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._kernel = trained
        self._speller = speller or Speller({})

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "TopicClassifier":
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "TopicClassifier":
        with model_storage.read_from(resource) as folder:
            trained, speller = Kernel.load(folder, TOPICS), Speller.load(folder)
        # The first student must not wait for the weights.
        encoder.encode(["bonjour"])
        return cls(config, model_storage, resource, trained, speller)

    def train(self, training_data: TrainingData) -> Resource:
        phrases = [(m.get(TEXT), m.get_full_intent()) for m in training_data.intent_examples if m.get(TEXT)]
        known = {label for _, label in phrases}
        told = [s for s in knowledge.sentences(Path(self._config["knowledge"])) if s.label in known]
        texts = [expand(text) for text, _ in phrases] + [sentence.text for sentence in told]
        encoded = _vectors("phrases", texts)
        fitted = kernel.fit(
            encoded,
            [label for _, label in phrases] + [sentence.label for sentence in told],
            np.array([1.0] * len(phrases) + [sentence.trust for sentence in told], dtype=np.float32),
            phrases=len(phrases),
            width=self._config["width"],
            ridge=self._config["ridge"],
            solve=_solve,
        )
        self._kernel = fitted.kernel
        self._speller = Speller.learn(texts)
        ordinary = [place for place, (_, label) in enumerate(phrases) if label not in urgent.NEAR_DANGER]
        in_danger = urgent.phrases(Path(self._config["urgent"]))
        door = urgent.learn(
            _vectors("urgent", [expand(text) for text, _ in in_danger]),
            [kind for _, kind in in_danger],
            encoded[ordinary],
            solve=_solve,
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._kernel.save(folder, TOPICS)
            self._speller.save(folder)
            door.save(folder)
            fitted.save_left_out(folder, BEST)
        _say(f"{len(known)} labels; {self._kernel.left_out:.1%} of {len(phrases)} phrases recognised when left out")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """A text that begins with "/" names its intent itself: it is left to Rasa's RegexMessageHandler."""
        plain = [message for message in messages if (message.get(TEXT) or "").strip()[:1] not in ("", "/")]
        if self._kernel is None or not plain:
            return messages
        found = self._kernel.best(np.vstack([self._vector(message) for message in plain]), BEST)
        for message, labels in zip(plain, found, strict=True):
            ranking = [_as_intent(label, confidence) for label, confidence in labels]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(
                LABELS_KEY,
                [{"label": label, "confidence": confidence} for label, confidence in labels],
                add_to_output=True,
            )
        return messages

    def _vector(self, message: Message) -> kernel.Floats:
        """That of the gateway where it has looked at the same sentence: it is taken out, so that no event keeps it."""
        metadata = message.get("metadata")
        given = metadata.pop(handing.KEY, None) if isinstance(metadata, dict) else None
        return handing.taken(given, self._speller.repair(message.get(TEXT)))


def _vectors(name: str, texts: list[str]) -> kernel.Floats:
    keep = os.environ.get("ACCUEIL_VECTORS")
    return vectors.kept_vectors(texts, Path(keep) / name if keep else None, _say)


def _solve(matrix: kernel.Floats, targets: kernel.Floats) -> tuple[kernel.Floats, kernel.Floats]:
    """By Cholesky, in place: half the time and memory of an inverse. Raises ValueError when it is singular."""
    # The transposed view of a symmetric matrix is the matrix in LAPACK's order: nothing is copied.
    factor, failed = lapack.spotrf(matrix.T, lower=1, overwrite_a=1)
    if failed:
        raise ValueError("The kernel matrix is singular: raise `ridge` in config.yml.")
    weights, _ = lapack.spotrs(factor, targets, lower=1)
    inverse, _ = lapack.strtri(factor, lower=1, overwrite_c=1)
    return np.ascontiguousarray(weights), np.einsum("ki,ki->i", inverse, inverse)


def _as_intent(label: str, confidence: float) -> dict[str, Any]:
    return {INTENT_NAME_KEY: label.partition("/")[0], PREDICTED_CONFIDENCE_KEY: confidence}


def _say(line: str) -> None:
    """Progress for `accueil train`, which shows the lines that begin so."""
    print(f"accueil: {line}", flush=True)
