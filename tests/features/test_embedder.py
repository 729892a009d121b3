"""The scikit-learn transformer: pipelines, cross-validation, and scikit-learn's own checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

import graticule
from graticule.errors import BackboneError, ImageError, OptionError
from graticule.features.embedder import Embedder
from graticule.features.engines import local

WriteImages = Callable[..., list[Path]]


def stripes(n: int, seed: int = 0) -> tuple[list[NDArray[np.uint8]], NDArray[np.int64]]:
    """Noisy pictures with horizontal (0) or vertical (1) stripes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    pictures = []
    for label in y:
        wave = 80 * np.sin(np.arange(32) * rng.uniform(0.5, 1.5))
        picture = np.tile(wave, (32, 1)) if label else np.tile(wave[:, None], (1, 32))
        pictures.append((128 + picture + rng.normal(0, 20, (32, 32))).clip(0, 255).astype(np.uint8))
    return pictures, y


@pytest.fixture
def files_and_labels(tmp_path: Path) -> tuple[list[str], NDArray[np.int64]]:
    import PIL.Image

    pictures, y = stripes(12)
    files = [tmp_path / f"{i}.png" for i in range(12)]
    for file, picture in zip(files, pictures, strict=True):
        PIL.Image.fromarray(picture).save(file)
    return [str(file) for file in files], y


def test_it_is_offered_at_the_top() -> None:
    assert graticule.Embedder is Embedder


def test_a_pipeline_learns_from_paths(files_and_labels: tuple[list[str], NDArray[np.int64]]) -> None:
    files, y = files_and_labels
    pipeline = make_pipeline(Embedder(views=1, workers=1), LogisticRegression(C=0.01))
    scores = cross_val_score(pipeline, np.array(files), y, cv=2)
    assert scores.mean() == 1.0
    assert pipeline.fit(files, y).predict([Path(files[3])])[0] == 1


def test_a_pipeline_learns_from_arrays() -> None:
    pictures, y = stripes(12)
    pipeline = make_pipeline(Embedder(views=1), LogisticRegression(C=0.01))
    assert cross_val_score(pipeline, np.stack(pictures), y, cv=2).mean() == 1.0
    assert pipeline.fit(pictures, y).score(*stripes(6, seed=1)) == 1.0


def test_a_grid_search_reaches_its_parameters() -> None:
    pictures, y = stripes(8)
    search = GridSearchCV(
        make_pipeline(Embedder(views=1), LogisticRegression(C=0.01)), {"embedder__views": [1, 4]}, cv=2
    )
    search.fit(np.stack(pictures), y)
    assert set(search.cv_results_["param_embedder__views"]) == {1, 4}


def test_paths_and_arrays_give_the_same_features(files_and_labels: tuple[list[str], NDArray[np.int64]]) -> None:
    files = files_and_labels[0][:3]
    pictures = stripes(12)[0][:3]
    embedder = Embedder(views=4, workers=1, cache=False)
    of_files = embedder.fit_transform(files)
    np.testing.assert_array_equal(embedder.transform(pictures), of_files)
    np.testing.assert_array_equal(embedder.transform([np.repeat(p[:, :, None], 3, 2) for p in pictures]), of_files)
    np.testing.assert_array_equal(embedder.transform([p.astype(np.uint16) * 257 for p in pictures]), of_files)
    np.testing.assert_array_equal(embedder.transform(np.array(files, dtype=object)[:, None]), of_files)
    assert of_files.shape == (3, embedder.n_features_out_)
    assert of_files.dtype == np.float32


def test_features_of_files_are_kept(
    files_and_labels: tuple[list[str], NDArray[np.int64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, _ = files_and_labels
    first = Embedder(views=1, workers=1).fit_transform(files[:4])
    submitted: list[int] = []

    class Counting(local.DecodePool):
        def submit(self, files: Any) -> Any:
            submitted.extend(files)
            return super().submit(files)

    monkeypatch.setattr(local, "DecodePool", Counting)
    np.testing.assert_array_equal(Embedder(views=1, workers=1).fit_transform(files[:4]), first)
    assert submitted == []


def test_names_of_the_features() -> None:
    embedder = Embedder(views=1).fit(stripes(1)[0])
    names = embedder.get_feature_names_out()
    assert names.shape == (7264,)
    assert (names[0], names[-1]) == ("blocks.1.mean.000", "blocks.6.covariance.063.063")
    pipeline = make_pipeline(Embedder(views=1), LogisticRegression()).fit(*stripes(4))
    assert len(pipeline[:-1].get_feature_names_out()) == 7264
    assert embedder.set_output(transform="default").transform(stripes(1)[0]).shape == (1, 7264)


@pytest.mark.parametrize(
    ("images", "cause"),
    [
        ([], "at least one image"),
        ("a.png", "give a list"),
        (Path("a.png"), "give a list"),
        (3, "found int"),
        (np.zeros((4, 10)), r"shape \(10,\)"),
        ([np.zeros((4, 4))], "float64"),
        ([np.zeros((4, 4, 2), np.uint8)], r"\(4, 4, 2\)"),
        ([np.zeros((0, 4), np.uint8)], r"\(0, 4\)"),
        (["a.png", np.zeros((4, 4), np.uint8)], "is no image"),
        ([None], "is no image"),
    ],
)
def test_what_is_no_image_is_refused(images: Any, cause: str) -> None:
    embedder = Embedder(views=1).fit([np.zeros((4, 4), np.uint8)])
    with pytest.raises(OptionError, match=cause):
        embedder.transform(images)


def test_an_unreadable_file_is_an_error(tmp_path: Path, files_and_labels: tuple[list[str], Any]) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    files = [files_and_labels[0][0], str(tmp_path / "empty.png")]
    with pytest.raises(ImageError, match=r"empty\.png: the file is empty"):
        Embedder(views=1, workers=1).fit_transform(files)


def test_options_are_checked_by_fit() -> None:
    pictures = stripes(1)[0]
    Embedder("no_such_net", views=3)
    with pytest.raises(BackboneError, match="no_such_net"):
        Embedder("no_such_net").fit(pictures)
    with pytest.raises(OptionError, match="--views 3"):
        Embedder(views=3).fit(pictures)
    with pytest.raises(NotFittedError):
        Embedder().transform(pictures)
    with pytest.raises(NotFittedError):
        Embedder().get_feature_names_out()


def test_it_is_cloned_unfitted_and_pickled_fitted() -> None:
    import pickle

    pictures = stripes(2)[0]
    embedder = Embedder(views=1, cache=False).fit(pictures)
    copy = clone(embedder)
    assert copy.get_params() == embedder.get_params()
    assert not hasattr(copy, "encoder_")
    again = pickle.loads(pickle.dumps(embedder))
    np.testing.assert_array_equal(again.transform(pictures), embedder.transform(pictures))


NEEDS_NO_MATRIX = [
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_estimator_sparse_tag",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_mixin_order",
    "check_do_not_raise_errors_in_init_or_set_params",
]


@pytest.mark.parametrize("name", NEEDS_NO_MATRIX)
def test_checks_of_scikit_learn_that_need_no_matrix(name: str) -> None:
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip(f"this scikit-learn has no {name}")
    check("Embedder", Embedder(views=1))


def test_check_estimator_passes_what_it_runs() -> None:
    # it runs few checks on an estimator whose tags say that it takes no matrix, and says so
    with pytest.warns(SkipTestWarning, match="Can't test estimator Embedder which requires input"):
        estimator_checks.check_estimator(Embedder(views=1))


def test_what_scikit_learn_checks_on_matrices_holds_on_pictures() -> None:
    pictures = np.stack(stripes(5)[0])
    before = pictures.copy()
    embedder = Embedder(views=1, cache=False)
    parameters = embedder.get_params()
    assert embedder.fit(pictures) is embedder
    state = dict(vars(embedder))
    features = embedder.transform(pictures)
    assert vars(embedder) == state
    assert embedder.get_params() == parameters
    np.testing.assert_array_equal(pictures, before)
    np.testing.assert_array_equal(embedder.fit(pictures[:1]).transform(pictures), features)
    np.testing.assert_array_equal(clone(embedder).fit_transform(pictures, np.zeros(5)), features)
    order = np.array([3, 0, 4, 1, 2])
    np.testing.assert_array_equal(embedder.transform(pictures[order]), features[order])
    np.testing.assert_array_equal(embedder.transform(pictures[2:4]), features[2:4])
    pictures.flags.writeable = False
    np.testing.assert_array_equal(embedder.transform(pictures), features)
    np.testing.assert_array_equal(embedder.transform(np.asfortranarray(pictures)), features)
