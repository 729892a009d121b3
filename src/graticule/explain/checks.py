"""The checks beside the pictures of `graticule explain`: do the maps mean something, does the border draw the eye?"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray
from graticule.explain.exchange import (
    LEAST,
    LEVEL,
    TIMES,
    Exchange,
    control_band,
    control_ring,
    exchange,
    exchange_verdicts,
    partners,
)
from graticule.explain.fidelity import Curves, curves, curves_found, likeness, mean_interval
from graticule.explain.image import Explained, Seen, probabilities_of, results_in_order, sizes_of
from graticule.explain.model import ExplainableModel
from graticule.explain.targets import log_probabilities
from graticule.images.decode import ImageFile
from graticule.progress import Reporter

See = Callable[[int], Seen | str]
EXAMINED = 12  # images of the costly checks
REGIONS = ("border", "info bar")
_FEW_PAIRS = 40  # below, pictures with a bar are exchanged once more


@dataclass(frozen=True)
class CheckedImage:
    """An image of the checks: its file, its explanation and its predicted class."""

    file: ImageFile
    explained: Explained


@dataclass(frozen=True)
class ExchangedPair:
    """One pair of images after the exchange.

    Attributes
    ----------
    exchanges : dict
        Per region; those that neither image has are left out.
    barred : set of int
        Which of the two images carry a bar.
    no_room : tuple of str
        Regions beside which no strip of their size is free.
    """

    exchanges: dict[str, Exchange]
    barred: set[int]
    no_room: tuple[str, ...]


def attention(explained: Sequence[tuple[float | None, float | None, float, float | None]]) -> dict[str, Any]:
    """Mean share of the maps on border and bar, beside the share of the area.

    Parameters
    ----------
    explained : sequence of (border share, bar share, border area, bar area)
    """
    border = [row[0] for row in explained if row[0] is not None]
    bars = [(row[1], row[3]) for row in explained if row[1] is not None and row[3] is not None]
    return {
        "border": mean_interval(border) | {"area": float(np.mean([row[2] for row in explained]))},
        "info_bar": mean_interval([b for b, _ in bars]) | {"area": float(np.mean([a for _, a in bars]))}
        if bars
        else None,
    }


def fidelity(
    model: ExplainableModel,
    subjects: Sequence[CheckedImage],
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Deletion and insertion curves against random order."""
    reporter.begin("deletion and insertion", len(subjects))
    found: list[Curves] = []
    tasks = list(enumerate(subjects))
    for result in results_in_order(partial(_curves, model, seed), tasks, threads, 4):
        found.append(result)
        reporter.advance(len(found))
    return curves_found(found)


def _curves(model: ExplainableModel, seed: int, task: tuple[int, CheckedImage]) -> Curves:
    i, subject = task
    one = subject.explained
    generator = np.random.default_rng([seed, i])
    evaluate = probabilities_of(model, one.seen)
    return curves(evaluate, one.seen.pixels, one.maps[0], int(one.classes[0]), generator)


def randomisation(
    model: ExplainableModel,
    method: str,
    subjects: Sequence[CheckedImage],
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> list[dict[str, Any]] | None:
    """Rank correlation of the maps with those of a network whose weights are destroyed from the head down.

    Both are maps of the method that is drawn, for the class predicted by the true weights, without a baseline. None for
    occlusion, which would run the network a hundred times per image and stage.
    """
    if method == "occlusion":
        return None
    reporter.step("maps of randomised weights")

    def maps_of(some: ExplainableModel) -> list[FloatArray]:
        return list(results_in_order(partial(_plain_map, some, method), subjects, threads, 4))

    mine = maps_of(replace(model, baseline=None))
    destroyed = model.randomised(seed)
    return [likeness(name, mine, [[one] for one in maps_of(some)]) for name, some in destroyed]


def _plain_map(model: ExplainableModel, method: str, subject: CheckedImage) -> FloatArray:
    one = subject.explained
    maps = model.any_maps(one.seen.pixels[None], one.classes[None, :1], sizes_of(model, one.seen, 1), method)
    return np.asarray(maps[0, 0])


def regions(
    model: ExplainableModel,
    see: See,
    predicted: NDArray[np.int64],
    classes: tuple[str, ...],
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Exchange border and info bar between images of different predicted classes.

    Where few images carry a bar, those meet further partners in a second round.

    Parameters
    ----------
    model : ExplainableModel
    see : function of a place
        What the network sees of that image, read when it is asked for; a text where it cannot be read.
    predicted : int array, shape (n,)
    classes : tuple of str
    threads, seed, reporter
        As for the other checks.
    """
    generator = np.random.default_rng(seed)
    pairs = partners(predicted, generator)
    again = partners(predicted, generator)
    run = partial(_exchange_all, model, see, predicted, threads=threads, seed=seed, reporter=reporter)
    outcomes = run(pairs, REGIONS)
    if 0 < sum("info bar" in pair.exchanges for pair in outcomes) < _FEW_PAIRS:
        barred = set().union(*(pair.barred for pair in outcomes))
        more = [(i, j) for i, j in again if (i in barred or j in barred) and (i, j) not in pairs]
        outcomes += run(more, ("info bar",))
    found = {region: [pair.exchanges[region] for pair in outcomes if region in pair.exchanges] for region in REGIONS}
    tested = {region: some for region, some in found.items() if some}
    return {
        "pairs": len(pairs),
        "no_room": {region: n for region in REGIONS if (n := sum(region in pair.no_room for pair in outcomes))},
        "level": LEVEL,
        "times_control": TIMES,
        "least_share": LEAST,
        "regions": {
            region: [
                {"class": None if v.class_index is None else classes[v.class_index]}
                | {key: value for key, value in asdict(v).items() if key != "class_index"}
                for v in exchange_verdicts(some, len(classes), len(tested))
            ]
            for region, some in tested.items()
        },
    }


def _exchange_all(
    model: ExplainableModel,
    see: See,
    predicted: NDArray[np.int64],
    pairs: Sequence[tuple[int, int]],
    wanted: Sequence[str],
    *,
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> list[ExchangedPair]:
    """Exchange the wanted regions of all pairs."""
    reporter.begin("exchanging " + " and ".join(wanted), len(pairs))
    tasks = [(i, j, int(predicted[i]), int(predicted[j]), seed) for i, j in pairs]
    outcomes: list[ExchangedPair] = []
    for pair in results_in_order(partial(_exchanged, model, see, wanted), tasks, threads, 4):
        outcomes.append(pair)
        reporter.advance(len(outcomes))
    return outcomes


def _exchanged(
    model: ExplainableModel, see: See, wanted: Sequence[str], task: tuple[int, int, int, int, int]
) -> ExchangedPair:
    """The wanted regions of one pair; nothing where a file cannot be read."""
    i, j, a, b, seed = task
    kept, given = see(i), see(j)
    if isinstance(kept, str) or isinstance(given, str):
        return ExchangedPair({}, set(), ())
    evaluate = partial(_logs, model, kept, given)
    found, no_room = {}, []
    for region, (mask, control) in _masks(kept, given, np.random.default_rng([seed, i, j])).items():
        if region not in wanted:
            continue
        if control is None:
            no_room.append(region)
            continue
        one = exchange(evaluate, kept.pixels, given.pixels, (a, b), (mask, control))
        if one is not None:
            found[region] = one
    barred = {at for at, bar in ((i, kept.bar), (j, given.bar)) if bar is not None}
    return ExchangedPair(found, barred, tuple(no_room))


def _masks(kept: Seen, given: Seen, generator: np.random.Generator) -> dict[str, tuple[BoolArray, BoolArray | None]]:
    """Per region that the two pictures have, its mask and that of its control."""
    border = kept.border & given.border
    masks: dict[str, tuple[BoolArray, BoolArray | None]] = {"border": (border, control_ring(border))}
    bars = [mask for mask in (kept.bar, given.bar) if mask is not None]
    if bars:
        bar = np.logical_or.reduce(bars)
        masks["info bar"] = bar, control_band(bar, kept.inside & given.inside, generator)
    return masks


def _logs(model: ExplainableModel, kept: Seen, given: Seen, pixels: NDArray[np.uint8]) -> FloatArray:
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
