"""Accepted synthetic images train, refused ones never, all others when that is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.arrays import object_array
from graticule.errors import ManifestError
from graticule.manifest import Manifest
from graticule.split.gate import admitted, gates_of


def made(*gates: str) -> Manifest:
    """Two real images and a synthetic one per word of the gate, "-" for none."""
    n = len(gates)
    columns = {
        "origin": object_array(["real", "", *["synthetic"] * n]),
        "gate": object_array(["", "accepted", *(gate.strip("-") for gate in gates)]),
    }
    return Manifest(Path("/d"), object_array([f"{i}" for i in range(n + 2)]), object_array(["a"] * (n + 2)), columns)


def test_nothing_is_said_where_nothing_is_synthetic() -> None:
    real = made()
    assert admitted(real, allow_unproven=False) == (real, [])
    assert gates_of(real) == {}


def test_refused_images_are_left_out_and_accepted_ones_are_told_to_be_no_copies() -> None:
    data = made("accepted", "refused", "accepted")
    kept, notes = admitted(data, allow_unproven=False)
    assert kept.path.tolist() == ["0", "1", "2", "4"]
    assert "1 synthetic images were left out" in notes[0]
    assert "2 synthetic images are not copies" in notes[1]
    assert "(accepted: 2)" in notes[1]
    assert "was not tested" in notes[1]
    assert "anonym" not in "".join(notes)
    assert gates_of(kept) == {"accepted": 2}


@pytest.mark.parametrize("gate", ["no gain shown", "use not tested", "-"])
def test_others_must_be_allowed(gate: str) -> None:
    data, word = made("accepted", gate, "refused"), gate if gate != "-" else "no gate"
    with pytest.raises(ManifestError, match=rf"1 of 3 .*\({word}: 1\).*--check.*--allow-unproven"):
        admitted(data, allow_unproven=False)
    kept, _ = admitted(data, allow_unproven=True)
    assert gates_of(kept) == {"accepted": 1, word: 1}


def test_allowing_them_lets_no_refused_image_in() -> None:
    with pytest.raises(ManifestError, match="all 2 synthetic images were refused"):
        admitted(made("refused", "refused"), allow_unproven=True)


def test_a_table_without_the_column_has_no_gate() -> None:
    data = made("-", "-")
    del data.columns["gate"]
    assert gates_of(data) == {"no gate": 2}
    assert len(admitted(data, allow_unproven=True)[0]) == 4
