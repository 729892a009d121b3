"""`graticule compare` of runs that predict a number: paired by image, resampled by group."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.errors import RunError, TaskError
from graticule.evaluate.compare.alignment import ordinal
from graticule.evaluate.compare.conditions import FinishedRun, common_groups, common_part
from graticule.evaluate.compare.settings import settings_of
from graticule.evaluate.compare.value_runs import compare_values
from graticule.jobs.compare import compare, fairness, refuse_repeats, write_comparison
from graticule.manifest import Manifest, escape_path
from graticule.options import SeedOptions
from graticule.report.compare.value_page import render_value_comparison
from graticule.runs import as_written, output_folder, read_document, read_run, require_finished, utc_now
from graticule.tasks import REGRESSION, TASKS, task_of
from graticule.values import Values, read_values


def compare_runs(
    run_a: Path, run_b: Path, out: Path | None = None, *, others: Sequence[Path] = (), seed: int = 0
) -> dict[str, Any]:
    """Paired comparison of finished runs (or evaluations) of one task; see `graticule.jobs.compare.compare`.

    Returns
    -------
    dict
        Of runs of numbers: "task", "target", "unit", "part", "n", "n_groups", "runs", "comparisons" as in
        `graticule.evaluate.compare.value_runs.compare_values`, with "run_a" and "run_b", "cautions" and "notes".

    Raises
    ------
    RunError
        When a run is not finished, targets or units differ, or the runs share no part or image.
    TaskError
        When runs of classes and of numbers are compared.
    OptionError
        When one folder is named twice.
    """
    SeedOptions(seed).check()
    folders = [run_a, run_b, *others]
    refuse_repeats(folders)
    tasks = [_task(folder) for folder in folders]
    if REGRESSION not in tasks:
        return compare(run_a, run_b, out, others=others, seed=seed)
    if len(set(tasks)) > 1:
        told = "; ".join(f"{folder}: {task}" for folder, task in zip(folders, tasks, strict=True))
        raise TaskError(f"cannot compare runs of different tasks ({told}): give runs that answer one question")
    with as_written(*folders):
        runs = [_read(folder) for folder in folders]
        result = _compared(runs, _same_target(folders), seed)
    if out is not None:
        with output_folder(out, "comparison"), as_written(*folders):
            write_comparison(out, runs[0], result, render_value_comparison)
    return result


def _task(folder: Path) -> str:
    require_finished(folder)
    return task_of(read_document(folder / "run.json"), folder / "run.json", takes=TASKS)


def _read(folder: Path) -> FinishedRun[Values]:
    return FinishedRun(
        folder,
        read_run(folder, (REGRESSION,)),
        read_values(folder / "predictions.parquet"),
        Manifest.read(folder / "manifest.parquet", REGRESSION),
    )


def _same_target(folders: Sequence[Path]) -> dict[str, str]:
    """Name and unit of the number that all runs predict."""
    found = []
    for folder in folders:
        metrics = read_document(folder / "metrics.json")
        found.append({"target": str(metrics["target"]), "unit": str(metrics.get("unit") or "")})
    for k, other in enumerate(found[1:], start=1):
        for key, word in (("target", "target"), ("unit", "unit")):
            if other[key] != found[0][key]:
                raise RunError(
                    f"cannot compare: the {word} of the first run is {found[0][key]!r}, that of the {ordinal(k)} "
                    f"{other[key]!r}; give runs that predict one number in one unit"
                )
    return found[0]


def _compared(runs: Sequence[FinishedRun[Values]], target: dict[str, str], seed: int) -> dict[str, Any]:
    """comparison.json of runs that were read."""
    part = common_part(runs)
    cautions, flaws = fairness(runs, part)
    shown = [run.predictions.of_part(part) for run in runs]
    group, group_note = common_groups(runs, shown[0])
    many = compare_values(shown, group, seed=seed)
    names = [str(run.folder) for run in runs]
    described = [
        {"run": escape_path(name), **settings_of(run.record), "n": n, "too_good": why, "figures": figures}
        for name, run, n, why, figures in zip(names, runs, many["n_each"], flaws, many["figures"], strict=True)
    ]
    comparisons = [
        {"run_a": names[0], "run_b": name, **found} for name, found in zip(names[1:], many["comparisons"], strict=True)
    ]
    return {
        "verb": "compare",
        "task": REGRESSION,
        "graticule_version": __version__,
        "created_utc": utc_now(),
        **target,
        "part": part,
        "n": many["n"],
        "n_groups": many["n_groups"],
        "reference": names[0],
        "runs": described,
        "comparisons": comparisons,
        "cautions": cautions,
        "notes": [*cautions, *many["notes"], *([group_note] if group_note else [])],
    }
