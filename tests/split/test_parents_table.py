"""The table of parents: found beside the data or named, read from CSV or Parquet, faults told by row."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.arrays import object_array
from graticule.errors import ManifestError
from graticule.manifest import Manifest
from graticule.split.parents_table import read_parents

SHA = ["ab" * 32, "cd" * 32]


def data(generator: list[str] | None, origin: str = "synthetic") -> Manifest:
    n = 2 if generator is None else len(generator)
    columns = {"origin": object_array(["real", *[origin] * n])}
    if generator is not None:
        columns["generator"] = object_array(["", *generator])
    return Manifest(Path("/d"), object_array([f"{i}" for i in range(n + 1)]), object_array(["a"] * (n + 1)), columns)


def test_it_is_read_from_either_format_beside_a_table_or_in_the_folder(tmp_path: Path) -> None:
    rows = {"generator": ["g", "g", "h"], "sha256": [SHA[0], SHA[1].upper(), SHA[0]]}
    pq.write_table(pa.table(rows), tmp_path / "parents.parquet")
    (tmp_path / "other.csv").write_text(f"generator,sha256\nh,{SHA[1]}\n")
    whole = {"g": frozenset(SHA), "h": frozenset(SHA[:1])}
    assert read_parents(tmp_path / "samples.csv", data(["g", "h"]), "auto") == whole
    assert read_parents(tmp_path, data(["h", "h"]), "auto") == {"h": whole["h"]}
    assert read_parents(tmp_path, data(["h"]), str(tmp_path / "other.csv")) == {"h": frozenset(SHA[1:])}


def test_nothing_is_asked_where_nothing_is_synthetic_or_it_is_said_to_have_no_parents(tmp_path: Path) -> None:
    assert read_parents(tmp_path, data(None, origin="real"), "auto") is None
    assert read_parents(tmp_path, data(None), "none") is None


@pytest.mark.parametrize(
    ("text", "generator", "words"),
    [
        (None, ["g", "g"], "2 synthetic images .* do not say which real images .*--parents none"),
        ("", ["g"], "no header"),
        ("generator,hash\ng,1\n", ["g"], "missing column.*sha256"),
        ("generator,sha256\n", ["g"], "no row"),
        (f"generator,sha256\ng,12\n,{SHA[0]}\n", ["g"], r"64 hexadecimal digits \(1\).*line|row 2: '12'"),
        (f"generator,sha256\ng,{SHA[0]}\n", ["g", "x", ""], "2 of 3 .*'x' .1., none named .1..*it holds 'g'"),
        (f"generator,sha256\ng,{SHA[0]}\n", None, "none named .2."),
    ],
)
def test_what_is_missing_or_wrong_is_one_message(
    tmp_path: Path, text: str | None, generator: list[str] | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "parents.csv").write_text(text)
    with pytest.raises(ManifestError, match=f"(?s){words}"):
        read_parents(tmp_path, data(generator), "auto")


def test_a_table_that_is_named_and_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"cannot read .*gone\.csv"):
        read_parents(tmp_path, data(["g"]), str(tmp_path / "gone.csv"))


def test_tables_beside_the_data_and_beside_the_synthetic_images_count_together(tmp_path: Path) -> None:
    for name, sha, generator in (("real", SHA[0], "g"), ("made", SHA[1], "h")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "parents.csv").write_text(f"generator,sha256\n{generator},{sha}\nshared,{sha}\n")
    found = read_parents(tmp_path / "real", data(["g", "h", "shared"]), "auto", tmp_path / "made")
    assert found == {"g": {SHA[0]}, "h": {SHA[1]}, "shared": set(SHA)}
