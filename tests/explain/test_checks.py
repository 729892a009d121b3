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
    LEAST,
    LEVEL,
    Exchange,
    control_band,
    control_ring,
    exchange,
    exchange_verdicts,
    partners,
)
from graticule.explain.fidelity import STEPS, area, curves, mean_interval, rank_correlation, resized_mean
from graticule.explain.image import Explained, Seen
from graticule.explain.model import ExplainableModel
from graticule.explain.occlusion import occlusion_map
from graticule.explain.overlay import full_scale, overlay, peak, picture
from graticule.explain.regions import bar_mask, border_frame, picture_mask, share_in, shown_size
from graticule.images.burnt_in.infobar import Bar
from graticule.images.preprocess import Preprocessing, fit
from graticule.progress import Silent

SIDE = 64


def red_share(region: tuple[slice, slice], pixels: Any) -> Any:
    """A model that looks at the redness of one region: log probabilities of two classes, up to a constant."""
    redness = pixels[(slice(None), *region)][..., 0].mean(axis=(1, 2)) / 255
    return np.stack([4 * redness, 4 * (1 - redness)], axis=1)


def probabilities(region: tuple[slice, slice], pixels: Any) -> Any:
    scores = np.exp(red_share(region, pixels))
    return scores / scores.sum(axis=1, keepdims=True)


MIDDLE = (slice(24, 40), slice(24, 40))
EDGE = (slice(0, 4), slice(0, SIDE))


def test_curves_favour_a_map_that_is_right() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[MIDDLE] = 250
    right = np.zeros((16, 16))
    right[6:10, 6:10] = 1
    evaluate = partial(probabilities, MIDDLE)
    found = curves(evaluate, pixels, right, 0, np.random.default_rng(0))
    assert found.deletion.shape == (STEPS + 1,)
    assert found.deletion[0] == found.insertion[-1]
    assert area(found.deletion) < area(found.random_deletion) - 0.02
    assert area(found.insertion) > area(found.random_insertion) + 0.02
    wrong = curves(evaluate, pixels, -right, 0, np.random.default_rng(0))
    assert area(wrong.deletion) > area(found.random_deletion)


def test_area_of_a_straight_line_is_a_half() -> None:
    assert area(np.linspace(0, 1, STEPS + 1)) == pytest.approx(0.5)


def test_a_map_is_brought_to_cells_by_means() -> None:
    fine = np.arange(28.0 * 28).reshape(28, 28)
    assert np.allclose(resized_mean(fine, 14), fine.reshape(14, 2, 14, 2).mean(axis=(1, 3)))
    assert resized_mean(np.ones((7, 7)), 14).shape == (14, 14)
    assert np.allclose(resized_mean(np.full((25, 25), 3.0), 14), 3)


def test_rank_correlation_equals_that_of_scipy() -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(2, 9, 9)).round(1)
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert np.isnan(rank_correlation(a, np.zeros((9, 9))))


def test_intervals_cover_the_mean_and_need_six_values() -> None:
    values = np.random.default_rng(2).normal(1, 1, 60).tolist()
    found = mean_interval(values)
    assert found["n"] == 60
    assert found["low"] < found["value"] < found["high"]  # type: ignore[operator]
    assert mean_interval(values[:5])["low"] is None
    assert mean_interval([]) == {"value": None, "low": None, "high": None, "n": 0}


@pytest.mark.parametrize("n", [6, 12])
def test_intervals_of_few_values_cover_what_they_say(n: int) -> None:
    # 2,000 draws: the standard error of the coverage is half a percent
    drawn = np.random.default_rng(n).normal(0.3, 2.0, (2000, n))
    found = [mean_interval(values.tolist()) for values in drawn]
    covered = np.mean([one["low"] <= 0.3 <= one["high"] for one in found])  # type: ignore[operator]
    assert 0.935 <= covered <= 0.965


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


def test_an_object_anywhere_draws_no_warning() -> None:
    # the same region counts as much as its control: the test must not fire
    generator = np.random.default_rng(3)
    found = [Exchange(0, 1, *generator.normal(0.25, 0.1, 2)) for _ in range(60)]
    assert not any(v.drawn for v in exchange_verdicts(found, 2, 2))


def test_a_region_that_counts_little_draws_no_warning() -> None:
    found = [Exchange(0, 1, LEAST / 2, 0.0) for _ in range(60)]
    verdict = exchange_verdicts(found, 2, 1)[0]
    assert verdict.p < 1e-6
    assert not verdict.drawn


@pytest.mark.parametrize(("n_classes", "n_regions", "least"), [(2, 1, 12), (6, 2, 14), (20, 2, 16)])
def test_pairs_are_enough_when_all_together_could_call_for_a_warning(
    n_classes: int, n_regions: int, least: int
) -> None:
    for n in range(least - 3, least + 3):
        everywhere = next(
            v for v in exchange_verdicts([Exchange(0, 1, 0.9, 0.0)] * n, n_classes, n_regions) if v.class_index is None
        )
        assert everywhere.enough == everywhere.drawn == (n >= least)
    assert 0.5**least < LEVEL / (n_regions * (n_classes + 1)) <= 0.5 ** (least - 1)


def test_a_shortcut_of_one_class_is_named() -> None:
    found = [Exchange(0, 1, 0.8, 0.05) for _ in range(20)] + [Exchange(1, 2, 0.0, 0.05) for _ in range(60)]
    drawn = [v for v in exchange_verdicts(found, 3, 1) if v.drawn]
    assert [v.class_index for v in drawn] == [0]
    assert drawn[0].n == 20


def test_partners_are_of_another_class_and_take_turns() -> None:
    predicted = np.array([0] * 10 + [1] * 10)
    pairs = partners(predicted, np.random.default_rng(0))
    assert sorted(i for i, _ in pairs) == list(range(20))
    assert sorted(j for _, j in pairs) == list(range(20))
    assert all(predicted[i] != predicted[j] for i, j in pairs)
    assert partners(np.zeros(4, int), np.random.default_rng(0)) == []


@pytest.mark.parametrize("rows", [(56, 64), (0, 8), (50, 64)])
def test_the_control_of_a_bar_is_a_band_elsewhere(rows: tuple[int, int]) -> None:
    region = np.zeros((SIDE, SIDE), bool)
    region[slice(*rows)] = True
    for seed in range(20):
        control = control_band(region, np.ones_like(region), np.random.default_rng(seed))
        assert control is not None
        assert control.sum() == region.sum()
        assert not (control & region).any()
        # clear of the edges by its height
        height = rows[1] - rows[0]
        assert not control[:height].any()
        assert not control[-height:].any()


def test_the_control_of_a_tall_bar_is_where_there_is_room_and_beyond_half_nowhere() -> None:
    region = np.zeros((SIDE, SIDE), bool)
    region[36:] = True
    control = control_band(region, np.ones_like(region), np.random.default_rng(0))
    assert control is not None
    assert control.sum() == region.sum()
    assert not (control & region).any()
    region[30:] = True
    assert control_band(region, np.ones_like(region), np.random.default_rng(0)) is None


def test_the_control_of_a_bar_at_a_physical_scale_stays_in_the_picture() -> None:
    # a picture of 100 x 200 pixels of 2 nm in an input of 64 pixels of 10 nm: 20 x 40 of it in the middle
    scaled = Preprocessing(size=SIDE, info_bar="keep", scale_nm=10.0)
    inside = picture_mask((100, 200), scaled, 2.0)
    region = bar_mask(Bar(80, 100, "pixels"), (100, 200), scaled, 2.0)
    assert inside is not None
    assert region is not None
    assert region.sum() == 4 * 40
    for seed in range(20):
        control = control_band(region, inside, np.random.default_rng(seed))
        assert control is not None
        assert control.sum() == region.sum()
        assert not (control & (region | ~inside)).any()
        assert np.array_equal(control.any(axis=0), region.any(axis=0))


@pytest.mark.parametrize("size", [(60, 300), (100, 48), (61, 33), (400, 400)])
def test_the_picture_lies_where_it_was_fitted(size: tuple[int, int]) -> None:
    rows, columns = np.indices(size) // 8
    squares = (255 * ((rows + columns) % 2)).astype(np.uint8)  # what is filled around them is of one value
    scaled = Preprocessing(size=SIDE, scale_nm=10.0)
    seen = fit(squares, scaled, 5.0)[:, :, 0].astype(float)
    found = picture_mask(size, scaled, 5.0)
    where = np.ones((SIDE, SIDE), bool) if found is None else found
    assert np.array_equal(seen.std(axis=1) > 0, where.any(axis=1))
    assert np.array_equal(seen.std(axis=0) > 0, where.any(axis=0))
    assert (found is None) == (size == (400, 400))


def test_the_control_of_a_frame_is_a_ring_of_its_area() -> None:
    frame = border_frame(224)
    control = control_ring(frame)
    assert not (control & frame).any()
    assert control.sum() == pytest.approx(frame.sum(), rel=0.03)


def test_regions_of_the_input() -> None:
    kept = Preprocessing(size=32, info_bar="keep")
    mask = bar_mask(Bar(90, 100, "pixels"), (100, 200), kept)
    assert mask is not None
    assert np.flatnonzero(mask.all(axis=1)).tolist() == [29, 30, 31]
    assert bar_mask(Bar(90, 100, "pixels"), (100, 200), Preprocessing(size=32)) is None
    assert bar_mask(None, (100, 200), kept) is None
    assert shown_size(Bar(90, 100, "pixels"), (100, 200), Preprocessing(size=32)) == (90, 200)
    assert shown_size(Bar(90, 100, "pixels"), (100, 200), kept) == (100, 200)
    values = np.where(mask, -3.0, 1.0)
    assert share_in(values, mask) == pytest.approx(3 * 96 / (3 * 96 + 32 * 29))
    assert share_in(np.zeros((32, 32)), mask) is None


def test_occlusion_credits_the_covered_place() -> None:
    pixels = np.full((SIDE, SIDE, 3), 40, np.uint8)
    pixels[MIDDLE] = 250
    found = occlusion_map(partial(red_share, MIDDLE), pixels, np.array([0, 1]))
    x, y = peak(found[0], pixels)
    assert 24 <= x * SIDE < 40
    assert 24 <= y * SIDE < 40
    assert np.allclose(found[0], -found[1])


def test_overlays_keep_the_proportions_and_say_the_sign() -> None:
    shown = picture(np.full((32, 32, 3), 128, np.uint8), (100, 200))
    assert shown.shape == (168, 336, 3)
    values = np.zeros((16, 16))
    values[:, :8], values[:, 8:] = 1.0, -1.0
    laid = overlay(shown, values, full_scale(values[None]))
    left, right = laid[84, 40].astype(int), laid[84, 300].astype(int)
    assert left[0] > left[2] + 80
    assert right[2] > right[0] + 80
    assert np.array_equal(overlay(shown, 0 * values, 1.0), shown)


def test_the_peak_is_where_evidence_for_the_class_is() -> None:
    values = np.zeros((56, 56))
    values[10:14, 40:44], values[40:48, 10:18] = 1.0, -5.0
    x, y = peak(values, np.full((224, 224, 3), 90, np.uint8))
    assert 40 / 56 < x < 44 / 56
    assert 10 / 56 < y < 14 / 56


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
