"""Sentence vectors for every language we serve: the one thing the engine and the project share.

A leaf: numpy and wheels that carry their weights, nothing of ours. Both environments import it, so that a vector
stored by one can be compared with a vector computed by the other (tests/contract/test_encoder.py).
"""

from encoder.sentences import DIMENSION, encode, fingerprint

__all__ = ["DIMENSION", "encode", "fingerprint"]
