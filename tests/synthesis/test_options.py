"""Names of classes on the command line, with and without commas in them."""

import pytest

from graticule.synthesis.options import GeneratorOptions


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("oil,air", ["oil", "air"]),
        (" oil , air ", ["oil", "air"]),
        ('"oil, small",air', ["oil, small", "air"]),
        ("oil", ["oil"]),
        (None, []),
        ("", []),
    ],
)
def test_names_between_commas(given: str | None, names: list[str]) -> None:
    assert GeneratorOptions(classes=given).class_names() == names


def test_what_is_not_allowed_is_named() -> None:
    faults = GeneratorOptions(size=33, n=0, folds=1, turned="maybe").faults()
    assert [fault.split()[0] for fault in faults] == ["--n", "--size", "--folds", "--turned"]
