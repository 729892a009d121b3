"""Planted label errors found again, against the methods of confident learning on the same scores, as Markdown tables.

    python benchmarks/label_errors.py DATA [--seeds 20] [--share 0.05] [--head searched|fixed] [--cache FOLDER]
                                      [--parts all whole] [--views 4]

For each seed a share of the labels is changed, to any other class ("random") or to the class that heads on the labels
as they are confuse most with the true one ("confused"); folds and heads see the changed labels only.
Heads are logistic; their settings are searched anew in each fold, or fixed to those of the first fold on the labels as
they are (twenty times faster). Rankings are judged by the planted errors; wrong labels that the data had before count
as false alarms. --parts: heads and neighbours of the program as it is, or of the whole picture's features alone, as in
earlier versions; with both the rankings are compared on the same seeds.
Methods compared, as Northcutt et al. (2021) and the package cleanlab define them: self-confidence, normalised margin,
confidence-weighted entropy, the first two after subtracting the classes' thresholds, and pruning (confident joint;
noise rates), whose choice comes first and the rest after it, each by self-confidence or margin.

The second table tells the estimated share of wrong labels at 0, 2, 5 and 10 % planted, over `--share-seeds` seeds. With
`--cache`, out-of-fold scores are kept and not computed again. Interrupted, it judges the seeds that are done.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.metrics import average_precision_score
from tests.label_errors.joint import confident_joint, confident_thresholds

from graticule.arrays import class_codes
from graticule.heads.crossval import cross_validate, fold_rows
from graticule.heads.scoring import probabilities
from graticule.heads.search import HeadChoice, fit_choice
from graticule.label_errors.ranking import find_label_errors
from graticule.split.folds import make_folds
from sides import SIDES, Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
KINDS = ("random", "confused")
SHARES = (0.0, 0.02, 0.05, 0.10)


@dataclass(frozen=True)
class Data:
    """Images with true labels, the features of a side, and the class that each class is most confused with."""

    name: str
    side: Side
    y: Ints
    classes: int
    confused: Ints
    fixed: HeadChoice | None
    cache: Path | None

    @classmethod
    def of(cls, name: str, side: Side, confused: Ints | None, cache: Path | None, head: str) -> Data:
        """Images of a side; `confused` of another side, so that both get the same wrong labels."""
        manifest = side.samples.manifest
        k, y = len(manifest.classes), class_codes(manifest.label, manifest.classes)
        found = None
        if confused is None or head == "fixed":
            search = side.search("logistic", k, 0, grouped=False)
            found = cross_validate(side.samples.features, y, make_folds(y, k=5, seed=0), search)
        if confused is None:
            assert found is not None
            confusion = np.zeros((k, k))
            np.add.at(confusion, (y, found.proba.argmax(axis=1)), 1)
            np.fill_diagonal(confusion, -1)
            confused = confusion.argmax(axis=1)
        fixed = found.choices[0] if found is not None and head == "fixed" else None
        return cls(name, side, y, k, confused, fixed, cache)

    @property
    def compared(self) -> NDArray[np.float32]:
        """What neighbours and the second look see, in half precision, as bundles keep it."""
        return self.side.samples.alike_features.astype(np.float16).astype(np.float32)


def planted(data: Data, share: float, kind: str, seed: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Labels with errors, and where these are."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    wrong = np.zeros(len(data.y), dtype=bool)
    wrong[rng.choice(len(data.y), round(share * len(data.y)), replace=False)] = True
    other = (data.y + rng.integers(1, data.classes, len(data.y))) % data.classes
    return np.where(wrong, other if kind == "random" else data.confused[data.y], data.y), wrong


def scored(data: Data, y: Ints, key: str, seed: int) -> tuple[Floats, Ints]:
    """Out-of-fold scores of heads that saw these labels, and the folds."""
    file = None if data.cache is None else data.cache / f"{data.name}_{key}{'_fixed' if data.fixed else ''}.npz"
    if file is not None and file.exists():
        with np.load(file) as stored:
            return stored["proba"], stored["fold"]
    folds = make_folds(y, k=5, seed=seed)
    features, search = data.side.samples.features, data.side.search("logistic", data.classes, seed, grouped=False)
    if data.fixed is None:
        proba = cross_validate(features, y, folds, search).proba
    else:
        proba = np.empty((len(y), data.classes))
        for train, test in fold_rows(folds):
            head = fit_choice(search.scalings(features, train), y[train], data.classes, data.fixed)
            proba[test] = probabilities([head], features[test])
    if file is not None:
        np.savez(file, proba=proba, fold=folds.fold)
    return proba, folds.fold


def rivals(proba: Floats, y: Ints) -> dict[str, Floats]:
    """Suspicion of each label by the methods of confident learning, higher is worse; shape (n,) each."""
    rows = np.arange(len(y))

    def confidence(p: Floats) -> Floats:
        return np.asarray(p[rows, y], dtype=np.float64)

    def margin(p: Floats) -> Floats:
        others = p.copy()
        others[rows, y] = -np.inf
        return np.asarray(confidence(p) - others.max(axis=1), dtype=np.float64)

    threshold = confident_thresholds(proba, y)
    adjusted = proba - threshold + threshold.max()
    adjusted /= adjusted.sum(axis=1, keepdims=True)
    entropy = -(proba * np.log(np.clip(proba, 1e-12, 1.0))).sum(axis=1)
    plain = {"self-confidence": -confidence(proba), "normalised margin": -margin(proba)}
    found = plain | {
        "confidence-weighted entropy": entropy / np.clip(confidence(proba), 1e-12, 1.0),
        "adjusted self-confidence": -confidence(adjusted),
        "adjusted margin": -margin(adjusted),
    }
    for name, base in plain.items():
        found[f"confident joint, then {name}"] = base + 10.0 * _off_diagonal(proba, y, threshold)
        found[f"pruned by noise rate, then {name}"] = base + 10.0 * _pruned(proba, y)
    return found


def _off_diagonal(proba: Floats, y: Ints, threshold: Floats) -> NDArray[np.bool_]:
    reached = proba >= threshold - 1e-12
    return np.asarray(reached.any(axis=1) & (np.where(reached, proba, -1.0).argmax(axis=1) != y), dtype=bool)


def _pruned(proba: Floats, y: Ints) -> NDArray[np.bool_]:
    """Per pair of classes as many images as the calibrated confident joint counts, those of the largest margin."""
    joint = confident_joint(proba, y).astype(float)
    joint *= np.bincount(y, minlength=len(joint))[:, None] / np.maximum(joint.sum(axis=1, keepdims=True), 1.0)
    joint *= len(y) / joint.sum()
    pruned = np.zeros(len(y), dtype=bool)
    for i, j in np.argwhere(np.round(joint) > 0):
        if i != j:
            rows = np.flatnonzero(y == i)
            order = np.argsort(proba[rows, i] - proba[rows, j], kind="stable")
            pruned[rows[order[: round(joint[i, j])]]] = True
    return pruned


def ours(data: Data, proba: Floats, y: Ints, fold: Ints) -> tuple[dict[str, Floats], float, float, float]:
    """Suspicion with and without second look and neighbours, and the share of wrong labels with its interval."""
    whole = find_label_errors(proba, y, features=data.compared, fold=fold, twice=True)
    once = find_label_errors(proba, y, features=data.compared, fold=fold)
    alone = find_label_errors(proba, y)
    place = {}
    kinds = (("this program", whole), ("this program, one look", once), ("this program, scores alone", alone))
    for name, found in kinds:
        place[name] = np.empty(len(y))
        place[name][found.order] = -np.arange(len(y))
    noise = whole.noise
    return place, noise.share, noise.low, noise.high


def judged(suspicion: Floats, wrong: NDArray[np.bool_]) -> tuple[float, float]:
    """Average precision, and precision among as many images as were changed."""
    first = np.argsort(-suspicion, kind="stable")[: wrong.sum()]
    return float(average_precision_score(wrong, suspicion)), float(wrong[first].mean())


def paired(a: Floats, b: Floats) -> str:
    """Mean difference over seeds with Student's interval."""
    difference = a - b
    half = float(student.ppf(0.975, len(difference) - 1)) * difference.std(ddof=1) / np.sqrt(len(difference))
    return f"{difference.mean():+.3f} ({difference.mean() - half:+.3f} to {difference.mean() + half:+.3f})"


Judged = dict[str, list[tuple[float, float]]]
WORDS = ("average precision", "precision")


def ranking_table(sides: list[Data], seeds: range, share: float) -> None:
    """Print how well planted errors are ranked."""
    for kind in KINDS:
        results: dict[str, Judged] = {data.name: {} for data in sides}
        with contextlib.suppress(KeyboardInterrupt):
            for seed in seeds:
                rows = {data.name: judged_seed(data, share, kind, seed) for data in sides}
                for side, found in rows.items():
                    for name, pair in found.items():
                        results[side].setdefault(name, []).append(pair)
                print(".", end="", file=sys.stderr, flush=True)
        mine = {}
        for side, judgements in results.items():
            table = {name: np.array(values) for name, values in judgements.items()}
            mine[side] = table["this program"]
            print("| parts | labels changed | method | average precision | precision among the first n changed |")
            print("|---|---|---|---|---|")
            for name, values in table.items():
                figures = f"{values[:, 0].mean():.3f} | {values[:, 1].mean():.3f}"
                print(f"| {side} | {share:.0%} {kind} | {name} | {figures} |")
            for column, word in enumerate(WORDS):
                best = max((n for n in table if not n.startswith("this")), key=lambda n: table[n][:, column].mean())
                gain = paired(mine[side][:, column], table[best][:, column])
                print(f"\nThis program minus {best}, {word}, {kind}, {len(mine[side])} seeds, paired: {gain}\n")
        if len(mine) > 1:
            for column, word in enumerate(WORDS):
                gain = paired(*(mine[data.name][:, column] for data in sides))
                print(f"{' minus '.join(mine)}, {word}, {kind}, paired: {gain}\n", flush=True)


def judged_seed(data: Data, share: float, kind: str, seed: int) -> dict[str, tuple[float, float]]:
    """Both figures of each method for one seed."""
    y, wrong = planted(data, share, kind, seed)
    proba, fold = scored(data, y, f"{kind}_{share:g}_{seed}", seed)
    return {name: judged(s, wrong) for name, s in (ours(data, proba, y, fold)[0] | rivals(proba, y)).items()}


def share_table(data: Data, seeds: range) -> None:
    """Print the estimated share of wrong labels beside the planted one."""
    print("| planted | kind | estimated, mean | lowest to highest | interval covers | mean score | confident joint |")
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS:
        for share in SHARES[kind != "random" :]:
            rows = []
            for seed in seeds:
                y, _ = planted(data, share, kind, seed)
                proba, fold = scored(data, y, f"{kind}_{share:g}_{seed}", seed)
                found = find_label_errors(proba, y, features=data.compared, fold=fold, twice=True)
                joint = confident_joint(proba, y)
                noise = found.noise
                rows.append((noise.share, noise.low <= share <= noise.high, found.score.mean(),
                             1 - np.trace(joint) / joint.sum()))  # fmt: skip
            value = np.array(rows, dtype=float)
            print(f"| {share:.0%} | {kind} | {value[:, 0].mean():.2%} | {value[:, 0].min():.2%} to "
                  f"{value[:, 0].max():.2%} | {value[:, 1].mean():.0%} | {value[:, 2].mean():.2%} | "
                  f"{value[:, 3].mean():.2%} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", nargs="+", choices=SIDES, default=["all"])
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--share-seeds", type=int, default=5)
    parser.add_argument("--head", choices=("searched", "fixed"), default="searched")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    full, sides, confused = Side.embedded(options.data, options.views), [], None
    for parts in options.parts:
        sides.append(Data.of(f"{options.data.name}_{parts}", full.of(parts), confused, options.cache, options.head))
        confused = sides[0].confused
    ranking_table(sides, range(options.seeds), options.share)
    if options.share_seeds:
        for data in sides:
            print(f"\n{data.name}\n")
            share_table(data, range(options.share_seeds))


if __name__ == "__main__":
    main()
