"""What the page may send: nothing else, nothing longer, no other type."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from graticule.record.events import MAX_NAME, MAX_TEXT
from graticule.review.desk import MAX_BULK
from graticule.review.web.bodies import BulkBody, EventBody, Query, SignBody

EVENT = {"client_id": "1", "action": "label", "image": "a" * 64, "value": "x"}
IMAGE = {"id": "a" * 64, "client_id": "1"}


def test_a_decision_is_blind_unless_it_says_otherwise() -> None:
    assert EventBody.model_validate(EVENT).blind
    assert EventBody.model_validate(EVENT | {"seconds": 1, "who": "ann", "value": None}).who == "ann"


@pytest.mark.parametrize(
    "fault",
    [
        {"client_id": ""},
        {"client_id": "x" * (MAX_NAME + 1)},
        {"action": "sign"},
        {"image": "A" * 64},
        {"image": "a" * 63},
        {"reason": "x" * (MAX_TEXT + 1)},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": "3"},
        {"blind": 1},
        {"who": 7},
        {"more": None},
    ],
)
def test_a_faulty_decision_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EventBody.model_validate(EVENT | fault)


@pytest.mark.parametrize("n", [0, MAX_BULK + 1])
def test_many_images_are_some_and_not_too_many(n: int) -> None:
    assert len(BulkBody.model_validate({"value": "x", "images": [IMAGE] * MAX_BULK}).images) == MAX_BULK
    with pytest.raises(ValidationError):
        BulkBody.model_validate({"value": "x", "images": [IMAGE] * n})


def test_a_signature_has_one_of_the_scopes() -> None:
    body = {"batch": "Monday", "meaning": "reviewed", "scope": "mine"}
    assert SignBody.model_validate(body).scope == "mine"
    with pytest.raises(ValidationError):
        SignBody.model_validate(body | {"scope": "everything"})


def test_filters_have_the_names_of_an_address() -> None:
    asked = Query.model_validate({"class": "a", "min": "0.25", "max": "0.5"})
    assert (asked.kind, asked.label, asked.group, asked.low, asked.high) == ("needed", "a", "", 0.25, 0.5)
