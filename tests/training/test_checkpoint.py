"""Checkpoints: bit for bit, whole or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.errors import TrainingError  # noqa: E402
from graticule.training.checkpoint import read_checkpoint, write_checkpoint  # noqa: E402


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tensors = {"a": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), "n": torch.tensor(7)}
    write_checkpoint(tmp_path / "c", tensors, {"loss": 0.1 + 0.2, "best": float("inf"), "epoch": 3})
    return tmp_path / "c"


def test_what_is_written_is_read_bit_for_bit(file: Path) -> None:
    tensors, values = read_checkpoint(file)
    assert torch.equal(tensors["a"], torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    assert int(tensors["n"]) == 7
    assert values == {"loss": 0.1 + 0.2, "best": float("inf"), "epoch": 3}
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("kept", [0, 10, 40, -1])
def test_a_truncated_checkpoint_is_refused(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(TrainingError, match="truncated or was altered"):
        read_checkpoint(file)


def test_an_altered_checkpoint_is_refused_wherever_the_bit_is(file: Path) -> None:
    data = file.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 40)):
        altered = bytearray(data)
        altered[place] ^= 4
        file.write_bytes(bytes(altered))
        with pytest.raises(TrainingError, match="truncated or was altered"):
            read_checkpoint(file)
