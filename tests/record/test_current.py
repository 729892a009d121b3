"""What holds now: per person, agreed over persons, after changes, deletions, undoing and adjudication."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from graticule.errors import LabelStoreError
from graticule.record.current import Agreed, ImageState, agreed, complete, image_states
from graticule.record.events import DOUBTFUL, NOVEL, Event, EventDraft, check_draft
from graticule.record.numbers import Quantity

IMAGE = "ab" * 32


class Record:
    """Events without a database, by the rules of the store."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, who: str, action: str, value: str | None = None, *, image: str = IMAGE, **more: object) -> Event:
        draft = EventDraft(who, action, image, f"{image[:2]}.png", new_value=value, **more)  # type: ignore[arg-type]
        check_draft(draft)
        filled = complete(draft, image_states(self.events).get(image, ImageState()))
        known = {name: getattr(draft, name) for name in EventDraft.__dataclass_fields__}
        event = Event(**known | vars(filled), seq=len(self.events) + 1, format=1, time="", prev_hash="", hash="")
        self.events.append(event)
        return event

    def decision(self, who: str, image: str = IMAGE) -> Event | None:
        """The decision of a person that stands."""
        state = image_states(self.events).get(image, ImageState())
        return next((event for event in state.decisions() if event.who == who), None)

    def says(self, who: str) -> str | None:
        found = self.decision(who)
        return None if found is None else found.new_value

    def agreed(self, min_people: int = 1) -> Agreed:
        """What persons say together of the image."""
        return agreed(IMAGE, image_states(self.events)[IMAGE], min_people=min_people)


@pytest.fixture
def record() -> Record:
    """An empty record."""
    return Record()


def test_label_change_delete(record: Record) -> None:
    record.add("ann", "label", "a")
    change = record.add("ann", "change", "b", reason="slip")
    assert (change.old_value, change.new_value) == ("a", "b")
    assert record.says("ann") == "b"
    deletion = record.add("ann", "delete", reason="wrong image")
    assert (deletion.old_value, deletion.new_value) == ("b", None)
    assert record.says("ann") is None
    assert not record.agreed().decisions
    record.add("ann", "label", "c")
    assert record.says("ann") == "c"


def test_what_has_no_reason_or_no_ground_is_refused(record: Record) -> None:
    for action in ("change", "delete"):
        with pytest.raises(LabelStoreError, match="nothing to"):
            record.add("ann", action, "b" if action == "change" else None, reason="r")
    with pytest.raises(LabelStoreError, match="nothing to undo"):
        record.add("ann", "undo")
    record.add("ann", "label", "a")
    with pytest.raises(LabelStoreError, match="use the action change"):
        record.add("ann", "label", "b")
    for action in ("doubtful", "novel"):
        with pytest.raises(LabelStoreError, match="needs a reason"):
            record.add("ann", action)
    for action, value in (("change", "b"), ("delete", None), ("note", None)):
        for reason in (None, "", "  "):
            with pytest.raises(LabelStoreError, match="needs a reason"):
                record.add("ann", action, value, reason=reason)
    assert len(record.events) == 1


def test_undo_takes_back_one_decision_after_the_other(record: Record) -> None:
    record.add("ann", "label", "a")
    record.add("bob", "label", "x")
    record.add("ann", "change", "b", reason="r")
    record.add("ann", "novel", reason="r")
    record.add("ann", "note", reason="looks odd")
    undone = record.add("ann", "undo")
    assert (undone.refers_to, undone.old_value, undone.new_value) == (4, NOVEL, "b")
    assert undone.reason == "undo of event 4"
    assert record.says("ann") == "b"
    record.add("ann", "undo")
    record.add("ann", "undo")
    assert record.says("ann") is None
    assert record.says("bob") == "x"
    with pytest.raises(LabelStoreError, match="nothing to undo"):
        record.add("ann", "undo")


def test_undo_of_a_deletion_and_of_an_adjudication(record: Record) -> None:
    record.add("ann", "label", "a")
    record.add("ann", "delete", reason="r")
    record.add("ann", "undo")
    assert record.says("ann") == "a"
    record.add("ann", "adjudicate", "v")
    with pytest.raises(LabelStoreError, match=r"the last decision of 'ann' on 'ab.png' is event 4"):
        record.add("ann", "undo", refers_to=1)
    record.add("ann", "undo", refers_to=4)
    assert record.agreed().value == "a"


def test_agreement_disagreement_adjudication(record: Record) -> None:
    record.add("ann", "label", "a")
    assert record.agreed().by == "one person"
    assert record.agreed(min_people=2).value is None
    record.add("bob", "label", "a")
    assert record.agreed(min_people=2).by == "agreement"
    record.add("bob", "change", "b", reason="r")
    found = record.agreed()
    assert (found.value, found.by) == (None, "disagreement")
    record.add("eve", "adjudicate", "b")
    found = record.agreed()
    assert (found.value, found.by, len(found.decisions)) == ("b", "adjudication", 2)
    record.add("ann", "change", "c", reason="r")
    assert record.agreed().value == "b"
    with pytest.raises(LabelStoreError, match="needs a reason"):
        record.add("dan", "adjudicate", "a")
    assert record.add("dan", "adjudicate", "a", reason="r").old_value == "b"
    assert record.agreed().value == "a"


def test_doubt_is_a_decision(record: Record) -> None:
    record.add("ann", "doubtful")
    assert record.agreed().value == DOUBTFUL
    record.add("bob", "label", "a")
    assert record.agreed().by == "disagreement"


def test_bulk_is_told_only_where_nothing_else_stands_behind(record: Record) -> None:
    record.add("ann", "label", "a", bulk=True)
    assert record.agreed().bulk
    record.add("bob", "label", "a")
    assert not record.agreed().bulk


@pytest.mark.parametrize("seed", range(20))
def test_old_and_new_values_form_a_chain_for_each_person(seed: int) -> None:
    """Random decisions: each event's old value is what held before it, its new value what holds after."""
    chance, record = random.Random(seed), Record()
    images = ["ab" * 32, "cd" * 32]
    for _ in range(80):
        who, image = chance.choice(["ann", "bob"]), chance.choice(images)
        before = record.decision(who, image)
        action = chance.choice(["label", "change", "delete", "undo", "doubtful", "novel", "note", "import"])
        value = chance.choice("abc") if action in ("label", "change", "import") else None
        try:
            event = record.add(who, action, value, image=image, reason=None if action == "label" else "r")
        except LabelStoreError:
            continue
        after = record.decision(who, image)
        if action == "note":
            assert before == after
            continue
        assert event.old_value == (before.new_value if before else None)
        assert event.new_value == (after.new_value if after else None)
    assert len(record.events) > 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"who": " "}, "who is empty"),
        ({"who": "a\nb"}, "who holds a line break"),
        ({"who": "x" * 201}, "201 characters"),
        ({"action": "drop"}, "action 'drop': allowed are label, change"),
        ({"image_sha256": "AB" * 32}, "64 lower-case"),
        ({"image_sha256": None}, "64 lower-case"),
        ({"path": None}, "path of the image is missing"),
        ({"path": "a\udc80.png"}, "use escape_path"),
        ({"new_value": None}, "must name a class"),
        ({"new_value": ""}, "must name a class"),
        ({"new_value": "a/b"}, "class name with '/'"),
        ({"new_value": " a"}, "white space before or after"),
        ({"new_value": "a\tb"}, "control character"),
        ({"action": "doubtful"}, "given by the action doubtful"),
        ({"reason": "a\0b"}, "zero byte"),
        ({"seconds": float("nan")}, "numbers from 0"),
        ({"seconds": -1}, "numbers from 0"),
        ({"sampling_prob": 0.0}, "above 0 and up to 1"),
        ({"sampling_prob": 1.01}, "above 0 and up to 1"),
        ({"slot": 0}, "whole numbers from 1"),
        ({"slot": True}, "whole numbers from 1"),
        ({"blind": 1}, "neither true nor false"),
        ({"client_id": ""}, "client_id is empty"),
        ({"action": "sign"}, "not about one image"),
    ],
)
def test_faulty_drafts_are_refused(change: dict[str, object], message: str) -> None:
    fine = EventDraft("ann", "label", IMAGE, "a.png", new_value="a", reason="two\nlines", seconds=1, sampling_prob=1)
    check_draft(fine)
    with pytest.raises(LabelStoreError, match=message):
        check_draft(replace(fine, **change))  # type: ignore[arg-type]


def test_numbers_of_two_persons_agree_within_the_tolerance(record: Record) -> None:
    size = Quantity("size", "nm")
    record.add("ann", "label", size.text(10))
    record.add("bob", "label", size.text(11))
    state = image_states(record.events)[IMAGE]
    assert agreed(IMAGE, state).by == "disagreement"
    found = agreed(IMAGE, state, tolerance=1.0)
    assert (found.value, found.by) == (size.text(10.5), "agreement")
    record.add("cyd", "doubtful")
    state = image_states(record.events)[IMAGE]
    assert agreed(IMAGE, state, tolerance=99.0).by == "disagreement"
    record.add("cyd", "adjudicate", size.text(12))
    state = image_states(record.events)[IMAGE]
    assert agreed(IMAGE, state).value == size.text(12)


def test_messages_name_numbers_in_words(record: Record) -> None:
    size = Quantity("size", "nm")
    record.add("ann", "label", size.text(10))
    with pytest.raises(LabelStoreError, match=r"'10 nm' on 'ab\.png' would be replaced by '/doubtful'"):
        record.add("ann", "doubtful")
    with pytest.raises(LabelStoreError, match="already, as '10 nm'; use the action change"):
        record.add("ann", "label", size.text(12))
