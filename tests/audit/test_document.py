"""The document of an audit: checked when it is made, written key for key, read back as it was."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from graticule.audit.document import AuditDocument, CopyCounts, CopyFamily, FamilyCounts, LargestFamily, ShortcutRow

CUE = {"cue": "format", "class": "plate", "strength": 0.8, "low": None, "high": None, "measure": "cramers_v"}
CUE |= {"accuracy": 0.9, "accuracy_measure": "balanced accuracy", "chance": 0.5, "p_value": 0.001}
CUE |= {"nature": "acquisition", "advice": "Export alike."}


def test_the_json_has_the_keys_of_the_contract_in_their_order() -> None:
    document = AuditDocument(n=3, classes={"plate": 3}, shortcuts=(ShortcutRow.model_validate(CUE),))
    written = document.to_json()
    assert list(written)[:4] == ["verb", "graticule_version", "created_utc", "wall_time_s"]
    assert list(written)[-2:] == ["embedding", "recommendations"]
    assert written["shortcuts"] == [CUE]
    assert {"unreadable", "duplicates", "conflicts", "shortcuts", "leaks", "recommendations"} <= set(written)


def test_counts_of_copies_are_flat_as_they_always_were() -> None:
    counts = CopyCounts(n=2, images=5, near=2, two_labels=FamilyCounts(n=1, images=2, near=1))
    largest = LargestFamily(n=3, share=0.5, class_="plate")
    written = counts.model_copy(update={"largest": largest}).model_dump(mode="json", by_alias=True)
    assert list(written) == ["n", "images", "exact", "near", "two_labels", "largest", "notes"]
    assert written["largest"] == {"n": 3, "share": 0.5, "class": "plate"}


def test_what_was_written_is_read_back_as_it_was() -> None:
    document = AuditDocument(source="/data/a", warnings=("one", "two"), shortcuts=(ShortcutRow.model_validate(CUE),))
    again = AuditDocument.model_validate_json(json.dumps(document.to_json()))
    assert again == document


@pytest.mark.parametrize(
    "parts",
    [{"n": "many"}, {"shortcutz": []}, {"leaks": [{"kind": "group"}]}, {"recommendations": [{"harm": "grave"}]}],
)
def test_what_is_no_document_is_refused(parts: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AuditDocument.model_validate(parts)


def test_images_without_a_label_differ_from_none() -> None:
    def differs(*labels: str) -> bool:
        paths = tuple("abc"[: len(labels)])
        return CopyFamily(
            n=len(labels), kind="near", complete=True, paths=paths, labels=labels, similarity=0.9, changes=()
        ).differs

    assert differs("x", "y")
    assert not differs("x", "", "x")
