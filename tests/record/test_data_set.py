"""Agreed labels in a data set: in the place of its own where the file is the one that was labelled."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from graticule.record.data_set import join
from graticule.record.events import DOUBTFUL, NOVEL
from graticule.record.numbers import Quantity


def data(folder: Path, *, chance: str = "") -> Path:
    """Five files with a label and a day each; returns their table."""
    rows = ["path,label,day" + (",sampling_prob" if chance else "")]
    for name in "abcde":
        (folder / f"{name}.png").write_text(name)
        rows.append(f"{name}.png,own,day {name}" + (f",{chance}" if chance else ""))
    table = folder / "table.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def decided(name: str, label: str) -> dict[str, Any]:
    """A row of the record on a file that holds its own name."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return {"path": f"{name}.png", "label": label, "sha256": sha256, "sampling_prob": 0.1, "people": 1}


def test_the_record_wins_and_what_nobody_may_train_on_is_left_out(tmp_path: Path) -> None:
    rows = [decided("a", "new"), decided("b", DOUBTFUL), decided("c", NOVEL), decided("z", "elsewhere")]
    columns, joined, failures = join(data(tmp_path), None, rows, [decided("d", "open")])
    told = [(row["path"], row["label"], row["label_from"]) for row in joined]
    assert told == [("a.png", "new", "record"), ("e.png", "own", "data"), ("z.png", "elsewhere", "record")]
    assert [row.get("day") for row in joined] == ["day a", "day e", None]
    assert columns[-2:] == ("label_from", "day")
    assert failures == []


def test_an_image_of_the_data_set_keeps_the_chance_that_the_data_set_gives(tmp_path: Path) -> None:
    _, joined, _ = join(data(tmp_path), None, [decided("a", "new")], [])
    assert {row["sampling_prob"] for row in joined} == {"1"}
    _, joined, _ = join(data(tmp_path, chance="0.5"), None, [decided("a", "new")], [])
    assert {row["sampling_prob"] for row in joined} == {"0.5"}


def test_a_file_that_is_another_one_by_now_keeps_its_label(tmp_path: Path) -> None:
    table = data(tmp_path)
    (tmp_path / "a.png").write_text("other pixels")
    _, joined, failures = join(table, None, [decided("a", "new"), decided("b", "new")], [])
    assert [row["label"] for row in joined[:2]] == ["own", "new"]
    assert failures == [("a.png", "the file is not the one that was labelled; its label was kept")]


def test_numbers_take_the_place_of_the_data_s_own(tmp_path: Path) -> None:
    size = Quantity("size", "nm")
    rows = [f"{name}.png,{number},day {name}" for name, number in zip("abcd", ("1.5", "2.5", "", "4.5"), strict=True)]
    for name in "abcd":
        (tmp_path / f"{name}.png").write_text(name)
    (tmp_path / "table.csv").write_text("\n".join(["path,size,day", *rows]) + "\n")
    said = [
        decided("a", size.text(10)),
        decided("b", DOUBTFUL),
        decided("c", size.text(30)),
        decided("z", size.text(5)),
    ]
    columns, joined, failures = join(tmp_path / "table.csv", None, said, [], size)
    told = [(row["path"], row["size"], row["label_from"], row["unit"]) for row in joined]
    assert told == [
        ("a.png", "10", "record", "nm"),
        ("c.png", "30", "record", "nm"),
        ("d.png", "4.5", "data", "nm"),
        ("z.png", "5", "record", "nm"),
    ]
    assert columns == ("path", "size", "unit", "sampling_prob", "sha256", "bulk", "people", "agreed_by", "event",
                       "label_from", "day")  # fmt: skip
    assert [row["sampling_prob"] for row in joined] == ["1", "1", "1", 0.1]
    assert failures == []
