"""Copies under two labels: families of any size are found where labels meet, look-alikes are not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tests.split.duplicates.test_families import copies
from tests.split.duplicates.test_find import Image, cell

from graticule.images.preprocess import Preprocessing
from graticule.label_errors.copies import copies_of

N, CLASSES = 90, 3


class Data:
    """Drawn cells with features like those of a network: a class, an own part, and a little noise for a copy."""

    def __init__(self, folder: Path) -> None:
        self.rng = np.random.default_rng(3)
        self.folder = folder
        self.images: list[Image] = [cell(self.rng) for _ in range(N)]
        self.y = [i % CLASSES for i in range(N)]
        self.source = list(range(N))
        self.own = list(np.abs(2.0 * np.eye(CLASSES, 48)[self.y] + self.rng.normal(size=(N, 48))))

    def add(self, source: int, labels: list[int], equal_to: int | None = None) -> None:
        """Altered copies of an image under these labels, or copies of an image with its pixels."""
        made = copies(self.images[source], len(labels), self.rng)
        self.images += made if equal_to is None else [self.images[equal_to]] * len(labels)
        self.y += labels
        self.source += [source] * len(labels)
        self.own += [np.abs(self.own[source] + 0.05 * self.rng.normal(size=48)) for _ in labels]

    def found(self) -> tuple[list[set[int]], list[tuple[int, int, float]]]:
        """Families of two and more, and the near-duplicates of families under two labels."""
        files = [self.folder / f"{i:03d}.png" for i in range(len(self.images))]
        for file, image in zip(files, self.images, strict=True):
            PIL.Image.fromarray(image).save(file, compress_level=1)
        hashes = np.array([list(hashlib.sha256(i.tobytes() + str(i.shape).encode()).digest()) for i in self.images])
        features = np.array(self.own, dtype=np.float32)
        family, near = copies_of(Preprocessing(64), features, hashes.astype(np.uint8), np.array(self.y), files)
        sets = [set(np.flatnonzero(family == k).tolist()) for k in range(int(family.max()) + 1)]
        return [members for members in sets if len(members) > 1], near


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def test_families_of_unequal_sizes_under_two_labels(data: Data) -> None:
    sizes = {0: 1, 10: 2, 20: 3, 41: 6, 62: 19}
    for source, size in sizes.items():
        other = (data.y[source] + 1) % CLASSES
        data.add(source, [other] + [data.y[source]] * (size - 1))
    families, near = data.found()
    of = np.array(data.source)
    assert len(families) == len(sizes)
    for members in families:
        assert len({int(of[i]) for i in members}) == 1
    whole = sum(len(members) for members in families)
    assert whole >= 0.95 * (sum(sizes.values()) + len(sizes))
    assert all(of[a] == of[b] and a < b and 0.0 < s <= 1.0 for a, b, s in near)
    # copies that share a label are told with their likeness too: no two of these images have the same pixels
    assert len({(a, b) for a, b, _ in near}) == sum(len(members) * (len(members) - 1) // 2 for members in families)


def test_a_family_as_large_as_a_class(data: Data) -> None:
    data.add(7, [data.y[7]] * 40 + [(data.y[7] + 1) % CLASSES] * 2)
    (members,), _ = data.found()
    assert {int(data.source[i]) for i in members} == {7}
    assert {N + 40, N + 41} < members


def test_equal_pixels_within_a_family_of_near_copies(data: Data) -> None:
    data.add(5, [(data.y[5] + 1) % CLASSES])
    data.add(5, [data.y[5]] * 2, equal_to=5)
    data.add(5, [(data.y[5] + 1) % CLASSES], equal_to=N)
    (members,), near = data.found()
    assert members == {5, N, N + 1, N + 2, N + 3}
    assert {(a, b) for a, b, _ in near} == {(5, N), (5, N + 3), (N, N + 1), (N, N + 2), (N + 1, N + 3), (N + 2, N + 3)}
    assert len({s for _, _, s in near}) == 1


def test_look_alikes_and_copies_under_one_label_are_none(data: Data) -> None:
    data.add(11, [data.y[11]] * 4)
    data.y[30] = (data.y[30] + 1) % CLASSES
    assert data.found() == ([], [])
