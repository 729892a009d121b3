"""The Manifest: escaping of paths, identities, rows, and the way to Parquet and back."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.arrays import object_array
from graticule.errors import ManifestError
from graticule.manifest import Manifest, escape_path, sample_id_of, unescape_path

ODD_NAMES = [
    "plain/cell 1.png",
    "new\nline.png",
    "carriage\rreturn\ttab.png",
    "quote\"apostrophe'.png",
    "<b>&amp;.png",
    "back\\slash.png",
    "\\x41 is no escape.png",
    "\\\\double\\n.png",
    "-rf.png",
    "right\u202eto\u200fleft.png",
    "caf\u00e9.png",
    "cafe\u0301.png",
    "\U0001f52c.png",
    os.fsdecode(b"latin-\xe9\xff.png"),
    os.fsdecode(b"broken-\xc3.png"),
    "windows-\ud800.png",
    "delete\x7f.png",
    "c1-\x85.png",
    "",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_escape_round_trip(name: str) -> None:
    text = escape_path(name)
    assert unescape_path(text) == name
    text.encode("utf-8")
    assert text.splitlines() in ([text], []) or "\x85" in text  # NEL is valid text, and no line end in CSV


def test_escape_is_reversible_on_random_names_and_injective() -> None:
    rng = np.random.default_rng(0)
    alphabet = ["\\", "x", "u", "d", "8", "0", "a", "\n", "\udc80", "\udcff", "\ud834", "\u0301", "'", "/"]
    names = {"".join(rng.choice(alphabet, size=rng.integers(0, 9))) for _ in range(5000)}
    texts = {escape_path(name) for name in names}
    assert len(texts) == len(names)
    assert all(unescape_path(escape_path(name)) == name for name in names)


def test_escape_golden_values() -> None:
    assert escape_path("a/b c.png") == "a/b c.png"
    assert escape_path("a\\b") == "a\\\\b"
    assert escape_path(os.fsdecode(b"\xe9\n")) == "\\xe9\\x0a"
    assert escape_path("\ud800") == "\\ud800"


@pytest.mark.parametrize("text", ["\\q", "ends with \\", "\\x4", "\\u0041", "\\\\\\"])
def test_unescape_refuses_other_backslashes(text: str) -> None:
    with pytest.raises(ManifestError, match="no escaped path"):
        unescape_path(text)


def test_sample_id_is_the_hash_of_the_path_bytes() -> None:
    assert sample_id_of("a/b.png") == hashlib.sha256(b"a/b.png").hexdigest()[:16]
    assert sample_id_of(os.fsdecode(b"\xe9.png")) == hashlib.sha256(b"\xe9.png").hexdigest()[:16]
    assert len({sample_id_of(name) for name in ODD_NAMES}) == len(ODD_NAMES)


def _manifest(root: Path) -> Manifest:
    names = ODD_NAMES[:-1]
    labels = [["b", "a", "", "É", "Z"][i % 5] for i in range(len(names))]
    columns = {
        "group": object_array([f"g{i % 3}" for i in range(len(names))]),
        "true_label": object_array(["x", *[""] * (len(names) - 1)]),
    }
    return Manifest(root, object_array(names), object_array(labels), columns, ("a warning",))


def test_classes_by_code_point_without_unlabelled() -> None:
    assert _manifest(Path("/r")).classes == ("Z", "a", "b", "É")


def test_rows_and_files() -> None:
    manifest = _manifest(Path("/r"))
    part = manifest.take(np.array([3, 0]))
    assert list(part.path) == [ODD_NAMES[3], ODD_NAMES[0]]
    assert list(part.columns["group"]) == ["g0", "g0"]
    assert part.files() == [Path("/r") / ODD_NAMES[3], Path("/r") / ODD_NAMES[0]]
    masked = manifest.take(manifest.labelled)
    assert "" not in masked.label
    assert len(masked) == manifest.labelled.sum() == len(manifest) - (manifest.label == "").sum()


def test_parquet_round_trip(tmp_path: Path) -> None:
    manifest = _manifest(tmp_path / os.fsdecode(b"root-\xe9"))
    manifest.write(tmp_path / "manifest.parquet")
    back = Manifest.read(tmp_path / "manifest.parquet")
    assert back.root == manifest.root
    assert list(back.path) == list(manifest.path)
    assert list(back.label) == list(manifest.label)
    assert {name: list(v) for name, v in back.columns.items()} == {n: list(v) for n, v in manifest.columns.items()}
    assert back.warnings == manifest.warnings
    assert list(back.sample_id) == list(manifest.sample_id)
    assert pq.read_table(tmp_path / "manifest.parquet").column_names[:3] == ["sample_id", "path", "label"]


def test_empty_manifest_round_trip(tmp_path: Path) -> None:
    Manifest(tmp_path, object_array([]), object_array([])).write(tmp_path / "m.parquet")
    back = Manifest.read(tmp_path / "m.parquet")
    assert len(back) == 0
    assert back.classes == ()
    assert back.labelled.shape == (0,)


def test_read_refuses_other_files(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no parquet")
    pq.write_table(pa.table({"path": ["a"], "label": ["b"]}), tmp_path / "foreign.parquet")
    with pytest.raises(ManifestError, match="cannot read"):
        Manifest.read(tmp_path / "text.parquet")
    with pytest.raises(ManifestError, match="cannot read"):
        Manifest.read(tmp_path / "absent.parquet")
    with pytest.raises(ManifestError, match="not written by graticule"):
        Manifest.read(tmp_path / "foreign.parquet")
