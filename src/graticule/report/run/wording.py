"""Sentences of the report: what was found, how it was evaluated, what to beware of."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from graticule.evaluate.catalogue import Unit
from graticule.plain_text import plural
from graticule.report.quantities import METHODS, THIN, figure_value, percent, show, whole_number
from graticule.report.run.parts import looked_at
from graticule.report.run.source import ReportSource

FEW_IMAGES = 30
_GIVEN = " were given the class of their label"


def run_subject(source: ReportSource) -> str:
    """Name of the data: the last part of the path they were read from."""
    data = source.run.get("data") or {}
    path = PurePath(str(data.get("source") or data.get("root") or "images"))
    return path.stem if path.suffix.lower() in (".csv", ".parquet") else (path.name or "images")


def span(figure: Any, unit: Unit = "percent") -> str:
    """Write the interval of a figure, or that there is none."""
    shown = show(figure, unit)
    level = (figure_value(figure, "level") or 0.95) * 100
    return f"{level:g}{THIN}% interval {shown.span}" if shown.span else "no interval"


def run_verdict(source: ReportSource) -> list[str]:
    """Plain-language answer in a few sentences, most important first."""
    metrics = source.metrics
    accuracy = metrics.get("accuracy")
    where = "The model was right on" if source.external or source.one_split else "Out-of-fold,"
    what = "" if source.external else " that it had not seen" if source.one_split else _GIVEN
    share = f"{percent(figure_value(accuracy))} of {plural(metrics['n'], 'image')}"
    text = [f"{where} {share}{what} ({span(accuracy)})."]
    base = figure_value(accuracy, "baseline")
    if base is not None:
        text.append(f"Always answering the most frequent class would get {percent(base)}.")
    text += _weakest(metrics)
    if not source.external:
        text.append(_new_groups(source))
    test = metrics.get("test")
    if test and not source.one_split:
        text.append(
            f"On the held-out part of {plural(test['n'], 'image')} the model got "
            f"{percent(figure_value(test['accuracy']))} ({span(test['accuracy'])})."
        )
    return text


def _weakest(metrics: Mapping[str, Any]) -> list[str]:
    """The class found least often, and what its images are mostly taken for."""
    found = {name: figure_value(figures.get("sensitivity")) for name, figures in metrics["per_class"].items()}
    known = {name: value for name, value in found.items() if value is not None}
    if len(known) < 2:
        return []
    name = min(known, key=lambda key: known[key])
    row = list(metrics["confusion"][list(metrics["classes"]).index(name)])
    row[list(metrics["classes"]).index(name)] = 0
    missed = sum(row)
    if missed == 0:
        return ["Every class was recognised without an error."]
    text = f"The class recognised least often is “{name}” (sensitivity {percent(known[name])})"
    other = metrics["classes"][row.index(max(row))]
    if len(known) == 2:
        return [f"{text}."]
    if missed == 1:
        return [f"{text}: the one image missed was given “{other}”."]
    return [f"{text}; {max(row)} of its {whole_number(missed)} missed images were given “{other}”."]


def _new_groups(source: ReportSource) -> str:
    data = source.run.get("data") or {}
    if data.get("group_column"):
        where = "was trained on or tested on, never both" if source.one_split else "lay in one fold only"
        return f"Each group {where}, so these results are about images from groups never seen in training."
    drawn = "The held-out part was" if source.one_split else "Folds were"
    return (
        f"{drawn} drawn image by image: where several images show one specimen, these results are too good for new "
        "specimens."
    )


def alerts(source: ReportSource) -> list[tuple[str, str]]:
    """What a reader must know before believing a figure: (heading, text), gravest first."""
    run, metrics = source.run, source.metrics
    data = run.get("data") or {}
    found: list[tuple[str, str]] = []
    if (run.get("options") or {}).get("group") == "none" and source.has_groups:
        found.append(
            (
                "Groups switched off",
                "The data name groups, and the run was told to ignore them (group none). Images of one group are on "
                "both sides of the folds; the results do not hold for new groups.",
            )
        )
    found += [("Warning", str(text)) for text in run.get("warnings") or []]
    conflicts = (data.get("duplicates") or {}).get("conflicts") or []
    if conflicts:
        sets: dict[str, list[str]] = {}
        for first, other in conflicts:
            sets.setdefault(str(first), [str(first)]).append(str(other))
        named = "; ".join(" = ".join(paths[:5]) + " = ..." * (len(paths) > 5) for paths in list(sets.values())[:5])
        more = f" and {len(sets) - 5} more families" if len(sets) > 5 else ""
        found.append(("Same image, two labels", f"Identical pixels carry different labels: {named}{more}."))
    n_groups = metrics.get("n_groups")
    if n_groups is not None and n_groups < 10:
        text = f"The data have {plural(n_groups, 'group')}; with fewer than 10 no interval would keep its promise."
        found.append(("No intervals", f"{text} The values of the single groups stand under Groups."))
    if (run.get("head") or {}).get("default"):
        text = "With fewer than three training groups the settings could not be chosen by inner cross-validation."
        found.append(("Fixed default classifier", text))
    found += _data_alerts(source, data)
    return found


def _data_alerts(source: ReportSource, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    unreadable = max(len(source.failures), int(data.get("n_unreadable") or 0))
    if unreadable:
        verb = "is" if unreadable == 1 else "are"
        text = f"{plural(unreadable, 'file')} could not be read and {verb} in no result (listed under Data)."
        found.append(("Unreadable files", text))
    small = [name for name, m in source.metrics["per_class"].items() if m.get("n", 0) < FEW_IMAGES]
    if small:
        names = ", ".join(f"“{name}” ({source.metrics['per_class'][name]['n']})" for name in small[:8])
        more = f" and {len(small) - 8} more" if len(small) > 8 else ""
        found.append(
            ("Few images", f"Fewer than {FEW_IMAGES} images: {names}{more}. Read their results by the intervals.")
        )
    return found


def evaluation(source: ReportSource) -> list[tuple[str, str]]:
    """How it was evaluated, as (question, answer)."""
    run = source.run
    if source.external:
        answers = [
            (
                "What was scored",
                f"A finished model (run {model_run(run)}) scored these images once. Nothing was fitted.",
            ),
        ]
    else:
        divided = ("Held-out part", _held_out(source)) if source.one_split else ("Folds", _folds(source))
        answers = [divided, ("Groups", _groups(source)), ("What was fitted where", _fitted(source))]
        answers.append(("What the results describe", _shipped(source)))
    answers.append(("Intervals", _intervals(source.metrics)))
    answers.append(("What the intervals leave out", _left_out(source)))
    notes = (run.get("folds") or {}).get("notes") or []
    if notes:
        answers.append(("Notes on the folds", " ".join(_sentence(str(note)) for note in notes)))
    return answers


def _sentence(note: str) -> str:
    """A note of a run as a sentence among others."""
    return note[:1].upper() + note[1:].removesuffix(".") + "."


def model_run(run: Mapping[str, Any]) -> str:
    """Name of the run whose model was evaluated."""
    found = run.get("model_run")
    if isinstance(found, Mapping):
        found = found.get("path") or found.get("bundle_sha256")
    return str(found or "not recorded")


def _folds(source: ReportSource) -> str:
    run, test = source.run, source.metrics.get("test")
    folds = run.get("folds") or {}
    k = folds.get("k") or 0
    text = (
        f"The images were divided into {k} folds ({folds.get('strategy', 'stratified')}, seed {folds.get('seed', 0)}). "
        f"In turn, a classifier was fitted on {plural(k - 1, 'fold')} and scored the images of the remaining one, so "
        "that every image was scored exactly once by a classifier that had not seen it."
    )
    if folds.get("test_size"):
        part = f" ({_part_of_all(run, test['n'])})" if test else ""
        text += f" The held-out part{part} was set aside before and took no part in this."
    return text + _identical(run, "in one fold")


def share_of_all(run: Mapping[str, Any], n: int) -> float:
    """Share of n among the images of a run: whole groups and families make a part larger or smaller than was asked."""
    return n / int((run.get("data") or {}).get("n") or n or 1)


def _part_of_all(run: Mapping[str, Any], n: int) -> str:
    """How many images of a run a part holds, and their share."""
    total = int((run.get("data") or {}).get("n") or n)
    return f"{n:,} of {plural(total, 'image')}, {percent(share_of_all(run, n))}"


def _held_out(source: ReportSource) -> str:
    run = source.run
    folds = run.get("folds") or {}
    return (
        f"{_part_of_all(run, source.metrics['n'])}, were set aside (seed {folds.get('seed', 0)}) before anything "
        "was fitted; one model was trained on the others and scored these once. There was no cross-validation: with "
        "another held-out part the results would differ, see the intervals."
    ) + _identical(run, "on one side of the split")


def _identical(run: Mapping[str, Any], where: str) -> str:
    duplicates = (run.get("data") or {}).get("duplicates") or {}
    if not duplicates.get("components"):
        return ""
    sets = plural(duplicates["components"], "set")
    return f" Images with identical pixels ({sets}, {plural(duplicates['images'], 'image')}) were kept {where}."


def _groups(source: ReportSource) -> str:
    data = source.run.get("data") or {}
    column, options = data.get("group_column"), source.run.get("options") or {}
    if column:
        where = "on the same side of the split" if source.one_split else "in the same fold"
        return (
            f"Group-wise, by the column “{column}” ({plural(data.get('n_groups') or 0, 'group')}): all images of one "
            f"group lie {where}, so no classifier was tested on a group it had been trained on."
        )
    reason = "groups were switched off" if options.get("group") == "none" else "the data name no groups"
    return (
        f"Image by image, since {reason}: images of one specimen may be on both sides of a split. Where images of one "
        "specimen resemble each other more than those of different specimens, the results are too good for new "
        "specimens. A column “group” in the manifest (patient, slide, lot, micrograph) makes the evaluation group-wise."
    )


def _fitted(source: ReportSource) -> str:
    head, embedding = source.run.get("head") or {}, source.run.get("embedding") or {}
    if source.run.get("training"):
        anew, side = ("", "the training side") if source.one_split else (" anew in each fold", "each training side")
        return (
            f"The network ({embedding.get('backbone', 'backbone')}) was trained{anew}, from the weights it came with. "
            f"A part of {side}, whole units, chose the epoch and the temperature of the scores. Nothing was fitted on "
            "the images that a result counts."
        )
    inner = sorted({int(fold["inner_folds"]) for fold in head.get("folds") or [] if fold.get("inner_folds")})
    chosen = (
        f"chosen by an inner cross-validation ({', '.join(map(str, inner))} folds) within each training part"
        if inner and not head.get("default")
        else "fixed beforehand"
    )
    return (
        f"The network ({embedding.get('backbone', 'backbone')}) came with its weights, trained on other images, and "
        "was not changed. Scaling and classifier were fitted on training images only; the classifier's kind and "
        f"settings were {chosen}. Nothing was fitted on the images that a result counts.{looked_at(head)}"
    )


def _shipped(source: ReportSource) -> str:
    shipped = (source.run.get("head") or {}).get("shipped") or "not recorded"
    if source.one_split:
        return f"The model in the run folder itself: {shipped}."
    return (
        f"Out-of-fold results describe the classifiers of the folds. The model in the run folder: {shipped}. "
        "ROC AUC and average precision are means over folds, since scores of different classifiers need not share a "
        "scale; the pooled value stands beside them where it was computed."
    )


def methods_used(metrics: Mapping[str, Any]) -> list[str]:
    """Names of the interval methods in metrics.json, in order of their first use."""
    figures = [m for m in metrics.values() if isinstance(m, Mapping)]
    figures += [m for per in metrics["per_class"].values() for m in per.values() if isinstance(m, Mapping)]
    names = [str(m["method"]) for m in figures if m.get("method") and figure_value(m) is not None]
    return list(dict.fromkeys(names))


def _intervals(metrics: Mapping[str, Any]) -> str:
    used = methods_used(metrics)
    text = "; ".join(METHODS.get(name, name) for name in used)
    return (
        f"{text[:1].upper()}{text[1:]}. Which one belongs to a value is shown by pointing at it." if text else "None."
    )


def _left_out(source: ReportSource) -> str:
    text = (
        "Labels are taken as true. Other instruments, preparations, operators and proportions of the classes than "
        "those in these data are not covered."
    )
    if source.external:
        return text
    return (
        "The intervals say how much the results would change with other test images, the classifiers given. They leave "
        "out the variance of training again on other images, which cannot be estimated "
        + (
            "from one training"
            if source.one_split
            else "without bias from one cross-validation (Bengio and Grandvalet 2004)"
        )
        + f". {text}"
    )
