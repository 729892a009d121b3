"""Stores of labels on both databases, and drafts to put into them."""

from tests.label_store import draft, image, postgresql, small, store, url

__all__ = ["draft", "image", "postgresql", "small", "store", "url"]
