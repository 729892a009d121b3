"""A pool that decodes in this process."""

from tests.features.here import pool_here

__all__ = ["pool_here"]
