"""The choice of the input on drawn features: a planted size wins, and nothing set aside takes part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.jobs.drawn import small_encoder
from tests.made_samples import folds_of, samples_of

from graticule.errors import ManifestError, OptionError
from graticule.features.samples import Samples
from graticule.heads import input_choice
from graticule.heads.input_choice import Embedded, InputSteps, embed_as_chosen
from graticule.heads.input_judge import ClassInputJudge
from graticule.images.preprocess import Preprocessing
from graticule.manifest import Manifest
from graticule.networks.encoder import Encoder
from graticule.networks.options import InputOptions
from graticule.progress import Silent
from graticule.split.division import Division

N = 390
N_ASIDE = 30
Y = np.arange(N) % 3
PART = ["test" if i >= N - N_ASIDE else "cv" for i in range(N)]
FOLD = [-1 if part == "test" else i // 3 % 3 for i, part in enumerate(PART)]
OWN = 224


@dataclass
class Data:
    """Samples whose features tell the classes by `told(size, views)`, and what was embedded of them."""

    told: dict[tuple[int, int], float]
    side: int = 40
    group: list[str] | None = None
    gone: tuple[int, int] | None = None
    embedded: list[tuple[int, int, int]] = field(default_factory=list)

    def manifest(self) -> Manifest:
        columns = {} if self.group is None else {"group": self.group}
        return samples_of([str(k) for k in Y], **columns).manifest

    def embed(self, manifest: Manifest, encoder: Encoder) -> Samples:
        key = encoder.preprocessing.size, encoder.views
        rows = np.array([int(path[:-4]) for path in manifest.path])
        self.embedded.append((*key, len(rows)))
        noise = np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
        features = noise[rows]
        features[:, :3] += self.told.get(key, self.told.get((key[0], 1), 1.0)) * np.eye(3, dtype=np.float32)[Y[rows]]
        made = samples_of([str(k) for k in Y[rows]], features=features)
        info = [replace(item, width=self.side, height=9) for item in made.info]
        failures = [("000.png", "gone")] if key == self.gone else []
        return replace(made, manifest=manifest, info=info, failures=failures)

    def choose(
        self, options: InputOptions, monkeypatch: pytest.MonkeyPatch, encoder: Encoder | None = None
    ) -> Embedded:
        monkeypatch.setattr(input_choice, "longer_sides", lambda files, *_, workers: np.full(5, self.side))
        division = Division(folds_of(PART, FOLD), [], [])
        encoder = encoder or lite()
        return embed_as_chosen(
            self.manifest(),
            encoder,
            options,
            InputSteps(
                self.embed, lambda samples, encoder: division, lambda samples: ClassInputJudge.of(samples.manifest)
            ),
            seed=0,
            workers=1,
            reporter=Silent(),
        )


def lite() -> Encoder:
    return replace(small_encoder(), backbone="efficientnet_lite0", preprocessing=Preprocessing(size=OWN))


def test_sizes_that_are_equally_good_give_the_smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Data({}, side=90)
    found = data.choose(InputOptions(views=1), monkeypatch)
    size = found.chosen["input_size"]
    assert (size.candidates, size.value, size.folds) == ((96, 128, 160, OWN), 96, (96, 96, 96))
    assert (found.encoder.preprocessing.size, found.encoder.views) == (96, 1)
    assert size.why == ("96 px: the network looks at 5.4 times fewer pixels than at 224 px; 3 of 3 folds chose it")
    # what was embedded first is not embedded again, and the parts set aside are embedded at no other size
    cv = N - N_ASIDE
    assert data.embedded == [(96, 1, N), (128, 1, cv), (160, 1, cv), (OWN, 1, cv)]


def test_a_detail_that_only_the_networks_own_size_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Data({(OWN, 1): 4.0}, side=90)
    found = data.choose(InputOptions(views=1), monkeypatch)
    assert found.encoder.preprocessing.size == OWN
    assert found.chosen["input_size"].why.startswith("224 px, the network's own: smaller inputs told less; 3 of 3")
    assert data.embedded[-1] == (OWN, 1, N)
    assert len(found.samples.manifest) == N


@pytest.mark.parametrize(("told", "views"), [({}, 1), ({4: 3.0}, 4), ({4: 3.0, 8: 6.0}, 8)])
def test_views_are_taken_where_they_gain(told: dict[int, float], views: int, monkeypatch: pytest.MonkeyPatch) -> None:
    strengths = {(OWN, v): told.get(v, told.get(4, 1.0) if v > 4 else 1.0) for v in (1, 4, 8)}
    data = Data(strengths, side=500)
    found = data.choose(InputOptions(), monkeypatch)
    assert found.encoder.views == found.chosen["views"].value == views
    assert found.chosen["input_size"].value == OWN
    assert "too large" in found.chosen["input_size"].why
    assert data.embedded[:2] == [(OWN, 4, N), (OWN, 1, N - N_ASIDE)]


@pytest.mark.parametrize(
    ("encoder", "size", "why"),
    [
        (replace(lite(), preprocessing=Preprocessing(size=OWN, scale_nm=5.0)), OWN, "physical scale"),
        (replace(lite(), backbone="vit_small"), OWN, "the graph of vit_small takes no other"),
    ],
)
def test_no_choice_is_explained(encoder: Encoder, size: int, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Data({}).choose(InputOptions(views=4), monkeypatch, encoder)
    assert found.encoder.preprocessing.size == size
    assert why in found.chosen["input_size"].why
    assert found.chosen["views"].why == "as asked for"


def test_ultrasound_has_an_up_and_a_down(monkeypatch: pytest.MonkeyPatch) -> None:
    masked = replace(lite(), preprocessing=Preprocessing(size=OWN, marks="mask"))
    found = Data({}).choose(InputOptions(input_size=64), monkeypatch, masked)
    assert (found.encoder.preprocessing.size, found.encoder.views) == (64, 1)


def test_few_images_choose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_choice, "LEAST_IMAGES", N + 1)
    data = Data({})
    found = data.choose(InputOptions(), monkeypatch)
    assert data.embedded == [(OWN, 4, N)]
    assert all("too few to choose" in chosen.why for chosen in found.chosen.values())


def test_a_size_that_the_network_does_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = replace(lite(), backbone="vit_small")
    with pytest.raises(OptionError, match="--input-size 96: the graph of vit_small takes 224 px only"):
        Data({}).choose(InputOptions(input_size=96), monkeypatch, fixed)


def test_a_file_that_goes_while_the_run_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Data({}, side=150, gone=(OWN, 1))
    with pytest.raises(ManifestError, match=r"000\.png could be read at first and cannot be read any more: gone"):
        data.choose(InputOptions(views=1), monkeypatch)
