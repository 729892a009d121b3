"""A folder of labelled images with their store, and drafts of decisions."""

from tests.label_folder import folder
from tests.label_store import draft

__all__ = ["draft", "folder"]
