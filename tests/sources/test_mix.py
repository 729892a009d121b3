"""A mix of classes is read from amounts in order, amounts by name, or a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from graticule.errors import OptionError
from graticule.sources.mix import mix_of, read_mix

CLASSES = ("air", "oil, silicone", "protein=x")


@pytest.mark.parametrize(
    "asked",
    [
        "500:5e2:500000",
        "protein=x=500000,air=500,oil, silicone=500",
        " oil, silicone=500,protein=x=500000.0,air=500 ",
    ],
)
def test_order_or_names_give_one_mix_whatever_signs_a_name_holds(asked: str) -> None:
    assert read_mix(asked, CLASSES).tolist() == [500.0, 500.0, 500000.0]


def test_a_table_gives_shares_and_a_class_may_be_absent(tmp_path: Path) -> None:
    file = tmp_path / "mix=1.csv"
    file.write_text("class,share\nb,0.25\na,0\n")
    assert read_mix(str(file), "ab").tolist() == [0.0, 0.25]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("500:500", r"2 amounts for 3 classes; in their order these are air, oil, silicone, protein=x"),
        ("air=1,oil, silicone=2", "lacks protein=x"),
        ("air=1,oil, silicone=2,protein=x=1,dust=3", "names dust, which the model does not know"),
        ("air=1,air=2", "class 'air' is named twice"),
        ("air=1;oil, silicone=2", r"'air=1;oil, silicone=2' is no name=number\. Allowed are amounts such as air=1,"),
        ("air=-1", "is no name=number"),
        ("0:0:0", "not all of them 0"),
        ("1:2:1e999", "numbers from 0 on"),
        ("nowhere.csv", "nowhere.csv cannot be read"),
    ],
)
def test_what_is_no_mix_is_one_message(asked: str, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        read_mix(asked, CLASSES)


def test_classes_must_be_the_models() -> None:
    assert mix_of({"a": 3, "b": 1}, "ab").tolist() == [3.0, 1.0]
    with pytest.raises(OptionError, match="lacks b and names c"):
        mix_of({"a": 1, "c": 1}, "ab")
    with pytest.raises(OptionError, match="numbers from 0 on"):
        mix_of({"a": -1, "b": 2}, "ab")
