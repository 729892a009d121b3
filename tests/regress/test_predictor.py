"""A bundle of a model of a number at work: the numbers of the run come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.drawn_values import DrawnValues

from graticule.bundle import read_value_bundle
from graticule.features.engines import local
from graticule.images.decode import ImageFile
from graticule.regress.predictor import ValuePredictor
from graticule.regress.target import Target
from graticule.values import read_values


def test_files_get_the_numbers_of_the_run(valued_run: Path, planted: DrawnValues) -> None:
    predictor = ValuePredictor.of(read_value_bundle(valued_run / "model"))
    assert predictor.target == Target("fraction", least=0.0, most=1.0)
    test = read_values(valued_run / "predictions.parquet").of_part("test")
    files = [ImageFile(planted.folder.parent / path) for path in test.path]
    with planted.instead_of_pixels():
        (block,) = predictor.stream(files, workers=1)
        alone = next(predictor.stream(files[3:4], workers=1))
    np.testing.assert_allclose(predictor.target.restored(block.learnt, None), test.value, atol=1e-12)
    np.testing.assert_array_equal(alone.members[:, 0], block.members[:, 3])
    assert block.readable.all()
    assert block.reference is not None


def test_a_file_that_cannot_be_read_has_no_number(valued_run: Path, tmp_path: Path) -> None:
    predictor = ValuePredictor.of(read_value_bundle(valued_run / "model"))
    rows = list(local.rows([ImageFile(tmp_path / "none.png")], predictor.encoder, workers=1))
    found = predictor.value(rows)
    assert np.isnan(found.learnt).all()
    assert not found.readable.any()
