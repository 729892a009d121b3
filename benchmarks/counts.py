"""What the counts of `graticule count` are worth, as Markdown tables.

    OMP_NUM_THREADS=1 python benchmarks/counts.py control shift real speed --work DIR [--data DIR]

control    how often the interval of the corrected count holds the expected count, over simulated control samples, with
           the delta method beside it
shift      200 simulated specimens under label shift: how often the intervals of EM and adjusted count hold the
           truth, how often the test of label shift refuses wrongly, mean absolute errors; and the same where the images
           are moved
real       a data set of two groups (--data: manifest.csv with path, label, group): a head on frozen features trained
           on the one, counted on the other, and back; what each count would be off by, and whether the test refuses.
           Then within a group, where label shift is made by drawing: trained on half of its images
speed      500,000 predictions, 10 classes, 20 specimens, a table and a control sample
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from graticule.answers import prediction_schema, read_scored
from graticule.arrays import object_array
from graticule.counting.counts import Control, corrected_counts
from graticule.counting.label_shift import SIGNIFICANCE, check_label_shift
from graticule.counting.prior_shift import Reference, by_adjusted_count, by_em, reference
from graticule.counting.reference import read_reference
from graticule.heads.scoring import softmax
from graticule.jobs.count import count
from graticule.jobs.options import CountOptions
from graticule.jobs.predict import predict
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import sample_id_of
from graticule.predictions import Predictions
from graticule.runs import write_json

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def say(line: str = "") -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def head(*columns: str) -> None:
    """The first two lines of a table."""
    say(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")


def control_coverage(sets: int) -> None:
    """Coverage of the corrected count over random confusions, counts and control sizes."""
    head("classes", "purity", "control images per class", "MOVER", "delta method", "mean width ratio")
    for k, purity, least, most in ((3, 0.7, 10, 40), (3, 0.9, 30, 100), (5, 0.99, 50, 200), (10, 0.9, 100, 300)):
        rng = np.random.default_rng([k, least])
        held, delta_held, width = [], [], []
        for _ in range(sets):
            mean = np.exp(rng.uniform(np.log(5), np.log(5000), k))
            weight = np.full((k, k), (1 - purity) * k / 2 / (k - 1) + 0.02)
            np.fill_diagonal(weight, purity * k / 2)
            share = np.stack([rng.dirichlet(row) for row in weight])
            counts = rng.poisson(mean).astype(np.float64)
            n = np.minimum(rng.integers(least, most + 1, k), np.maximum(counts, 1)).astype(np.int64)
            found = np.stack([rng.multinomial(n[j], share[j]) for j in range(k)]) / n[:, None]
            estimate = corrected_counts(counts, Control(found, n, n.astype(np.float64)))
            truth = mean @ share
            held.append((estimate.low <= truth) & (truth <= estimate.high))
            half = 1.96 * np.sqrt(counts @ found**2 + counts**2 @ (found * (1 - found) / n[:, None]))
            delta_held.append(np.abs(estimate.value - truth) <= half)
            width.append((estimate.high - estimate.low).sum() / (2 * half).sum())
        say(
            f"| {k} | {purity} | {least} to {most} | {100 * np.mean(held):.1f} % | {100 * np.mean(delta_held):.1f} % | "
            f"{np.mean(width):.2f} |"
        )
    say()


@dataclass(frozen=True)
class World:
    """Gaussian classes in four dimensions, scored by the right model at another temperature."""

    centre: Floats
    heat: float

    def scores(self, y: Codes, rng: np.random.Generator, move: Floats | float = 0.0) -> Floats:
        """Scores (n, K) of images drawn from classes y, the images moved by `move`."""
        x = self.centre[y] + rng.normal(size=(len(y), self.centre.shape[1])) + move
        return softmax(self.heat * (x @ self.centre.T - 0.5 * (self.centre**2).sum(axis=1)))


def shift_coverage(specimens: int) -> None:
    """Coverage, wrong refusals and errors over specimens of random prevalences."""
    head(
        "classes",
        "calibration",
        "images",
        "images moved",
        "specimens",
        "refused",
        "EM holds",
        "adjusted holds",
        "both, where shown",
        "mean error of a share, points: called, EM, adjusted",
    )
    for k, m, n, move in ((3, 600, 800, 0.0), (8, 2400, 2000, 0.0), (3, 600, 800, 0.5), (3, 600, 800, 1.0)):
        rng = np.random.default_rng([k, m, int(10 * move)])
        p, held, errors = [], [], []
        for _ in range(specimens):
            world = World(rng.normal(size=(k, 4)) * 1.5, float(rng.uniform(0.7, 2.0)))
            y = rng.integers(0, k, m)
            known = reference(world.scores(y, rng), y)
            truth = rng.dirichlet(np.ones(k))
            images = rng.choice(k, rng.poisson(n), p=truth)
            new = world.scores(images, rng, move * rng.normal(size=4))
            p.append(check_label_shift(new, known, None, rng).p or 0.0)
            found = (by_em(new, known), by_adjusted_count(new.argmax(axis=1), known))
            limits = [prevalence.counts() for prevalence in found]
            held.append([((e.low <= n * truth) & (n * truth <= e.high)).mean() for e in limits])
            called = np.bincount(new.argmax(axis=1), minlength=k) / len(new)
            errors.append([np.abs(share - truth).mean() for share in (called, *(f.share for f in found))])
        passed = np.array(p) >= SIGNIFICANCE
        every, shown = np.mean(held, axis=0), np.array(held)[passed].mean() if passed.any() else np.nan
        error = ", ".join(f"{100 * e:.1f}" for e in np.mean(errors, axis=0))
        say(
            f"| {k} | {m} | {n} | {move} | {specimens} | {100 * (1 - passed.mean()):.1f} % | {100 * every[0]:.1f} % | "
            f"{100 * every[1]:.1f} % | {100 * shown:.1f} % | {error} |"
        )
    say()


def read_groups(data: Path) -> dict[str, list[tuple[str, str]]]:
    """Absolute path and label of each image, by group."""
    groups: dict[str, list[tuple[str, str]]] = {}
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            groups.setdefault(row["group"], []).append((str((data / row["path"]).absolute()), row["label"]))
    return groups


def write_list(file: Path, rows: list[tuple[str, str]]) -> Path:
    """A manifest of absolute paths."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), *rows])
    return file


def trained_on(rows: list[tuple[str, str]], name: str, data: Path, work: Path) -> Path:
    """A run on these images, made once."""
    run = work / f"run-{name}"
    if not (run / "DONE").is_file():
        train(write_list(work / f"{name}.csv", rows), run, TrainOptions(head="logistic", root=data))
    return run


def judged(run: Path, rows: list[tuple[str, str]], name: str, work: Path) -> tuple[Floats, Codes, Floats, Reference]:
    """Scores, true class codes and novelty of images, and the reference of the run that scored them."""
    out = work / f"predicted-{name}"
    if not (out / "DONE").is_file():
        predict(run, write_list(work / f"{name}.csv", rows), out)
    scored = read_scored(out)
    known, _, _ = read_reference(None, scored)
    # predict keeps the order of the list
    y = np.array([scored.classes.index(label) for _, label in rows], dtype=np.int64)
    return scored.proba, y, scored.novelty, known


def real_shift(data: Path, work: Path, specimens: int) -> None:
    """Two groups, each counted by the model of the other; and label shift made within a group."""
    groups = read_groups(data)
    names = sorted(groups)[:2]
    head("trained on", "counted", "images", "label shift", "largest error of a share, points: called, EM, adjusted")
    for a, b in (names, names[::-1]):
        run = trained_on(groups[a], a, data, work)
        scores, y, novelty, known = judged(run, groups[b], f"{b}-by-{a}", work)
        result = check_label_shift(scores, known, novelty, np.random.default_rng(0))
        verdict = "passes" if result.passed else "refuses"
        say(f"| {a} | {b} | {len(y)} | {verdict}, p = {result.p:.2g} | {_errors(scores, y, known)} |")
        sys.stderr.write(f"{a} -> {b}: {'; '.join(result.reasons)}\n")
    say()
    head("trained on half of", "specimens", "images", "refused", "EM holds", "adjusted holds")
    for a in names:
        rng = np.random.default_rng(0)
        order = rng.permutation(len(groups[a]))
        half = [[groups[a][i] for i in sorted(part)] for part in np.array_split(order, 2)]
        run = trained_on(half[0], f"{a}-half", data, work)
        scores, y, novelty, known = judged(run, half[1], f"{a}-rest", work)
        refused, held = [], []
        for _ in range(specimens):
            truth, images = _drawn(y, rng)
            result = check_label_shift(scores[images], known, novelty[images], rng)
            refused.append(not result.passed)
            new = scores[images]
            for found in (by_em(new, known), by_adjusted_count(new.argmax(axis=1), known)):
                limits = found.shares()
                held.append((limits.low <= truth) & (truth <= limits.high))
        share = np.reshape(held, (specimens, 2, -1)).mean(axis=(0, 2))
        shown = " | ".join(f"{100 * value:.0f} %" for value in (np.mean(refused), *share))
        say(f"| {a} | {specimens} | 150 | {shown} |")
    say()


def _errors(scores: Floats, y: Codes, known: Reference) -> str:
    k = scores.shape[1]
    truth = np.bincount(y, minlength=k) / len(y)
    called = scores.argmax(axis=1)
    shares = (
        np.bincount(called, minlength=k) / len(y),
        by_em(scores, known).share,
        by_adjusted_count(called, known).share,
    )
    return ", ".join(f"{100 * np.abs(share - truth).max():.1f}" for share in shares)


def _drawn(y: Codes, rng: np.random.Generator, n: int = 150) -> tuple[Floats, Codes]:
    """A random mix of classes, and rows of n images drawn from it without replacement."""
    available = np.bincount(y)
    while True:
        share = rng.dirichlet(np.ones(len(available)))
        counts = rng.multinomial(n, share)
        if (counts <= available).all():
            rows = [rng.choice(np.flatnonzero(y == k), counts[k], replace=False) for k in range(len(share))]
            return share, np.concatenate(rows)


def speed(work: Path, n: int = 500_000, k: int = 10, specimens: int = 20) -> None:
    """Time and memory of `count` on a large synthetic prediction."""
    rng = np.random.default_rng(0)
    world = World(rng.normal(size=(k, 5)) * 1.6, 1.3)
    classes = tuple(f"class{c}" for c in range(k))
    lot = np.sort(rng.integers(0, specimens, n))
    mixes = rng.dirichlet(np.ones(k), specimens)
    y = np.concatenate([rng.choice(k, int((lot == s).sum()), p=mixes[s]) for s in range(specimens)])
    paths = [f"lot{s:02d}/image_{i:07d}.png" for i, s in enumerate(lot)]
    out = work / "large"
    _write_large(out / "predicted", classes, paths, world.scores(y, rng))
    known = rng.integers(0, k, 3000)
    _write_reference(out / "run", classes, known, world.scores(known, rng))
    with (out / "table.csv").open("w", newline="") as stream:
        diameters = np.exp(rng.normal(1.5, 0.8, n))
        rows = ((p, f"lot{s:02d}", f"{d:.3f}", "0.5") for p, s, d in zip(paths, lot, diameters, strict=True))
        csv.writer(stream).writerows([("path", "specimen", "diameter_um", "volume_ml"), *rows])
    with (out / "control.csv").open("w", newline="") as stream:
        drawn = rng.choice(n, 2000, replace=False)
        csv.writer(stream).writerows([("path", "label"), *((paths[i], classes[y[i]]) for i in drawn)])
    options = CountOptions(table=out / "table.csv", control=out / "control.csv", diameter_is="simulated")
    before, wall, used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter(), time.process_time()
    count(out / "predicted", out / "counts", options)
    wall, used = time.perf_counter() - wall, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head("predictions", "classes", "specimens", "wall s", "processor s", "peak memory MB (before it MB)")
    say(f"| {n:,} | {k} | {specimens} | {wall:.1f} | {used:.1f} | {peak / 1024:.0f} ({before / 1024:.0f}) |")


def _write_large(folder: Path, classes: tuple[str, ...], paths: list[str], proba: Floats) -> None:
    folder.mkdir(parents=True)
    schema, size = prediction_schema(classes), 50_000
    names, best = np.array(classes), proba.argmax(axis=1)
    for shard, start in enumerate(range(0, len(paths), size)):
        rows = slice(start, start + size)
        columns = {name: pa.nulls(len(paths[rows]), schema.field(name).type) for name in schema.names}
        columns |= {
            "path": paths[rows],
            "label": names[best[rows]].tolist(),
            "score": proba[rows].max(axis=1),
            **{f"p_{name}": proba[rows, c] for c, name in enumerate(classes)},
        }
        pq.write_table(pa.table(columns, schema=schema), folder / f"predictions-{shard:05d}.parquet")
    summary = {"verb": "predict", "images": "images", "run": str(folder.parent / "run"), "bundle_sha256": "large"}
    write_json(folder / "summary.json", summary)
    (folder / "DONE").touch()


def _write_reference(folder: Path, classes: tuple[str, ...], y: Codes, proba: Floats) -> None:
    folder.mkdir()
    names = object_array([f"{i}.png" for i in range(len(y))])
    Predictions(
        sample_id=object_array([sample_id_of(name) for name in names]),
        path=names,
        part=object_array(["cv"] * len(y)),
        fold=np.zeros(len(y), dtype=np.int64),
        label=object_array([classes[c] for c in y]),
        classes=classes,
        proba=proba,
    ).write(folder / "predictions.parquet")
    (folder / "run.json").write_text(json.dumps({"schema_version": 1, "bundle_sha256": "large"}))
    (folder / "DONE").touch()


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=("control", "shift", "real", "speed"))
    parser.add_argument("--work", type=Path, required=True, help="folder for runs and predictions; kept")
    parser.add_argument("--data", type=Path, help="data set of two groups, for the part real")
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--specimens", type=int, default=200)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if "control" in options.parts:
        control_coverage(options.sets)
    if "shift" in options.parts:
        shift_coverage(options.specimens)
    if "real" in options.parts:
        if options.data is None:
            parser.error("the part real needs --data")
        real_shift(options.data, options.work, options.specimens)
    if "speed" in options.parts:
        speed(options.work)


if __name__ == "__main__":
    main()
