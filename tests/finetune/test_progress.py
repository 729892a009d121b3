"""What fine-tuning tells of the time it takes, and what it proposes when that is long."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.finetune import progress
from graticule.finetune.progress import Teller, duration
from graticule.progress import Silent
from graticule.training.state import EpochRecord


class Notes(Silent):
    """Keeps what is worth a line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def told(
    monkeypatch: pytest.MonkeyPatch, seconds: float, *, steps: int, freezable: int = 0, hung: float = 0.0
) -> list[str]:
    """Notes after 20 steps of so many seconds each, of `steps`, and a judged epoch; the fifth step hung for a while."""
    clock = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock)
    notes = Notes()
    teller = Teller(notes, steps, freezable)
    teller.fold(0, 5)
    for done in range(1, 21):
        clock += seconds + hung * (done == 5)
        teller.step(done, 40, 1.0)
    teller.epoch(EpochRecord(1, 0.9, {"loss": 0.5, "accuracy": 0.75}, 1e-3, 20 * seconds, 16.0))
    return notes.lines


def test_the_time_is_told_once_and_a_hanging_step_does_not_spoil_it(monkeypatch: pytest.MonkeyPatch) -> None:
    estimate, epoch = told(monkeypatch, 2.0, steps=320, hung=3600.0)
    assert estimate == "training will take about 10 min in all"
    assert epoch == (
        "fold 1 of 5, epoch 1: loss 0.900, validation loss 0.500, accuracy 75.0 %, 40 s, 16.0 images/s, "
        "about 10 min left"
    )


@pytest.mark.parametrize(("freezable", "proposed"), [(9, True), (0, False)])
def test_more_than_an_hour_brings_cheaper_proposals(
    monkeypatch: pytest.MonkeyPatch, freezable: int, proposed: bool
) -> None:
    estimate = told(monkeypatch, 2.0, steps=3620, freezable=freezable)[0]
    assert estimate.startswith("training will take about 2 h 0 min in all. Cheaper: ")
    assert ("--frozen-blocks 9 (the first half of the network keeps its weights)" in estimate) == proposed
    for words in ("--input-size", "--epochs", "--folds 1 --test-size 0.2", "--method features", "--resume"):
        assert words in estimate


def test_quick_steps_are_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [line for line in told(monkeypatch, 0.001, steps=100) if "will take" in line]
    assert [duration(s) for s in (40, 89, 90, 720, 5100)] == ["40 s", "89 s", "2 min", "12 min", "1 h 25 min"]
