"""A bundle at work: the probabilities of its heads on the features of its network, file by file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graticule.bundle import Bundle, read_bundle, write_bundle
from graticule.bundle_info import BundleInfo
from graticule.errors import BundleError, OptionError
from graticule.features.cache import FeatureCache
from graticule.features.embed import embed_files
from graticule.heads.predictor import Predictor, ScoredFiles
from graticule.heads.scoring import Head, LinearHead, pack_heads, probabilities
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder

WriteImages = Callable[..., list[Path]]
CLASSES = ["needle", "plate", "sphere"]


def images_of(files: list[Path]) -> list[ImageFile]:
    return [ImageFile(file) for file in files]


def some_heads() -> list[Head]:
    rng = np.random.default_rng(6)
    return [
        LinearHead(rng.normal(size=(3, 992)).astype(np.float32) / 9, rng.normal(size=3).astype(np.float32), 0.5)
        for _ in range(2)
    ]


def bundle_of(encoder: Encoder, **changes: object) -> Bundle:
    info = BundleInfo(
        graticule_version="0",
        classes=CLASSES,
        backbone=encoder.backbone,
        weights_sha256="",
        licence="Apache-2.0",
        preprocessing=encoder.preprocessing.to_json(),
        output=encoder.output,
        n_features=encoder.n_features,
        views=encoder.views,
        heads="two",
        data_sha256="0" * 64,
        n_training=2,
    ).model_copy(update=changes)
    return Bundle(info, encoder.model, pack_heads(some_heads()), {"features": np.zeros((0, 992), np.float16)}, "")


def joined(blocks: list[ScoredFiles]) -> np.ndarray:
    return np.concatenate([block.proba for block in blocks])


def test_predictions_are_the_heads_on_the_features(encoder: Encoder, write_images: WriteImages, tmp_path: Path) -> None:
    files = write_images(5)
    files.insert(2, tmp_path / "gone.png")
    write_bundle(tmp_path / "model", bundle_of(replace(encoder, views=4)))
    predictor = Predictor.of(read_bundle(tmp_path / "model"))
    assert predictor.classes == tuple(CLASSES)
    assert predictor.encoder.space() == replace(encoder, views=4).space()
    (block,) = predictor.stream(images_of(files), workers=1)
    expected = embed_files(images_of(files), replace(encoder, views=4), workers=1)
    np.testing.assert_array_equal(block.features, expected.features)
    fine = expected.readable
    np.testing.assert_array_equal(block.proba[fine], probabilities(some_heads(), expected.features[fine]))
    assert np.isnan(block.proba[~fine]).all()
    assert [bool(info.error) for info in block.info] == [False, False, True, False, False, False]


def test_blocks_order_workers_and_cache_change_nothing(
    encoder: Encoder, write_images: WriteImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_images(10)
    predictor = Predictor.of(bundle_of(encoder))
    whole = joined(list(predictor.stream(images_of(files), workers=2, batch_size=3)))
    monkeypatch.setattr("graticule.features.bundled.BLOCK", 4)
    with FeatureCache(tmp_path, encoder.space()) as cache:
        blocks = list(predictor.stream(iter(images_of(files)), workers=1, batch_size=1, cache=cache))
        assert [len(block.info) for block in blocks] == [4, 4, 2]
        np.testing.assert_array_equal(joined(blocks), whole)
        order = np.random.default_rng(0).permutation(10)
        again = joined(list(predictor.stream(images_of([files[i] for i in order]), workers=1, cache=cache)))
    np.testing.assert_array_equal(again, whole[order])


def test_nothing_to_predict(encoder: Encoder) -> None:
    assert list(Predictor.of(bundle_of(encoder)).stream([], workers=1)) == []


def test_all_unreadable(encoder: Encoder, tmp_path: Path) -> None:
    (block,) = Predictor.of(bundle_of(encoder)).stream(images_of([tmp_path / "gone.png"]), workers=1)
    assert np.isnan(block.proba).all()
    assert block.proba.shape == (1, 3)


def test_bundles_that_do_not_fit_together(encoder: Encoder) -> None:
    with pytest.raises(OptionError, match="--views 3"):
        Predictor.of(bundle_of(encoder, views=3))
    with pytest.raises(OptionError, match="area"):
        Predictor.of(bundle_of(encoder, preprocessing=Preprocessing(48).to_json() | {"resample": "area"}))
    bundle = bundle_of(encoder)
    with pytest.raises(BundleError, match=r"0\.bias"):
        Predictor.of(replace(bundle, heads={k: v for k, v in bundle.heads.items() if k != "0.bias"}))
