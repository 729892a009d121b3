"""Decisions gathered in one pass over the events, and the rows that an export writes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graticule.review.current import ImageState, agreed
from graticule.review.events import Event
from graticule.review.exports import label_rows, open_rows


@dataclass
class Collected:
    """What one pass over the events gathers: the decisions on each image, and where it was seen."""

    states: dict[str, ImageState] = field(default_factory=dict)
    paths: dict[str, dict[str, None]] = field(default_factory=dict)
    image_at: dict[str, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Take in the next event."""
        if event.image_sha256 is None or event.path is None:
            return
        self.states.setdefault(event.image_sha256, ImageState()).add(event)
        self.paths.setdefault(event.image_sha256, {})[event.path] = None
        # a file that was replaced by other pixels: only the image labelled last belongs to the path
        self.image_at[event.path] = event.image_sha256

    def rows(self, min_people: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of images with an agreed value, and of those without."""
        together = {image: agreed(image, state, min_people=min_people) for image, state in self.states.items()}
        together = {image: item for image, item in together.items() if item.decisions or item.verdict}
        paths = self._present_paths()
        return label_rows(together, paths), open_rows(together, paths)

    def _present_paths(self) -> dict[str, list[str]]:
        """The paths of each image at which no other image was labelled later."""
        return {image: [path for path in paths if self.image_at[path] == image] for image, paths in self.paths.items()}
