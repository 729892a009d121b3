"""A small task for training."""

from tests.small_network import small, weights_of

__all__ = ["small", "weights_of"]
