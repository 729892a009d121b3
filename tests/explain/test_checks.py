"""The checks: curves that fall sooner for a right map, an exchange that finds a planted border and no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import pytest

from graticule.explain import checks
from graticule.explain.checks import CheckedImage
from graticule.explain.exchange import (
    control_ring,
    exchange,
    exchange_verdicts,
    partners,
)
from graticule.explain.image import Explained, Seen
from graticule.explain.model import ExplainableModel
from graticule.explain.regions import border_frame
from graticule.images.preprocess import Preprocessing
from graticule.progress import Silent

SIDE = 64


def red_share(region: tuple[slice, slice], pixels: Any) -> Any:
    """A model that looks at the redness of one region: log probabilities of two classes, up to a constant."""
    redness = pixels[(slice(None), *region)][..., 0].mean(axis=(1, 2)) / 255
    return np.stack([4 * redness, 4 * (1 - redness)], axis=1)


MIDDLE = (slice(24, 40), slice(24, 40))
EDGE = (slice(0, 4), slice(0, SIDE))


def pictures(n: int, *, at: tuple[slice, slice], seed: int) -> tuple[Any, Any]:
    """Noisy pictures of two classes that differ by the redness of one region alone."""
    generator = np.random.default_rng(seed)
    made = generator.integers(60, 120, (n, SIDE, SIDE, 3)).astype(np.uint8)
    truth = np.arange(n) % 2
    for one, k in zip(made, truth, strict=True):
        one[at] = np.array([230 if k == 0 else 10, 90, 90]) + generator.integers(-9, 10, 3)
    return made, truth


def verdicts(at: tuple[slice, slice], region: Any, seed: int, n: int = 40) -> Any:
    made, truth = pictures(n, at=at, seed=seed)
    generator = np.random.default_rng(seed)
    evaluate = partial(red_share, at)
    found = []
    for i, j in partners(truth, generator):
        masks = (region, control_ring(region))
        one = exchange(evaluate, made[i], made[j], (int(truth[i]), int(truth[j])), masks)
        assert one is not None
        found.append(one)
    return exchange_verdicts(found, 2, 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_class_in_the_border_is_found_and_one_in_the_middle_is_not(seed: int) -> None:
    frame = border_frame(SIDE)
    planted = verdicts(EDGE, frame, seed)
    assert planted[0].drawn
    assert planted[0].share == pytest.approx(1.0, abs=0.05)
    assert not any(v.drawn for v in verdicts(MIDDLE, frame, seed))


class Begun(Silent):
    """Keeps what was begun."""

    def __init__(self) -> None:
        self.all: list[tuple[str, int]] = []

    def begin(self, text: str, total: int) -> None:
        self.all.append((text, total))


def test_pictures_with_a_bar_meet_more_partners_where_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    # 4 of 24 pictures carry a bar; the model reads its redness alone
    made, truth = pictures(24, at=EDGE, seed=4)
    bar = np.zeros((SIDE, SIDE), bool)
    bar[EDGE] = True
    barred = (0, 2, 4, 6)
    seen = [Seen(one, np.ones(2), (SIDE, SIDE), bar if i in barred else None) for i, one in enumerate(made)]
    monkeypatch.setattr(checks, "_logs", lambda _model, _kept, _given, pixels: red_share(EDGE, pixels))
    reporter = Begun()
    with ThreadPoolExecutor(1) as threads:
        found = checks.regions(cast(Any, None), seen.__getitem__, truth, ("a", "b"), threads, 0, reporter)
    in_bar, everywhere = (
        next(v for v in found["regions"][region] if v["class"] is None) for region in ("info bar", "border")
    )
    assert reporter.all == [("exchanging border and info bar", 24), ("exchanging info bar", in_bar["n"] - 8)]
    assert everywhere["n"] == 24
    assert 12 <= in_bar["n"] <= 16
    assert in_bar["drawn"]
    assert in_bar["share"] == pytest.approx(1.0, abs=0.05)


def test_a_bar_without_room_for_a_control_is_not_exchanged_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made, truth = pictures(24, at=EDGE, seed=4)
    bar = np.zeros((SIDE, SIDE), bool)
    bar[: SIDE * 5 // 8] = True
    seen = [Seen(one, np.ones(2), (SIDE, SIDE), bar) for one in made]
    monkeypatch.setattr(checks, "_logs", lambda _model, _kept, _given, pixels: red_share(EDGE, pixels))
    with ThreadPoolExecutor(1) as threads:
        found = checks.regions(cast(Any, None), seen.__getitem__, truth, ("a", "b"), threads, 0, Silent())
    assert list(found["regions"]) == ["border"]
    assert found["no_room"] == {"info bar": 24}


@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
def test_the_maps_that_are_drawn_are_those_that_are_tested(colours: Any, red_or_blue: Any, method: str) -> None:
    # 8 cells along a side: HiResCAM is drawn from moved pictures, four times as fine
    encoder = replace(colours(), preprocessing=Preprocessing(size=16))
    model = ExplainableModel.of(encoder, [red_or_blue])
    asked = []

    class Watched(ExplainableModel):
        def any_maps(self, pixels: Any, classes: Any, sizes: Any, chosen: str) -> Any:
            maps = super().any_maps(pixels, classes, sizes, chosen)
            asked.append((chosen, maps.shape[-1]))
            return maps

        def randomised(self, seed: int) -> Any:
            return ((name, Watched(**vars(other))) for name, other in super().randomised(seed))

    watched = Watched(**vars(model))
    subjects = []
    for row in range(6):
        pixels = np.random.default_rng(row).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        seen = Seen(pixels, np.ones(2), (16, 16), None)
        subjects.append(
            CheckedImage(cast(Any, None), Explained(seen, np.array([0]), np.ones(2), np.zeros((1, 8, 8)), 0, 0, (0, 0)))
        )
    with ThreadPoolExecutor(1) as threads:
        rows = checks.randomisation(watched, method, subjects, threads, 0, Silent())
        none = checks.randomisation(watched, "occlusion", subjects, threads, 0, Silent())
    assert rows is not None
    assert [row["destroyed"] for row in rows] == ["head", "layers 1 to 1 of 1"]
    assert set(asked) == {(method, 32 if method == "hirescam" else 8)}
    assert len(asked) == 6 * 3
    assert none is None
