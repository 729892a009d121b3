"""`graticule compare`: two or more runs on the same samples, paired."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graticule import __version__
from graticule.arrays import StrArray, numbered, object_array
from graticule.decide.coverage_difference import coverage_differences
from graticule.errors import OptionError, RunError
from graticule.evaluate.compare.conditions import FinishedRun, check_images, division_notes, too_good
from graticule.evaluate.compare.runs import compare_many, flat
from graticule.files import write_text
from graticule.formats.selection import selection_of
from graticule.manifest import Manifest, escape_path
from graticule.options import SeedOptions
from graticule.predictions import Predictions, read_predictions
from graticule.report.compare.page import render_comparison
from graticule.report.thumbnails import SIDE, pictures_of_files
from graticule.runs import as_written, output_folder, read_json, require_finished, utc_now, write_json


def compare(
    run_a: Path, run_b: Path, out: Path | None = None, *, others: Sequence[Path] = (), seed: int = 0
) -> dict[str, Any]:
    """Paired comparison of finished runs (or evaluations) on the samples that all of them have.

    Each later run is compared with the first; p-values are corrected for the number of comparisons (Holm, 1979).
    Groups are respected when one of the runs names them. Where all runs have a cross-validated part it is compared,
    otherwise the held-out part.

    Parameters
    ----------
    run_a, run_b : Path
    out : Path, optional
        Folder for comparison.json and compare.html, created.
    others : sequence of Path
        Further runs.
    seed : int

    Returns
    -------
    dict
        "part", "n", "n_groups", "classes"; "runs": per run its folder, settings and figures; "comparisons": as in
        `graticule.evaluate.compare.runs.compare_many`, with "run_a" and "run_b"; "notes". For two runs also "run_a",
        "run_b", "settings" and the keys of `graticule.evaluate.compare.runs.flat`. "cautions" are the notes without
        which the comparison misleads; the "too_good" of a run says why its figures are, if they are.

    Raises
    ------
    RunError
        When a run is not finished, or the runs share no part or sample, or their classes, labels or images differ.
    OptionError
        When one folder is named twice.
    """
    SeedOptions(seed).check()
    folders = [run_a, run_b, *others]
    _refuse_repeats(folders)
    with as_written(*folders):
        runs = [_read(folder) for folder in folders]
        result = _compared(runs, seed)
    if out is not None:
        with output_folder(out, "comparison"), as_written(*folders):
            write_json(out / "comparison.json", result)
            page = _page(runs[0], result)
            write_text(out / "compare.html", page.encode("utf-8", errors="replace").decode("utf-8"))
    return result


def _compared(runs: Sequence[FinishedRun], seed: int) -> dict[str, Any]:
    """comparison.json of runs that were read."""
    part = _common_part(runs)
    doubts = check_images(runs, part)
    flaws = too_good(runs, part)
    worst = [f"The figures of {run.name} are too good: {why}." for run, why in zip(runs, flaws, strict=True) if why]
    cautions = [*doubts, *worst, *division_notes(runs)]
    shown = [run.predictions.of_part(part) for run in runs]
    group, group_note = _groups(runs, shown[0])
    many = compare_many(shown, group, seed=seed)
    _add_coverage(many, shown, group, seed)
    result = _document(runs, part, many, flaws) | {"cautions": cautions}
    more = [*([group_note] if group_note else []), *_out_of_reach(result["comparisons"])]
    result["notes"] = [*cautions, *result["notes"], *more]
    return result


def _add_coverage(many: dict[str, Any], shown: Sequence[Predictions], group: StrArray | None, seed: int) -> None:
    """Put the share of images that can be accepted beside the other differences of each comparison."""
    first = shown[0]
    place = {name: i for i, name in enumerate(first.sample_id.tolist())}
    common = set.intersection(*(set(p.sample_id.tolist()) for p in shown))
    rows = np.array(sorted(place[name] for name in common), dtype=np.int64)
    unit = None if group is None else numbered(group[rows].astype(str))
    for other, found in zip(shown[1:], many["comparisons"], strict=True):
        there = {name: i for i, name in enumerate(other.sample_id.tolist())}
        same = np.array([there[name] for name in first.sample_id[rows]], dtype=np.int64)
        columns = [other.classes.index(name) for name in first.classes]
        proba = other.proba[same][:, columns]
        found["coverage"] = coverage_differences(first.proba[rows], proba, first.y[rows], unit, seed)


def _out_of_reach(comparisons: Sequence[dict[str, Any]]) -> list[str]:
    """One note per comparison with targets of accuracy at which neither run lets anything be accepted."""
    notes = []
    for found in comparisons:
        targets = [f"{row['target']:.0%}" for row in found["coverage"] if not row["a"] and not row["b"]]
        if targets:
            runs = " or of ".join(escape_path(found[key]) for key in ("run_a", "run_b"))
            notes.append(
                f"Not reached by either: {', '.join(targets)} accuracy among accepted images. No threshold on the "
                f"scores of {runs} keeps it on these images."
            )
    return notes


def _refuse_repeats(folders: Sequence[Path]) -> None:
    places = [folder.resolve() for folder in folders]
    twice = [str(folder) for folder, place in zip(folders, places, strict=True) if places.count(place) > 1]
    if twice:
        raise OptionError(f"a run cannot be compared with itself: {' and '.join(twice)} are one folder")


def _read(folder: Path) -> FinishedRun:
    require_finished(folder)
    return FinishedRun(
        folder,
        read_json(folder / "run.json"),
        read_predictions(folder / "predictions.parquet"),
        Manifest.read(folder / "manifest.parquet"),
    )


def _common_part(runs: Sequence[FinishedRun]) -> str:
    """ "cv" where all runs have it, else "test"."""
    for part in ("cv", "test"):
        if all((run.predictions.part == part).any() for run in runs):
            return part
    has = [f"{run.folder} has {' and '.join(sorted(set(run.predictions.part))) or 'no rows'}" for run in runs]
    raise RunError(
        f"cannot compare: no part (cv, test) is in all runs: {', '.join(has)}. Train all with the same folds and "
        "--test-size, or evaluate all on the same images"
    )


def _groups(runs: Sequence[FinishedRun], first: Predictions) -> tuple[StrArray | None, str | None]:
    """Group of each row of the first run, from the first run that names groups for all of them."""
    for k, run in enumerate(runs):
        if run.manifest.group is None:
            continue
        by_id = dict(zip(run.manifest.sample_id.tolist(), run.manifest.group.tolist(), strict=True))
        if k and not all(by_id.get(i) for i in _shared(runs)):
            continue
        # samples that are in the first run alone are left out of the comparison; their group does not matter
        group = object_array([str(by_id.get(i) or f"sample {i}") if k else str(by_id[i]) for i in first.sample_id])
        note = f"Groups are those of {run.folder}; the first run was evaluated without groups." if k else None
        return group, note
    return None, None


def _shared(runs: Sequence[FinishedRun]) -> set[str]:
    return set.intersection(*(set(run.predictions.sample_id.tolist()) for run in runs))


def _document(
    runs: Sequence[FinishedRun], part: str, many: dict[str, Any], flaws: Sequence[str | None]
) -> dict[str, Any]:
    names = [str(run.folder) for run in runs]
    settings = [_settings(run.record) for run in runs]
    comparisons = [
        {"run_a": names[0], "run_b": name, **found} for name, found in zip(names[1:], many["comparisons"], strict=True)
    ]
    notes = list(many["notes"])
    if len(comparisons) > 1:
        notes.append(
            f"p_holm: p-values corrected for {len(comparisons)} comparisons with the first run (Holm, 1979). "
            "Intervals are not corrected."
        )
    if part == "test":
        notes.append(
            "These are held-out images. Once a run is chosen by them, they no longer test it: its figures are the best "
            "of several, and other images should confirm them."
        )
    described = [
        {"run": escape_path(name), **own, "n": n, "too_good": why, "figures": figures, "acceptance": _own_rule(run)}
        for name, run, own, n, why, figures in zip(
            names, runs, settings, many["n_each"], flaws, many["figures"], strict=True
        )
    ]
    pair = flat(many) | {"run_a": names[0], "run_b": names[1], "settings": settings} if len(runs) == 2 else {}
    return {
        **pair,
        "verb": "compare",
        "graticule_version": __version__,
        "created_utc": utc_now(),
        "part": part,
        "n": many["n"],
        "n_groups": many["n_groups"],
        "classes": many["classes"],
        "reference": names[0],
        "runs": described,
        "comparisons": comparisons,
        "notes": notes,
    }


def _own_rule(run: FinishedRun) -> dict[str, Any] | None:
    """The acceptance rule that the run's model stores and what it accepts, as its report says; None without one."""
    file = run.folder / "decisions.json"
    acceptance = read_json(file).get("acceptance") if file.is_file() else None
    return {name: acceptance[name] for name in ("rule", "coverage", "accuracy")} if acceptance else None


def _settings(record: dict[str, Any]) -> dict[str, Any]:
    """What a row of the table says of a run; None where its record is silent."""
    origin = _model_record(record)
    options, embedding = origin.get("options") or {}, origin.get("embedding") or {}
    method = options.get("method") or origin.get("method") or "features"
    head = (origin.get("head") or {}).get("requested") or options.get("head")
    training = origin.get("training") or {}
    size = embedding.get("input_size") or (training.get("recipe") or {}).get("input_size") or options.get("input_size")
    return {
        "backbone": embedding.get("backbone") or options.get("backbone"),
        "views": embedding.get("views"),
        "head": "network" if method == "finetune" else head,
        "method": method,
        "weights": options.get("weights"),
        "input_size": size,
        "wall_time_s": _training_time(origin),
        "device": training.get("device"),
        "cached": embedding.get("cached") if origin.get("verb") == "train" else None,
        "platform": origin.get("platform"),
    }


def _training_time(origin: dict[str, Any]) -> float | None:
    """Seconds of the training command; of a resumed one at least those of its folds. None where not recorded."""
    if origin.get("verb") != "train" or origin.get("wall_time_s") is None:
        return None
    folds = (origin.get("training") or {}).get("folds") or []
    return max(float(origin["wall_time_s"]), float(sum(fold.get("seconds") or 0.0 for fold in folds)))


def _model_record(record: dict[str, Any]) -> dict[str, Any]:
    """The record of the training: for an evaluation that of its model's run, where it still lies there."""
    file = Path(str(record.get("model_run", ""))) / "run.json"
    return read_json(file) if record.get("verb") == "evaluate" and file.is_file() else record


def _page(first: FinishedRun, result: dict[str, Any]) -> str:
    files = dict(zip(first.manifest.sample_id.tolist(), first.manifest.files(), strict=True))
    with pictures_of_files(SIDE, selection_of(first.record)) as read:
        return render_comparison(result, read, files.get)
