"""Which samples an evaluation scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.arrays import object_array
from graticule.errors import ManifestError
from graticule.manifest import Manifest
from graticule.split.scored_part import synthetic_notes, to_score


def manifest(label: list[str], origin: list[str] | None = None) -> Manifest:
    columns = {} if origin is None else {"origin": object_array(origin)}
    return Manifest(Path("/data"), object_array([f"{i}.png" for i in range(len(label))]), object_array(label), columns)


def test_images_without_a_label_are_left_out_and_synthetic_ones_unless_asked_for() -> None:
    everything = manifest(["a", "", "b", "b"], ["real", "real", "real", "synthetic"])
    found, n_synthetic, n_picked = to_score(everything, ("a", "b"), synthetic=False)
    assert (found.path.tolist(), n_synthetic, n_picked) == (["0.png", "2.png"], 1, 0)
    assert to_score(everything, ("a", "b"), synthetic=True)[0].path.tolist() == ["0.png", "2.png", "3.png"]
    assert "left out" in synthetic_notes(1, evaluated=False)[0]
    assert synthetic_notes(0, evaluated=True) == []


@pytest.mark.parametrize(("label", "message"), [(["", ""], "no image is labelled"), (["a", "c"], "'c'.* are none of")])
def test_what_cannot_be_scored_is_refused(label: list[str], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        to_score(manifest(label), ("a", "b"), synthetic=False)
