"""Steps that several verbs share."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from graticule.arrays import object_array
from graticule.features.samples import Samples, data_hash, embed_samples, reasons_beyond, sorted_by_path
from graticule.images.beyond import BRIGHTER, DARKER
from graticule.images.decode import Decoded
from graticule.images.intensity import Intensity
from graticule.jobs.record import describe_data, unreadable_warning, write_failures
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.progress import Silent


def _samples(pixels: list[str], labels: list[str], groups: list[str] | None = None) -> Samples:
    n = len(pixels)
    columns = {} if groups is None else {"group": object_array(groups)}
    manifest = Manifest(Path("/data"), object_array([f"{i}.png" for i in range(n)]), object_array(labels), columns)
    info = [
        Decoded(sha256=f"{i:064d}", pixel_sha256=p, width=10 + (i == 0), height=8, mode="grey, 8 bit")
        for i, p in enumerate(pixels)
    ]
    return Samples(manifest, np.zeros((n, 2), np.float32), slice(None), slice(None), info, [], n, 0, 0.0, [])


def test_duplicates_are_told_by_their_pixels() -> None:
    described = describe_data(
        Path("/data"), _samples(["x", "y", "x", "x"], ["a", "a", "a", "b"]), n_unlabelled=0, group_column=None
    )
    assert described["duplicates"] == {
        "components": 1,
        "images": 3,
        "conflicts": [["0.png", "3.png"]],
    }


def test_data_are_described_for_the_report() -> None:
    samples = _samples(["x", "y", "z"], ["a", "b", "b"], ["g1", "g1", "g2"])
    described = describe_data(Path("/data"), samples, n_unlabelled=4, group_column="lot")
    assert described["classes"] == {"a": 1, "b": 2}
    assert described["groups_per_class"] == {"a": 1, "b": 2}
    assert (described["n"], described["n_unlabelled"], described["n_groups"]) == (3, 4, 2)
    assert [size["n"] for size in described["image_sizes"]] == [2, 1]


def test_the_hash_of_the_data_knows_paths_labels_and_files() -> None:
    samples = _samples(["x", "y"], ["a", "b"])
    other_label = replace(samples, manifest=replace(samples.manifest, label=object_array(["b", "b"])))
    other_path = replace(samples, manifest=replace(samples.manifest, path=object_array(["0.png", "2.png"])))
    other_file = replace(samples, info=[samples.info[0], replace(samples.info[1], sha256="f" * 64)])
    assert len({data_hash(s) for s in (samples, other_label, other_path, other_file)}) == 4
    other_pixels_name = replace(samples, info=[replace(item, width=1) for item in samples.info])
    assert data_hash(other_pixels_name) == data_hash(samples)


def test_images_beyond_the_window_are_told_without_their_facts() -> None:
    window = Intensity(windows=(("16 bit", 0.0, 4095.0),), outside=(0.0, 0.1))
    info = [Decoded(outside=(0.0, 0.1)), Decoded(outside=(0.0, 0.2)), Decoded(error="flat", beyond=DARKER), Decoded()]
    assert reasons_beyond(info, window) == ["", BRIGHTER, DARKER, ""]
    assert reasons_beyond(info, Intensity()) == ["", "", DARKER, ""]


def test_samples_stand_in_the_order_of_their_paths() -> None:
    manifest = Manifest(Path("/"), object_array(["b", "a\udce9", "a", "B"]), object_array(["1", "2", "3", "4"]))
    assert sorted_by_path(manifest).path.tolist() == ["B", "a", "a\udce9", "b"]


def test_readable_and_unreadable_samples_are_set_apart(encoder: Encoder, write_images: object) -> None:
    files = write_images(3)  # type: ignore[operator]
    files[1].write_bytes(b"no image")
    manifest = Manifest(files[0].parent, object_array([f.name for f in files]), object_array(["a", "b", "a"]))
    samples = embed_samples(manifest, encoder, workers=1, batch_size=2, reporter=Silent())
    assert samples.manifest.path.tolist() == ["000.png", "002.png"]
    assert samples.features.shape == (2, encoder.n_features)
    assert len(samples.info) == 2
    assert [path for path, _ in samples.failures] == ["001.png"]
    assert (samples.decoded, samples.cached) == (3, 0)


def test_failures_are_written_as_a_table(tmp_path: Path) -> None:
    write_failures(tmp_path / "failures.csv", [('a, "b".png', "broken")])
    with (tmp_path / "failures.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["path", "error"], ['a, "b".png', "broken"]]
    assert unreadable_warning([]) == []
    assert unreadable_warning([("a", "b")])[0].startswith("1 image could")
    assert unreadable_warning([("a", "b")] * 2000)[0].startswith("2,000 images could")
