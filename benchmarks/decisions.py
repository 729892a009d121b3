"""What decisions are worth on new images: acceptance, prediction sets, calibration, novelty over random splits.

    python benchmarks/decisions.py DATA [--splits 20] [--mapie] [--quick] [--parts all whole] [--aside 0 0.2]

A fifth of the images is new in each split; where the data have groups these are whole groups drawn by chance, each
split's anew, so that all of them are new now and then. The rest is trained on by frozen features and a logistic head
with 5 folds, once with all of it cross-validated (estimated rule, CV+ sets) and once with
a fifth set aside for calibration (guaranteed rule, split conformal sets). Log loss and Brier score before and after
calibration are averaged over the splits that an image was new in; the interval of their difference is over images, or
over groups.
--parts: features of all parts, of the whole picture alone (which earlier versions kept), or both on the same splits.
--aside: shares set aside. --mapie puts the sets of the package MAPIE beside, made from the same calibration part.
Interrupted, it reports the splits that are done.
--quick takes the default logistic heads instead of searched ones and leaves out novelty: a tenth of the time.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import betabinom

import graticule.decide.settle
from graticule.arrays import class_codes
from graticule.decide.acceptance import find_rule
from graticule.decide.conformal import p_values, prediction_sets, prepare_sets
from graticule.decide.estimated_rule import estimated
from graticule.decide.evidence import Evidence
from graticule.decide.reliability import calibration_errors
from graticule.decide.settle import settle_decisions
from graticule.evaluate.metrics import sample_brier, sample_log_loss
from graticule.features.samples import Samples
from graticule.heads.calibration_fit import paired_gain
from graticule.heads.crossval import cross_validate, fold_rows
from graticule.heads.outcome import Outcome, scored_once
from graticule.heads.scoring import Head, member_probabilities, probabilities
from graticule.heads.search import DEFAULTS, HeadChoice, fit_choice
from graticule.split.components import components
from graticule.split.division import Division
from graticule.split.folds import Folds, make_folds
from graticule.statistics.intervals import t_critical
from sides import SIDES, Side

TARGETS = (0.99, 0.98, 0.95)
LEVELS = (0.95, 0.99)
K_FOLDS = 5
NEW_SHARE, LEEWAY, TRIES = 0.2, 0.05, 2000


def new_groups(y: Any, component: Any, seed: int, n_parts: int) -> Any:
    """Split column "test" for whole components drawn by chance, about a fifth of the images; "" for the rest.

    Each class stands in both parts, and on in `n_parts` components or more outside the test part.
    """
    rng, n = np.random.default_rng(seed), len(y)
    size = np.bincount(component)
    holds = np.zeros((len(size), int(y.max()) + 1), dtype=bool)
    holds[component, y] = True
    for _ in range(TRIES):
        drawn, total = np.zeros(len(size), dtype=bool), 0
        for g in rng.permutation(len(size)):
            if total + size[g] <= (NEW_SHARE + LEEWAY) * n:
                drawn[g], total = True, total + size[g]
            if total >= NEW_SHARE * n:
                break
        large_enough = total >= (NEW_SHARE - LEEWAY) * n
        if large_enough and holds[drawn].any(axis=0).all() and (holds[~drawn].sum(axis=0) >= n_parts).all():
            return np.where(drawn[component], "test", "").astype(object)
    raise SystemExit(f"no {TRIES} draws of whole groups leave every class in both parts")


def divide(samples: Samples, seed: int, calibration: float) -> Folds:
    """Folds of one split: new images, the part set aside, the folds."""
    manifest, share = samples.manifest, {"test_size": NEW_SHARE, "calibration": calibration}
    split = None
    if manifest.group is not None:
        component = components(len(manifest), manifest.group, samples.duplicates)
        split = new_groups(class_codes(manifest.label, manifest.classes), component, seed, K_FOLDS + (calibration > 0))
        # of what is left, so that a fifth of all images is set aside
        share = {"test_size": 0.0, "calibration": calibration / (1 - NEW_SHARE)}
    return make_folds(
        manifest.label,
        k=K_FOLDS,
        group=manifest.group,
        duplicates=samples.duplicates,
        split=split,
        seed=seed,
        sample_id=manifest.sample_id,
        **share,
    )


def scored(side: Side, folds: Folds, seed: int, quick: bool) -> tuple[Any, list[Head]]:
    """Out-of-fold scores and the heads of the folds."""
    samples = side.samples
    y, k = class_codes(samples.manifest.label, samples.manifest.classes), len(samples.manifest.classes)
    search = side.search("logistic", k, seed, grouped=samples.manifest.group is not None)
    if not quick:
        found = cross_validate(samples.features, y, folds, search)
        return found.proba.copy(), found.heads
    proba, heads = np.full((len(y), k), np.nan), []
    for train, held in fold_rows(folds):
        scalings = search.scalings(samples.features, train)
        heads.append(fit_choice(scalings, y[train], k, HeadChoice(DEFAULTS["logistic"], 1.0, None, 0, 0)))
        proba[held] = probabilities(heads[-1:], samples.features[held])
    return proba, heads


def one_split(side: Side, seed: int, calibration: float, tally: dict[str, list[Any]], quick: bool) -> None:
    """Train, decide on the new images, and note what was right."""
    samples, manifest = side.samples, side.samples.manifest
    y, k = class_codes(manifest.label, manifest.classes), len(manifest.classes)
    folds = divide(samples, seed, calibration)
    (proba, heads), once = scored(side, folds, seed, quick), scored_once(folds)
    members = member_probabilities(heads, samples.features[once])
    proba[once] = members.mean(axis=0)
    outcome = Outcome(proba, side.encoder, heads, "mean of the 5 fold heads", {})
    decider = settle_decisions(samples, Division(folds, [], []), outcome, seed)
    test = np.flatnonzero(folds.part == "test")
    members = members[:, folds.part[once] == "test"]
    raw, scores, truth = proba[test], decider.proba[test], y[test]
    right = scores.argmax(axis=1) == truth
    tally["accuracy"].append(right.mean())
    tally["method"].append(decider.calibration.method)
    for figure, loss in (("log loss", sample_log_loss), ("brier", sample_brier)):
        tally[figure].append((test, loss(truth, raw), loss(truth, scores)))
    errors = calibration_errors(truth, scores, seed)["ece"]
    tally["ece"].append((errors["value"], errors["null_mean"], errors["null_95"]))
    assert decider.evidence is not None
    for target in TARGETS:
        rule = find_rule(decider.evidence, target)
        accepted = rule.accepts(scores)
        tally[f"accept {target}"].append((rule.status, accepted.sum(), (accepted & ~right).sum(), len(test)))
        if decider.evidence.grouped:
            accepted = scores.max(axis=1) > images_alone(decider.evidence, target)
            tally[f"alone {target}"].append(
                ("as if images were independent", accepted.sum(), (accepted & ~right).sum(), len(test))
            )
    sets, found = prepare_sets(decider.evidence), {}
    for level in LEVELS:
        p = p_values(sets, members, raw, level)
        inside = found[level] = prediction_sets(p, scores.argmax(axis=1), level)
        hit = inside[np.arange(len(test)), truth]
        tally[f"sets {level}"].append((by_class(hit, truth, k), inside.sum(axis=1).mean(), sets.units.tolist()))
    if decider.novelty is not None:
        p = decider.novelty.p_value(decider.novelty.score(samples.alike_features[test], members))
        tally["novel"].append([(p <= alpha).mean() for alpha in (0.05, 0.01)])
    if calibration:
        aside = np.flatnonzero(folds.part == "calibration")
        tally["mapie"].append((proba[aside], y[aside], raw, truth, found))


def images_alone(evidence: Evidence, target: float) -> float:
    """Threshold of the estimated rule that takes images for independent."""
    score, best = evidence.calibrated.max(axis=1), evidence.calibrated.argmax(axis=1)
    return estimated(score, best == evidence.y, np.ones(len(evidence)), target)


def by_class(hit: Any, truth: Any, k: int) -> list[float]:
    """Share of hits of each class, NaN for a class that is not there."""
    return [float(hit[truth == c].mean()) if (truth == c).any() else np.nan for c in range(k)]


def change(rows: list[Any], unit: Any | None) -> str:
    """A loss before and after calibration, and the difference with its interval over images or groups."""
    n = max(int(test.max()) for test, _, _ in rows) + 1
    times, before, after = np.zeros(n), np.zeros(n), np.zeros(n)
    for test, raw, calibrated in rows:
        times[test] += 1
        before[test] += raw
        after[test] += calibrated
    seen = times > 0
    before, after = before[seen] / times[seen], after[seen] / times[seen]
    units = None if unit is None else unit[:n][seen]
    mean, error = paired_gain(after - before, units)
    n_units = len(before) if units is None else len(np.unique(units))
    half = float(t_critical(0.95, np.array(n_units - 1.0))) * error
    return (
        f"before {before.mean():.4f}, after {after.mean():.4f}, difference {mean:+.4f} ({mean - half:+.4f} to "
        f"{mean + half:+.4f}) over {n_units} {'images' if units is None else 'groups'}"
    )


def report(title: str, tally: dict[str, list[Any]], classes: tuple[str, ...], unit: Any | None) -> None:
    """Markdown of one variant; `unit` names the group of each image, if any."""
    print(f"\n### {title}: {len(tally['accuracy'])} splits, accuracy on new images {np.mean(tally['accuracy']):.4f}\n")
    print(f"calibration chosen: { {m: tally['method'].count(m) for m in sorted(set(tally['method']))} }")
    for figure in ("log loss", "brier"):
        print(f"{figure} {change(tally[figure], unit)}")
    ece = np.array(tally["ece"])
    print(
        f"ECE {ece[:, 0].mean():.4f}; by chance {ece[:, 1].mean():.4f}, 95th percentile {ece[:, 2].mean():.4f}; "
        f"below it in {(ece[:, 0] <= ece[:, 2]).sum()} of {len(ece)}"
    )
    print("\n| target | status | pooled accuracy of the accepted | coverage | splits below the target |")
    print("|---|---|---|---|---|")
    for target, name in [(target, name) for target in TARGETS for name in ("accept", "alone")]:
        rows = tally[f"{name} {target}"]
        if not rows:
            continue
        accepted, wrong, n = (sum(int(row[i]) for row in rows) for i in (1, 2, 3))
        status = {s: sum(row[0] == s for row in rows) for s in sorted({row[0] for row in rows})}
        below = sum(row[1] > 0 and row[2] / row[1] > 1 - target for row in rows)
        share = "-" if accepted == 0 else f"{1 - wrong / accepted:.4f}"
        print(f"| {target} | {status} | {share} | {accepted / n:.3f} | {below} |")
    print(
        "\n| sets | lowest class coverage (mean over splits) | each class | mean size | expected spread | spread seen |"
    )
    print("|---|---|---|---|---|---|")
    for level in LEVELS:
        rows = tally[f"sets {level}"]
        cover = np.array([row[0] for row in rows])
        units, per_test = int(np.median([row[2] for row in rows])), 60
        miss = max(1, int(np.floor((units + 1) * (1 - level))))
        expected = betabinom(per_test, units + 1 - miss, miss).std() / per_test
        mean = np.nanmean(cover, axis=0)
        each = ", ".join(f"{c} {v:.3f}" for c, v in zip(classes, mean, strict=True))
        spread = "-" if unit is not None else f"{expected:.3f}"
        print(
            f"| {level} | {np.nanmin(mean):.3f} | {each} | {np.mean([row[1] for row in rows]):.2f} | "
            f"{spread} | {np.nanstd(cover, axis=0, ddof=1).mean():.3f} |"
        )
    if tally["novel"]:
        five, one = np.mean(tally["novel"], axis=0)
        print(f"\nusual new images rejected as novel: {five:.4f} at alpha 0.05, {one:.4f} at 0.01")


def beside_mapie(rows: list[Any], level: float) -> None:
    """Sets of the package MAPIE from the same calibration parts, not by class."""
    from mapie.classification import SplitConformalClassifier  # type: ignore[import-not-found]

    from given import Given

    cover, size = defaultdict(list), defaultdict(list)
    for proba, y, new, truth, inside in rows:
        machine = SplitConformalClassifier(Given(proba.shape[1]), confidence_level=level, prefit=True)
        theirs = machine.conformalize(proba, y).predict_set(new)[1][:, :, 0]
        for name, sets in (("MAPIE, all classes together", theirs), ("own, class by class", inside[level])):
            hit = sets[np.arange(len(truth)), truth]
            cover[name].append(by_class(hit, truth, proba.shape[1]))
            size[name].append(sets.sum(axis=1).mean())
    for name in cover:
        means = np.nanmean(cover[name], axis=0)
        print(f"{name} at {level}: lowest class {means.min():.3f}, mean {means.mean():.3f}, ", end="")
        print(f"size {np.mean(size[name]):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--mapie", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", nargs="+", choices=SIDES, default=["all"])
    parser.add_argument("--aside", type=float, nargs="+", choices=[0.0, 0.2], default=[0.0, 0.2])
    options = parser.parse_args()
    if options.quick:
        # above any number of images: neither novelty nor labels are judged
        graticule.decide.settle.MIN_NOVELTY = sys.maxsize
    full = Side.embedded(options.data, options.views)
    sides = {parts: full.of(parts) for parts in options.parts}
    classes, group = full.samples.manifest.classes, full.samples.manifest.group
    unit = None if group is None else np.unique(group, return_inverse=True)[1]
    for calibration in options.aside:
        tallies: dict[str, dict[str, list[Any]]] = {parts: defaultdict(list) for parts in sides}
        with contextlib.suppress(KeyboardInterrupt):
            for seed in range(options.splits):
                for parts, side in sides.items():
                    one_split(side, seed, calibration, tallies[parts], options.quick)
                    print(".", end="", file=sys.stderr, flush=True)
        for parts, tally in tallies.items():
            name = "a fifth set aside" if calibration else "all cross-validated"
            report(f"{name}, parts: {parts}", tally, classes, unit)
            if calibration and options.mapie:
                for level in LEVELS:
                    beside_mapie(tally["mapie"], level)


if __name__ == "__main__":
    main()
