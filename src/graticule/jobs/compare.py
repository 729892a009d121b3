"""`graticule compare`: two or more runs on the same samples, paired."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graticule import __version__
from graticule.decide.coverage_difference import add_coverage, out_of_reach
from graticule.errors import OptionError
from graticule.evaluate.compare.conditions import (
    FinishedRun,
    check_images,
    check_synthetic,
    common_groups,
    common_part,
    division_notes,
    too_good,
)
from graticule.evaluate.compare.runs import compare_many, flat
from graticule.evaluate.compare.settings import settings_of
from graticule.files import write_text
from graticule.formats.selection import selection_of
from graticule.manifest import Manifest, escape_path
from graticule.options import SeedOptions
from graticule.predictions import Predictions, read_predictions
from graticule.report.compare.page import render_comparison
from graticule.report.thumbnails import SIDE, FileOf, ReadRgb, pictures_of_files
from graticule.runs import as_written, output_folder, read_json, read_run, require_finished, utc_now, write_json


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
    refuse_repeats(folders)
    with as_written(*folders):
        runs = [_read(folder) for folder in folders]
        result = _compared(runs, seed)
    if out is not None:
        with output_folder(out, "comparison"), as_written(*folders):
            write_json(out / "comparison.json", result)
            write_comparison(out, runs[0], result, render_comparison)
    return result


def _compared(runs: Sequence[FinishedRun[Predictions]], seed: int) -> dict[str, Any]:
    """comparison.json of runs that were read."""
    part = common_part(runs)
    cautions, flaws = fairness(runs, part)
    shown = [run.predictions.of_part(part) for run in runs]
    group, group_note = common_groups(runs, shown[0])
    many = compare_many(shown, group, seed=seed)
    add_coverage(many, shown, group, seed)
    result = _document(runs, part, many, flaws) | {"cautions": cautions}
    more = [*([group_note] if group_note else []), *out_of_reach(result["comparisons"])]
    result["notes"] = [*cautions, *result["notes"], *more]
    return result


def fairness(runs: Sequence[FinishedRun[Any]], part: str) -> tuple[list[str], list[str | None]]:
    """Why a comparison may mislead, in words, and why the figures of each run are too good, if they are."""
    doubts = check_images(runs, part)
    flaws = too_good(runs, part)
    worst = [f"The figures of {run.name} are too good: {why}." for run, why in zip(runs, flaws, strict=True) if why]
    return [*doubts, *check_synthetic(runs), *worst, *division_notes(runs)], flaws


def refuse_repeats(folders: Sequence[Path]) -> None:
    """Refuse one folder named twice.

    Raises
    ------
    OptionError
    """
    places = [folder.resolve() for folder in folders]
    twice = [str(folder) for folder, place in zip(folders, places, strict=True) if places.count(place) > 1]
    if twice:
        raise OptionError(f"a run cannot be compared with itself: {' and '.join(twice)} are one folder")


def _read(folder: Path) -> FinishedRun[Predictions]:
    require_finished(folder)
    return FinishedRun(
        folder,
        read_run(folder),
        read_predictions(folder / "predictions.parquet"),
        Manifest.read(folder / "manifest.parquet"),
    )


def _document(
    runs: Sequence[FinishedRun[Predictions]], part: str, many: dict[str, Any], flaws: Sequence[str | None]
) -> dict[str, Any]:
    names = [str(run.folder) for run in runs]
    settings = [settings_of(run.record) for run in runs]
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


def _own_rule(run: FinishedRun[Predictions]) -> dict[str, Any] | None:
    """The acceptance rule that the run's model stores and what it accepts, as its report says; None without one."""
    file = run.folder / "decisions.json"
    acceptance = read_json(file).get("acceptance") if file.is_file() else None
    return {name: acceptance[name] for name in ("rule", "coverage", "accuracy")} if acceptance else None


def write_comparison(
    out: Path,
    first: FinishedRun[Any],
    result: dict[str, Any],
    render: Callable[[dict[str, Any], ReadRgb, FileOf], str],
) -> None:
    """Write comparison.json, and compare.html with pictures of the files that the first run read."""
    write_json(out / "comparison.json", result)
    files = dict(zip(first.manifest.sample_id.tolist(), first.manifest.files(), strict=True))
    with pictures_of_files(SIDE, selection_of(first.record)) as read:
        page = render(result, read, files.get)
    write_text(out / "compare.html", page.encode("utf-8", errors="replace").decode("utf-8"))
