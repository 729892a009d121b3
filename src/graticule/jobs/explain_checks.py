"""The checks beside the pictures of `graticule explain`: do the maps mean something, does the border draw the eye?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.data.decode import ImageFile
from graticule.explain.fidelity import Curves, area, curves, mean_interval, rank_correlation
from graticule.explain.model import ExplainableModel
from graticule.explain.shortcut import LEAST, LEVEL, TIMES, Exchange, control_mask, exchange, judge, partners
from graticule.explain.targets import log_probabilities
from graticule.jobs.explain_work import Explained, Seen, in_order, look, probabilities_of, sizes_of
from graticule.jobs.samples import Reporter

Doubles = NDArray[np.float64]
EXAMINED = 12  # images of the costly checks
_FEW_PAIRS = 40  # below, pictures with a bar are exchanged once more
_LEAST_PAIRS = 14  # below, not even all pairs together can call for a warning


@dataclass(frozen=True)
class Subject:
    """An image of the checks: its file, its explanation and its predicted class."""

    file: ImageFile
    explained: Explained


def attention(explained: Sequence[tuple[float | None, float | None, float, float | None]], seed: int) -> dict[str, Any]:
    """Mean share of the maps on border and bar, beside the share of the area.

    Parameters
    ----------
    explained : sequence of (border share, bar share, border area, bar area)
    """
    border = [row[0] for row in explained if row[0] is not None]
    bars = [(row[1], row[3]) for row in explained if row[1] is not None and row[3] is not None]
    return {
        "border": mean_interval(border, seed) | {"area": float(np.mean([row[2] for row in explained]))},
        "info_bar": mean_interval([b for b, _ in bars], seed) | {"area": float(np.mean([a for _, a in bars]))}
        if bars
        else None,
    }


def fidelity(
    model: ExplainableModel, subjects: Sequence[Subject], threads: ThreadPoolExecutor, seed: int, reporter: Reporter
) -> dict[str, Any]:
    """Deletion and insertion curves against random order."""
    reporter.begin("deletion and insertion", len(subjects))
    found: list[Curves] = []
    tasks = list(enumerate(subjects))
    for result in in_order(partial(_curves, model, seed), tasks, threads, 4):
        found.append(result)
        reporter.advance(len(found))
    gains = {
        "deletion": [area(c.random_deletion) - area(c.deletion) for c in found],
        "insertion": [area(c.insertion) - area(c.random_insertion) for c in found],
    }
    names = ("deletion", "insertion", "random_deletion", "random_insertion")
    return {
        "n": len(found),
        "curves": {name: np.mean([getattr(c, name) for c in found], axis=0).round(5).tolist() for name in names},
        "areas": {name: float(np.mean([area(getattr(c, name)) for c in found])) for name in names},
        "gain": {name: mean_interval(values, seed) for name, values in gains.items()},
    }


def _curves(model: ExplainableModel, seed: int, task: tuple[int, Subject]) -> Curves:
    i, subject = task
    one = subject.explained
    generator = np.random.default_rng([seed, i])
    evaluate = probabilities_of(model, one.seen)
    return curves(evaluate, one.seen.pixels, one.maps[0], int(one.classes[0]), generator)


def randomisation(
    model: ExplainableModel, subjects: Sequence[Subject], threads: ThreadPoolExecutor, seed: int, reporter: Reporter
) -> list[dict[str, Any]]:
    """Rank correlation of the maps with those of a network whose weights are destroyed from the head down."""
    reporter.step("maps of randomised weights")
    rows = []
    for name, destroyed in model.randomised(seed):
        pairs = list(in_order(partial(_compared, model, destroyed), subjects, threads, 4))
        rows.append(
            {
                "destroyed": name,
                "signed": mean_interval([signed for signed, _ in pairs], seed),
                "absolute": mean_interval([absolute for _, absolute in pairs], seed),
            }
        )
    return rows


def _compared(model: ExplainableModel, destroyed: ExplainableModel, subject: Subject) -> tuple[float, float]:
    """Signed and absolute rank correlation for the class predicted by the true weights, without baselines."""
    one = subject.explained
    mine, other = (
        some.maps(one.seen.pixels[None], one.classes[None, :1], sizes_of(some, one.seen, 1))[0, 0]
        for some in (model, destroyed)
    )
    return rank_correlation(mine, other), rank_correlation(np.abs(mine), np.abs(other))


def regions(
    model: ExplainableModel,
    files: Sequence[ImageFile],
    predicted: NDArray[np.int64],
    classes: tuple[str, ...],
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Exchange border and info bar between images of different predicted classes.

    Where few images carry a bar, those meet further partners in a second round.
    """
    generator = np.random.default_rng(seed)
    pairs = partners(predicted, generator)
    again = partners(predicted, generator)
    found: dict[str, list[Exchange]] = {"border": [], "info bar": []}
    barred = _exchange_all(model, files, predicted, pairs, found, threads, seed, reporter)
    if 0 < len(found["info bar"]) < _FEW_PAIRS:
        more = [(i, j) for i, j in again if (i in barred or j in barred) and (i, j) not in pairs]
        _exchange_all(model, files, predicted, more, {"info bar": found["info bar"]}, threads, seed, reporter)
    tested = {region: some for region, some in found.items() if some}
    return {
        "pairs": len(pairs),
        "enough": any(len(some) >= _LEAST_PAIRS for some in tested.values()),
        "level": LEVEL,
        "times_control": TIMES,
        "least_share": LEAST,
        "regions": {
            region: [
                {"class": None if v.class_index is None else classes[v.class_index]}
                | {key: value for key, value in asdict(v).items() if key != "class_index"}
                for v in judge(some, len(classes), len(tested))
            ]
            for region, some in tested.items()
        },
    }


def _exchange_all(
    model: ExplainableModel,
    files: Sequence[ImageFile],
    predicted: NDArray[np.int64],
    pairs: Sequence[tuple[int, int]],
    found: dict[str, list[Exchange]],
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> set[int]:
    """Exchange the regions named in `found`, and add the outcomes there; returns the images with a bar."""
    reporter.begin("exchanging " + " and ".join(found), len(pairs))
    tasks = [(i, j, int(predicted[i]), int(predicted[j]), seed) for i, j in pairs]
    barred = set()
    for done, (exchanged, bars) in enumerate(in_order(partial(_exchanged, model, files), tasks, threads, 4), 1):
        barred |= bars
        for region in found.keys() & exchanged.keys():
            found[region].append(exchanged[region])
        reporter.advance(done)
    return barred


def _exchanged(
    model: ExplainableModel, files: Sequence[ImageFile], task: tuple[int, int, int, int, int]
) -> tuple[dict[str, Exchange], set[int]]:
    """Both regions of one pair, and which of the two images carry a bar.

    A region that neither picture has is left out, as is an unreadable file.
    """
    i, j, a, b, seed = task
    kept, given = look(files[i], model), look(files[j], model)
    if isinstance(kept, str) or isinstance(given, str):
        return {}, set()
    masks = {"border": kept.border & given.border}
    bars = [mask for mask in (kept.bar, given.bar) if mask is not None]
    if bars:
        masks["info bar"] = np.logical_or.reduce(bars)
    generator = np.random.default_rng([seed, i, j])
    evaluate = partial(_logs, model, kept, given)
    found = {}
    for region, mask in masks.items():
        one = exchange(evaluate, kept.pixels, given.pixels, (a, b), (mask, control_mask(mask, generator)))
        if one is not None:
            found[region] = one
    return found, {at for at, bar in ((i, kept.bar), (j, given.bar)) if bar is not None}


def _logs(model: ExplainableModel, kept: Seen, given: Seen, pixels: NDArray[np.uint8]) -> Doubles:
    """Mean log probabilities over the heads; the second picture is `given`, the others are variants of `kept`."""
    sizes = None
    if model.encoder.sizes:
        sizes = np.repeat(kept.size[None], len(pixels), axis=0)
        sizes[1] = given.size
    return np.asarray(log_probabilities(model.heads, model.features(pixels, sizes)).mean(axis=0))


def warnings_of(checks: dict[str, Any]) -> list[str]:
    """One sentence per region that draws the model."""
    said = []
    for region, verdicts in checks["regions"].items():
        drawn = [v for v in verdicts if v["drawn"]]
        if not drawn:
            continue
        worst = drawn[0]
        everywhere = next((v for v in drawn if v["class"] is None), None)
        of = "" if everywhere else f" in pairs with class “{worst['class']}”"
        shown = everywhere or worst
        control = 100 * max(shown["control"], 0)
        said.append(
            f"The {region} draws the model: when it is exchanged between images of two classes{of}, "
            f"{100 * shown['share']:.0f} % of the decision goes with it, against {control:.0f} % "
            f"for a strip of the same area inside the picture ({shown['n']} pairs)."
        )
    return said
