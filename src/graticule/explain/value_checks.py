"""Do the maps of a number mean something? Deletion, insertion and destroyed weights, of each part of the features.

As for classes (`graticule.explain.checks`), with the number on the scale that is learnt in place of a probability.
What deletion and insertion gain over a random order is counted in standard deviations of the model's numbers.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import BoolArray, FloatArray, Pixels
from graticule.explain.fidelity import Curves, curves, curves_found, likeness
from graticule.explain.image import Seen, results_in_order, sizes_of
from graticule.explain.occlusion import credited
from graticule.explain.targets import head_basis
from graticule.explain.told import NETWORK
from graticule.explain.traced import POSITIONS, Traced, TracedValue, kept_in_order
from graticule.explain.values import ExplainableValue
from graticule.heads.scoring import LinearHead, LogitHead, RbfHead
from graticule.images.decode import ImageFile
from graticule.networks.pooling import ORIENTATION
from graticule.progress import Reporter

Result = TypeVar("Result")
_SHUFFLES = 200
# of a file, orientation statistics of parts of its picture; None where it can no longer be read
Statistics = Callable[[ImageFile, Sequence[BoolArray | None]], NDArray[np.float32] | None]


@dataclass(frozen=True)
class ValueSubject:
    """An image of the checks: its file and what was traced."""

    file: ImageFile
    traced: Traced


def value_checks(
    value: TracedValue,
    method: str,
    subjects: Sequence[ValueSubject],
    statistics: Statistics,
    spread: float,
    threads: ThreadPoolExecutor,
    seed: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Checks of each part that has maps: "fidelity", and "randomised_weights" or None.

    Parameters
    ----------
    value : TracedValue
    method : str
        Of the network's part.
    subjects : sequence of ValueSubject
    statistics : function
        Orientation statistics of parts of a file's picture.
    spread : float
        Standard deviation of the model's numbers, above 0.
    threads, seed, reporter
        As for the checks of classes.
    """
    found: dict[str, Any] = {}
    tasks = list(enumerate(subjects))
    if value.network is not None:
        reporter.begin("deletion and insertion", len(subjects))
        made = results_in_order(partial(_network_curves, value, seed), tasks, threads, 4)
        fidelity = curves_found(_told(made, reporter), spread)
        reporter.step("maps of randomised weights")
        destroyed = _network_destroyed(value, method, subjects, threads, seed)
        found[NETWORK] = {"fidelity": fidelity, "randomised_weights": destroyed}
    if ORIENTATION in value.parts:
        reporter.begin("leaving places out", len(subjects))
        left = results_in_order(partial(_orientation_curves, value, seed, statistics), tasks, threads, 4)
        fidelity = curves_found([one for one in _told(left, reporter) if one is not None], spread)
        found[ORIENTATION] = {
            "fidelity": fidelity,
            "randomised_weights": _orientation_destroyed(value, subjects, seed),
        }
    return found


def _told(made: Iterable[Result], reporter: Reporter) -> list[Result]:
    found: list[Result] = []
    for one in made:
        found.append(one)
        reporter.advance(len(found))
    return found


def _network_curves(value: TracedValue, seed: int, task: tuple[int, ValueSubject]) -> Curves:
    i, subject = task
    one = subject.traced
    held = value.network_at(None if one.rest is None else one.rest[0])
    evaluate = partial(_learnt, held, one.seen)
    return curves(evaluate, one.seen.pixels, one.maps[NETWORK], 0, np.random.default_rng([seed, i]))


def _learnt(held: ExplainableValue, seen: Seen, pixels: Pixels) -> FloatArray:
    return held.learnt(pixels, sizes_of(held.model, seen, len(pixels)))


def _orientation_curves(
    value: TracedValue, seed: int, statistics: Statistics, task: tuple[int, ValueSubject]
) -> Curves | None:
    i, subject = task
    one = subject.traced
    parts = kept_in_order(one.maps[ORIENTATION], np.random.default_rng([seed, i]))
    found = statistics(subject.file, parts)
    return None if found is None else value.orientation_curves(one.features, found)


def _network_destroyed(
    value: TracedValue, method: str, subjects: Sequence[ValueSubject], threads: ThreadPoolExecutor, seed: int
) -> list[dict[str, Any]] | None:
    """None for occlusion, and where the network's part cannot be asked without orientation statistics.

    Of a model that has both, these are held at their average.
    """
    network = value.network
    if network is None or method == "occlusion" or (ORIENTATION in value.parts and value.average is None):
        return None

    def maps_of(some: ExplainableValue) -> list[FloatArray]:
        seen = [subject.traced.seen for subject in subjects]
        return list(results_in_order(partial(_plain_map, some, method), seen, threads, 4))

    mine = maps_of(network)
    destroyed = network.model.randomised(seed)
    found = []
    for name, model in destroyed:
        others = maps_of(ExplainableValue(model, network.members))
        found.append(likeness(name, mine, [[one] for one in others]))
    return found


def _plain_map(some: ExplainableValue, method: str, seen: Seen) -> FloatArray:
    return some.plain_map(seen, method)


def _orientation_destroyed(value: TracedValue, subjects: Sequence[ValueSubject], seed: int) -> list[dict[str, Any]]:
    """Of each picture the mean over several shuffles of the head, each of which turns all maps one way or the other.

    What leaving a place out changes is much the same in many statistics.
    """
    heads = [head for head in value.heads if not isinstance(head, LogitHead)]
    falls = [_falls(heads, value, subject.traced) for subject in subjects]
    own = [head_basis(head, np.zeros((1, value.n_features)))[1][:, 0] for head in heads]
    generator = np.random.default_rng(seed)
    destroyed = [[generator.permutation(weights) for weights in own] for _ in range(_SHUFFLES)]
    return [
        likeness(
            "head",
            [_map_by(own, one) for one in falls],
            [[_map_by(some, one) for some in destroyed] for one in falls],
        )
    ]


def _falls(heads: Sequence[LinearHead | RbfHead], value: TracedValue, one: Traced) -> list[FloatArray]:
    """How much what each head adds up falls where a place is left out, each of shape (positions, m)."""
    rest = np.zeros((1, 0)) if one.rest is None else one.rest
    rows = np.repeat(one.features[None], len(rest), axis=0)
    rows[:, value.parts[ORIENTATION]] = rest
    found = [head_basis(head, rows)[0] for head in heads]
    return [basis[0] - basis[1:] for basis in found]


def _map_by(weights: Sequence[FloatArray], falls: Sequence[FloatArray]) -> FloatArray:
    """The map of the orientation statistics of one picture by some weights of each head."""
    fall = np.mean([each @ own for each, own in zip(falls, weights, strict=True)], axis=0)
    return np.asarray(credited(fall[None], POSITIONS)[0])
