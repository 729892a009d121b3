"""Numbers on the record: how they are written and read back, what may be typed, and what several persons say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from graticule.errors import LabelStoreError, OptionError
from graticule.record.events import EventDraft, check_draft
from graticule.record.numbers import Quantity, check_quantity, in_words, mean_of, number_said, quantity_of
from graticule.record.store import LabelStore

DIAMETER = Quantity("diameter", "µm")
IMAGE = "0" * 64


@pytest.mark.parametrize("value", [12.5, 0.0, -0.0, 1e-300, 0.1 + 0.2, 7, -3.25, 1.7976931348623157e308])
def test_a_number_comes_back_as_it_was_written(value: float) -> None:
    said = number_said(DIAMETER.text(value))
    assert said is not None
    assert (said.quantity, said.value) == (DIAMETER, value)
    assert DIAMETER.text(said.value) == DIAMETER.text(value)
    check_draft(EventDraft("ann", "label", IMAGE, "a.png", new_value=DIAMETER.text(value)))


def test_equal_numbers_have_one_text_and_other_quantities_another() -> None:
    assert DIAMETER.text(0.0) == DIAMETER.text(-0.0)
    assert len({quantity.text(1) for quantity in (DIAMETER, Quantity("diameter"), Quantity("count", "µm"))}) == 3


def test_words_are_for_people() -> None:
    assert [in_words(value) for value in (DIAMETER.text(12), DIAMETER.text(0.1), "basophil", None)] == [
        "12 µm",
        "0.1 µm",
        "basophil",
        "",
    ]
    assert (in_words(Quantity("count").text(12)), str(DIAMETER), str(Quantity("count"))) == (
        "12",
        "diameter in µm",
        "count",
    )


@pytest.mark.parametrize(
    "text",
    [
        "/number 12",
        "/number {}",
        '/number {"target": "diameter", "unit": "µm", "value": NaN}',
        '/number {"target": "diameter", "unit": "µm", "value": Infinity}',
        '/number {"target": "diameter", "unit": "µm", "value": "12"}',
        '/number {"target": "", "unit": "µm", "value": 12.0}',
        '/number {"unit": "µm", "target": "diameter", "value": 12.0}',
        '/number {"target": "diameter", "unit": "µm", "value": 12.0, "more": 1}',
    ],
)
def test_what_only_begins_like_a_number_is_not_stored(text: str) -> None:
    with pytest.raises(LabelStoreError, match="no number that the record can hold"):
        check_draft(EventDraft("ann", "label", IMAGE, "a.png", new_value=text))


@pytest.mark.parametrize(
    ("text", "value"), [("12.5", 12.5), (" 1e2 ", 100.0), ("12 µm", 12.0), ("12μm", 12.0), ("-0", 0.0), (".5", 0.5)]
)
def test_what_is_typed_is_read_with_or_without_its_unit(text: str, value: float) -> None:
    assert DIAMETER.typed(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("twelve", "'twelve' is no number: diameter is a number in µm from 0 to 100"),
        ("", "is no number"),
        ("12,5", "decimal point, not a comma"),
        ("nan", "is NaN"),
        ("inf", "is infinite"),
        ("1e999", "is infinite"),
        ("-1", "-1 µm is not possible: diameter is a number in µm from 0 to 100"),
        ("100.1", "100.1 µm is not possible"),
        ("12 nm", "has the unit nm: .* give it in µm, not in nm"),
        ("12 %", "has the unit %"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(text: str, why: str) -> None:
    with pytest.raises(LabelStoreError, match=why):
        DIAMETER.typed(text, 0.0, 100.0)


def test_a_bound_alone_is_named_and_no_unit_is_wanted_where_there_is_none() -> None:
    with pytest.raises(LabelStoreError, match="a number of at least 0; give it without a unit"):
        Quantity("count").typed("3 nm", 0.0)
    with pytest.raises(LabelStoreError, match="a number of at most 5"):
        Quantity("count").typed("6", None, 5.0)


def test_numbers_up_to_the_tolerance_apart_have_a_mean() -> None:
    numbers = [number_said(DIAMETER.text(value)) for value in (12.5, 12.6)]
    known = [number for number in numbers if number is not None]
    assert mean_of(known, 0.1) == DIAMETER.text(12.55)
    assert mean_of(known, 0.09) is None
    assert mean_of(known, 0.0) is None
    assert mean_of(known[:1], 0.0) == DIAMETER.text(12.5)


def test_a_record_is_of_one_kind() -> None:
    assert quantity_of([DIAMETER.text(1), DIAMETER.text(2)]) == DIAMETER
    assert quantity_of(["a", "b"]) is quantity_of([]) is None
    with pytest.raises(LabelStoreError, match="holds classes and numbers of diameter in µm"):
        quantity_of(["a", DIAMETER.text(2)])


def test_a_column_that_an_export_writes_itself_is_refused() -> None:
    check_quantity(DIAMETER)
    with pytest.raises(OptionError, match="column 'people' cannot be reviewed"):
        check_quantity(Quantity("people"))


def test_a_store_tells_what_it_holds(store: LabelStore, draft: Callable[..., EventDraft]) -> None:
    store.check_holds(None)
    store.check_holds(DIAMETER)
    event = store.append(draft(1, value=DIAMETER.text(12.5)))
    store.append(draft(1, action="doubtful", value=None, reason="blurred"))
    assert (event.new_value, store.classes()) == (DIAMETER.text(12.5), [])
    store.check_holds(DIAMETER)
    with pytest.raises(LabelStoreError, match="holds numbers of diameter in µm, and this is about classes"):
        store.check_holds(None)
    with pytest.raises(LabelStoreError, match="this is about numbers of diameter in nm: name another --labels"):
        store.check_holds(Quantity("diameter", "nm"))
    assert store.verify().sound
