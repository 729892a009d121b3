"""`embed` as a function: a place that cannot be written is refused before anything is read; rows follow the paths."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from tests.jobs.drawn import N_FEATURES, Drawn

from graticule.errors import OptionError, RunError
from graticule.images.reading import Reading
from graticule.jobs.embed import embed
from graticule.jobs.options import EmbedOptions


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("out.xlsx", OptionError, "no known ending; allowed: "),
        ("none/out.csv", RunError, "there is no folder"),
        ("there.csv", RunError, "exists already; choose another file, nothing was changed"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_at_once(
    name: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(error, match=words):
        embed(tmp_path / "no data", tmp_path / name, EmbedOptions())
    assert [file.name for file in tmp_path.iterdir()] == ["there.csv"]
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_rows_follow_the_paths_of_a_folder_without_classes(drawn: Drawn, tmp_path: Path) -> None:
    with drawn.instead_of_pixels() as encoder:
        reading = Reading(encoder.preprocessing, "as stored", "drawn")
        with (
            mock.patch("graticule.jobs.embed.encoder_of", return_value=encoder),
            mock.patch("graticule.jobs.embed.settle", return_value=(encoder, reading)),
        ):
            told = embed(drawn.folder, tmp_path / "out.npz", EmbedOptions())
    with np.load(tmp_path / "out.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["features"], drawn.features)
        assert [str(path) for path in found["path"]] == [f"{i:05d}.png" for i in range(drawn.n)]
    assert (told["n"], told["n_features"], told["failures"]) == (90, N_FEATURES, [])
