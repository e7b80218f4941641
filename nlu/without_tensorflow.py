"""Rasa without TensorFlow: its modules import it to define DIET and TED, which we do not use.

Importing TensorFlow takes 370 MB and half of Rasa's start. Here its names exist as empty classes: enough for `class
Layer(tf.keras.layers.Layer)` and `@tf.function` when Rasa's modules are read, and an error as soon as one is used.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

ABSENT = frozenset({"tensorflow", "tensorflow_hub", "keras", "matplotlib"})


class _Names(type):
    """Attributes of an empty class are empty classes."""

    def __getattr__(cls, name: str) -> Any:
        return _empty(name)


def _empty(name: str) -> type:
    """A class that can be inherited from, named in annotations, and used as a decorator; nothing more."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Names(name, (), {"__init__": _accept, "__call__": _decorate})


def _accept(self: object, *args: Any, **kwargs: Any) -> None:
    pass


def _decorate(self: object, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and callable(args[0]) and not kwargs:
        return args[0]
    raise RuntimeError("This engine has no TensorFlow: DIET, TED and ResponseSelector cannot be used (config.yml).")


class _Module(types.ModuleType):
    __path__: list[str] = []  # noqa: RUF012 - the import system reads it here

    def __getattr__(self, name: str) -> Any:
        return _empty(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in ABSENT:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def install() -> None:
    """To be called before the first import of rasa."""
    sys.meta_path.insert(0, _Finder())
