"""An event comes back from its row, and what no event may be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from graticule.errors import LabelStoreError
from graticule.record.events import COLUMNS, MAX_TEXT, Event, EventDraft, check_draft

SHA = "a" * 64


def draft(**changes: Any) -> EventDraft:
    return EventDraft(
        **({"who": "ann", "action": "label", "image_sha256": SHA, "path": "a.png", "new_value": "x"} | changes)
    )


def test_a_row_is_an_event_and_back() -> None:
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"seq": 1, "who": "ann", "action": "label", "blind": 1, "bulk": 0}
    event = Event.of(row)
    assert (event.blind, event.bulk) == (True, False)
    assert event.row() == row


def test_drafts_have_ids_of_their_own() -> None:
    assert draft().client_id != draft().client_id
    check_draft(draft())
    check_draft(draft(action="doubtful", new_value=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "guess"},
        {"who": ""},
        {"who": "a\nb"},
        {"image_sha256": "A" * 64},
        {"image_sha256": None},
        {"seconds": -1.0},
        {"sampling_prob": 0.0},
        {"reason": "x" * (MAX_TEXT + 1)},
        {"new_value": None},
    ],
)
def test_what_no_event_may_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LabelStoreError):
        check_draft(draft(**changes))
