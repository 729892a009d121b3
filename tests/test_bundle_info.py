"""bundle.json field by field: the order in the file, and what is no model."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.test_bundle import INFO

from graticule.bundle_info import BundleInfo, ValueBundleInfo

SHARED = {
    name: value
    for name, value in INFO.model_dump().items()
    if name not in ("classes", "calibration", "thresholds", "task")
}
OF_NUMBER: dict[str, Any] = SHARED | {
    "task": "regression",
    "target": "fraction",
    "unit": "",
    "scale": "linear",
    "bounds": [0.0, None],
    "per_pixel_size": False,
    "trained_on": [0.1, 0.9],
}


def test_fields_stand_in_the_file_as_ever() -> None:
    assert list(BundleInfo.model_fields)[:5] == ["schema_version", "task", "graticule_version", "classes", "backbone"]
    assert list(BundleInfo.model_fields)[-2:] == ["calibration", "thresholds"]
    assert not {"classes", "calibration", "thresholds"} & set(ValueBundleInfo.model_fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bounds", [0.0]),
        ("bounds", [0.0, float("inf")]),
        ("scale", "square"),
        ("target", ""),
        ("trained_on", [0.1, float("nan")]),
        ("classes", ["a", "b"]),
        ("unit", "a\nb"),
    ],
)
def test_what_is_no_model_of_a_number(field: str, value: Any) -> None:
    assert ValueBundleInfo.model_validate(OF_NUMBER).bounds == [0.0, None]
    with pytest.raises(ValidationError):
        ValueBundleInfo.model_validate(OF_NUMBER | {field: value})
