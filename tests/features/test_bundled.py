"""Files through a bundle's networks, block by block."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.drawn_values import DrawnValues
from tests.test_bundle import INFO

from graticule.bundle import read_value_bundle
from graticule.bundle_info import ReferenceInfo
from graticule.errors import BundleError
from graticule.features import bundled
from graticule.features.bundled import embedded_blocks, encoder_of_bundle, reference_of_bundle, stacked
from graticule.images.decode import ImageFile
from graticule.images.preprocess import Preprocessing


def test_blocks_in_order_with_the_reference_beside_them(
    valued_run: Path, planted: DrawnValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "BLOCK", 3)
    bundle = read_value_bundle(valued_run / "model")
    encoder = encoder_of_bundle(bundle.info, bundle.model)
    files = [ImageFile(planted.folder / f"{i:05d}.png") for i in (4, 2, 9, 7)]
    with planted.instead_of_pixels():
        plain = list(embedded_blocks(files, encoder, None, with_reference=False))
        both = list(embedded_blocks(files, encoder, encoder, with_reference=True))
    assert [len(block.rows) for block in plain] == [3, 1]
    np.testing.assert_array_equal(stacked(plain[0].rows, encoder.n_features), planted.features[[4, 2, 9]])
    assert plain[0].reference is None
    for block in both:
        np.testing.assert_array_equal(block.reference, stacked(block.rows, encoder.n_features))


def test_a_reference_of_another_network_is_refused() -> None:
    assert reference_of_bundle(INFO) is None
    about = ReferenceInfo(
        backbone="efficientnet_lite0",
        views=1,
        model_sha256="ab" * 32,
        sizes=False,
        preprocessing=Preprocessing(224).to_json(),
    )
    with pytest.raises(BundleError, match="another efficientnet_lite0 than this version has"):
        reference_of_bundle(INFO.model_copy(update={"reference": about}))
    with pytest.raises(BundleError, match="not embedded here"):
        reference_of_bundle(INFO.model_copy(update={"reference": about.model_copy(update={"backbone": "vgg16"})}))


def test_any_depth_lifts_the_bound_on_kinds() -> None:
    kinds = replace(Preprocessing(224).intensity, kinds=("8 bit",))
    own = INFO.model_copy(update={"preprocessing": replace(Preprocessing(224), intensity=kinds).to_json()})
    assert encoder_of_bundle(own, b"").preprocessing.intensity.kinds == ("8 bit",)
    assert encoder_of_bundle(own, b"", any_depth=True).preprocessing.intensity.kinds is None
