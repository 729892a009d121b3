"""The ledger: masks that follow the store, event by event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graticule.record.events import EventDraft
from graticule.record.store import LabelStore
from graticule.review.ledger import Ledger

Make = Callable[..., EventDraft]
N = 4


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with LabelStore.open(str(tmp_path / "labels.db")) as opened:
        yield opened


@pytest.fixture
def ledger(store: LabelStore, image: Callable[[int], str]) -> Ledger:
    """Of images 0 to 3."""
    return Ledger(store, [image(i) for i in range(N)])


def test_decisions_disagreement_verdict_and_undo(store: LabelStore, ledger: Ledger, draft: Make) -> None:
    ledger.add(store.append(draft(1)))
    assert ledger.readers.tolist() == [0, 1, 0, 0]
    assert not ledger.differ.any()
    ledger.add(store.append(draft(1, "bob", value="b")))
    assert ledger.open_disagreements.tolist() == [False, True, False, False]
    assert ledger.of("bob").tolist() == ledger.of("ann").tolist() == [False, True, False, False]
    ledger.add(store.append(draft(1, "eve", "adjudicate", "b", reason="seen again")))
    assert ledger.settled.tolist() == [False, True, False, False]
    assert not ledger.open_disagreements.any()
    ledger.add(store.append(draft(1, "eve", "undo", None)))
    ledger.add(store.append(draft(1, "bob", "undo", None)))
    assert (ledger.readers[1], ledger.differ[1], ledger.of("bob")[1], ledger.touched[1]) == (1, False, False, True)
    assert ledger.decided.tolist() == [False, True, False, False]


def test_what_others_stored_in_between_is_read_from_the_store(store: LabelStore, ledger: Ledger, draft: Make) -> None:
    store.append(draft(0))
    last = store.append(draft(2))
    ledger.add(last)
    ledger.add(last)
    assert ledger.readers.tolist() == [1, 0, 1, 0]
    store.append(draft(3))
    ledger.refresh()
    assert ledger.readers.tolist() == [1, 0, 1, 1]


def test_a_ledger_made_later_says_the_same(store: LabelStore, ledger: Ledger, draft: Make) -> None:
    for made in (draft(0), draft(0, "bob", value="b"), draft(3, action="novel", value=None), draft(77)):
        ledger.add(store.append(made))
    again = Ledger(store, [draft(i).image_sha256 or "" for i in range(N)])
    for name in ("readers", "settled", "differ", "touched", "decided"):
        assert getattr(again, name).tolist() == getattr(ledger, name).tolist()
    assert again.place(draft(77).image_sha256 or "") is None
    assert again.state(draft(77).image_sha256 or "").decisions() == []
    assert [event.who for event in again.state(draft(0).image_sha256 or "").decisions()] == ["ann", "bob"]
