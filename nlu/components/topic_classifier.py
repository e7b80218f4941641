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
from nlu.components import kernel, knowledge, vectors
from nlu.components.kernel import Kernel
from nlu.components.spelling import Speller

LABELS_KEY = "labels"
"""Key of the parse, and so of `tracker.latest_message`: [{"label": "ask/validate_visa", "confidence": 0.91}, …]."""

BEST = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(IntentClassifier, GraphComponent):
    """Sets `intent`, `intent_ranking` and `labels` of a message from one vector of its text."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"width": 1.4, "ridge": 0.05, "knowledge": "knowledge/topics"}

    @staticmethod
    def fingerprint_addon(config: dict[str, Any]) -> str | None:
        """Rasa's cache sees only the source of this class: the encoder, our helpers and the knowledge count as well."""
        digest = hashlib.sha256(encoder.fingerprint().encode())
        for source in sorted(Path(__file__).parent.glob("*.py")):
            digest.update(source.read_bytes())
        for sentence in knowledge.sentences(Path({**TopicClassifier.get_default_config(), **config}["knowledge"])):
            digest.update(repr(sentence).encode())
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
            trained, speller = Kernel.load(folder), Speller.load(folder)
        # The first student must not wait for the weights.
        encoder.encode(["bonjour"])
        return cls(config, model_storage, resource, trained, speller)

    def train(self, training_data: TrainingData) -> Resource:
        phrases = [(m.get(TEXT), m.get_full_intent()) for m in training_data.intent_examples if m.get(TEXT)]
        known = {label for _, label in phrases}
        told = [s for s in knowledge.sentences(Path(self._config["knowledge"])) if s.label in known]
        texts = [text for text, _ in phrases] + [sentence.text for sentence in told]
        keep = os.environ.get("ACCUEIL_VECTORS")
        self._kernel = kernel.fit(
            vectors.kept_vectors(texts, Path(keep) / "phrases" if keep else None, _say),
            [label for _, label in phrases] + [sentence.label for sentence in told],
            np.array([1.0] * len(phrases) + [sentence.trust for sentence in told], dtype=np.float32),
            phrases=len(phrases),
            width=self._config["width"],
            ridge=self._config["ridge"],
            invert=_invert,
        )
        self._speller = Speller.learn(texts)
        with self._model_storage.write_to(self._resource) as folder:
            self._kernel.save(folder)
            self._speller.save(folder)
        _say(f"{len(known)} labels; {self._kernel.left_out:.1%} of {len(phrases)} phrases recognised when left out")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """A text that begins with "/" names its intent itself: it is left to Rasa's RegexMessageHandler."""
        plain = [message for message in messages if (message.get(TEXT) or "").strip()[:1] not in ("", "/")]
        if self._kernel is None or not plain:
            return messages
        found = self._kernel.best(encoder.encode([self._speller.repair(message.get(TEXT)) for message in plain]), BEST)
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


def _invert(matrix: kernel.Floats) -> kernel.Floats:
    """By Cholesky, a third of the time of the general way for 7,000 texts. Raises ValueError when it is singular."""
    factor, failed = lapack.spotrf(matrix, lower=1)
    inverse, failed_too = lapack.spotri(factor, lower=1)
    if failed or failed_too:
        raise ValueError("The kernel matrix is singular: raise `ridge` in config.yml.")
    return np.tril(inverse) + np.tril(inverse, -1).T


def _as_intent(label: str, confidence: float) -> dict[str, Any]:
    return {INTENT_NAME_KEY: label.partition("/")[0], PREDICTED_CONFIDENCE_KEY: confidence}


def _say(line: str) -> None:
    """Progress for `accueil train`, which shows the lines that begin so."""
    print(f"accueil: {line}", flush=True)
