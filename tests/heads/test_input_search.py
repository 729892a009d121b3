"""Each fold chooses on its own training images, and the words say what all of them chose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from tests.jobs.drawn import small_encoder
from tests.made_samples import folds_of, samples_of

from graticule.features.samples import Samples
from graticule.heads.input_judge import ClassInputJudge
from graticule.heads.input_search import InputSearch, sized
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.progress import Silent
from graticule.split.division import Division

N = 180
Y = np.arange(N) % 3
FOLD = np.arange(N) // 3 % 3
JUDGE = ClassInputJudge(Y, 3)


def search(told: Callable[[int], np.ndarray], group: list[str] | None = None) -> InputSearch:
    """A search over samples whose features tell the classes by `told(size)`, a strength for each sample."""
    columns = {} if group is None else {"group": group}

    def embed(manifest: Manifest, encoder: Encoder) -> Samples:
        rows = np.array([int(path[:-4]) for path in manifest.path])
        features = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
        features += told(encoder.preprocessing.size)[:, None] * np.eye(3, dtype=np.float32)[Y]
        return replace(samples_of([str(k) for k in Y[rows]], features=features[rows]), manifest=manifest)

    manifest = samples_of([str(k) for k in Y], **columns).manifest
    encoder = sized(small_encoder(), 48, 1)
    folds = folds_of(["cv"] * N, FOLD.tolist())
    if group is not None:
        folds = replace(folds, component=np.unique(group, return_inverse=True)[1])
    copies = np.arange(N)
    return InputSearch(embed(manifest, encoder), encoder, Division(folds, [], [], copies), embed, JUDGE, 0, Silent())


def test_where_folds_disagree_the_words_say_so() -> None:
    # the detail that only 224 px shows is in the images of folds 0 and 1: fold 2 trains on them alone
    shown = np.where(FOLD == 2, 0.0, 5.0)
    found = search(lambda size: np.full(N, 1.0) if size == 48 else shown).size((48, 224))
    assert found.folds[2] == 224
    assert found.describe()["folds"] == list(found.folds)
    others = sum(size != found.value for size in found.folds)
    assert f"{3 - others} of 3 folds chose it" in found.why
    assert ("others chose" in found.why) == (others > 0)


def test_what_was_known_is_not_embedded_again() -> None:
    asked = search(lambda size: np.ones(N))
    rows = np.arange(0, N, 2)
    asked.embed = lambda manifest, encoder: (_ for _ in ()).throw(AssertionError("embedded again"))
    assert asked._features(rows, asked.encoder).shape == (90, 3)


def test_groups_too_few_to_divide_are_said() -> None:
    two = search(lambda size: np.ones(N), ["one" if f == 0 else "two" for f in FOLD]).size((48, 224))
    assert two.why.endswith("with images of one group on both sides, as the groups are too few to divide")
    many = search(lambda size: np.ones(N), [str(i // 9) for i in range(N)]).size((48, 224))
    assert "both sides" not in many.why


def test_a_class_of_one_image_leaves_the_choice_to_the_network() -> None:
    asked = search(lambda size: np.ones(N))
    asked.judge = ClassInputJudge(np.where(np.arange(N) == 7, 2, Y % 2), 3)
    assert asked.size((48, 224)).value == 224
    assert asked.views(48, (1, 4, 8)).value == 4
