"""The training images most like one of them, class by class: neither itself, a copy, nor one of its group."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.decide.test_novelty import fitted

from graticule.bundle import Bundle
from graticule.review.nearest import N_NEAREST, NearestOfClasses, groups_of

NAMES = ["k0", "k1", "k2", "k3"]


@pytest.fixture(scope="module")
def bundle() -> Any:
    """The reference of 4 x 40 images: number i is of class i // 40, and 1 is a copy of 0."""
    novelty, features, y = fitted(n=40)
    features[1] = features[0]
    pixels = np.tile(np.arange(len(y), dtype=np.uint8)[:, None], (1, 32))
    pixels[1] = pixels[0]
    paths = "\n".join(f"{i:03d}.png" for i in range(len(y)))
    reference = {
        "features": features.astype(np.float16),
        "class": y.astype(np.int32),
        "paths": np.frombuffer(paths.encode(), np.uint8),
        "pixel_sha256": pixels,
        **novelty.pack(),
    }
    return SimpleNamespace(info=SimpleNamespace(classes=NAMES), reference=reference)


def asked(bundle: Any, path: str, groups: dict[str, str]) -> list[list[str]]:
    own = {f"{i:03d}.png": groups.get(f"{i:03d}.png", "") for i in range(160)}
    return NearestOfClasses(bundle, None, own)(Path(path), path, ["k0", "k2"])  # type: ignore[arg-type]


def test_each_class_gives_its_own_without_the_image_and_its_copies(bundle: Bundle) -> None:
    first, other = asked(bundle, "000.png", {})
    assert len(first) == len(other) == N_NEAREST
    assert {int(path[:3]) // 40 for path in first} == {0}
    assert {int(path[:3]) // 40 for path in other} == {2}
    assert not {"000.png", "001.png"} & set(first)


def test_images_of_the_own_group_are_passed_over(bundle: Bundle) -> None:
    near = asked(bundle, "000.png", {})[0]
    left = asked(bundle, "000.png", dict.fromkeys(["000.png", *near[:2]], "slide 1"))[0]
    assert left[:2] == near[2:]
    assert not set(near[:2]) & set(left)
    whole_class = {f"{i:03d}.png": "slide 1" for i in range(40)}
    assert asked(bundle, "000.png", whole_class)[0] == []


def test_a_bundle_without_the_space_or_paths_cannot_be_asked(bundle: Any) -> None:
    assert NearestOfClasses.possible(bundle)
    lacking = {name: value for name, value in bundle.reference.items() if name != "paths"}
    assert not NearestOfClasses.possible(SimpleNamespace(reference=lacking))  # type: ignore[arg-type]
    plain = {"features": bundle.reference["features"], "paths": bundle.reference["paths"]}
    assert not NearestOfClasses.possible(SimpleNamespace(reference=plain))  # type: ignore[arg-type]


def test_groups_stand_under_escaped_paths() -> None:
    assert groups_of(["a\nb.png", "c.png"], ["g", ""]) == {"a\\x0ab.png": "g", "c.png": ""}
    assert groups_of(["a.png"], None) == {"a.png": ""}
    with pytest.raises(ValueError, match="shorter"):
        groups_of(["a.png", "b.png"], ["g"])
