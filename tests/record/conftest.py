"""Stores of labels on both databases, and drafts to put into them."""

from tests.label_folder import folder
from tests.label_store import draft, image, postgresql, small, store, url

__all__ = ["draft", "folder", "image", "postgresql", "small", "store", "url"]
