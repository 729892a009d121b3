"""The page of `graticule study particles`: what helps rare kinds, kind by kind, and labels in doubt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graticule.report.page import render_page
from graticule.report.study.charts import method_errors
from graticule.report.study.page import beside_limits
from graticule.report.thumbnails import ReadRgb, thumbnail

FIGURES = ("macro_precision", "average_precision_macro")
OF_CLASS = ("precision", "sensitivity", "average_precision")
ARM_WORDS = {
    "none": "every image counts once",
    "weights": "class weights",
    "oversampling": "rare images repeated",
    "symmetries": "weights, rare images turned",
    "network": "network itself, fine-tuned",
}
_BY = {"none": "where every image counts once", "oversampling": "where rare images are repeated"}


def render_particles(document: Mapping[str, Any], files: Sequence[Path], read: ReadRgb) -> str:
    """Write the page as one HTML text.

    Parameters
    ----------
    document : mapping
        study.json.
    files : sequence of path
        Images of the labels most in doubt, in the order of `document["labels"]["first"]`.
    read : callable
        Reads a picture.
    """
    rows = [
        {"short": ARM_WORDS[one["name"]], "trained": one["name"] != "none", "mae": one["average_precision_macro"]}
        for one in document["arms"]
    ]
    doubted = [
        {**one, "picture": thumbnail(file, read)} for one, file in zip(document["labels"]["first"], files, strict=True)
    ]
    return render_page(
        "study_particles.html.j2",
        {
            "about": document,
            "answer": particles_answer(document),
            "chart": method_errors(rows, None, "Macro average precision of each way, with its interval"),
            "rows": particle_rows(document),
            "by_class": figures_by_class(document),
            "doubted": doubted,
        },
        styles=("audit.css", "study.css"),
    )


def particle_rows(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Each way in words, its two figures with intervals, and what each gains over class weights."""
    return [
        (ARM_WORDS[one["name"]], *(beside_limits(one[key], 3) for key in FIGURES), *_gains(one["over_weights"]))
        for one in document["arms"]
    ]


def figures_by_class(document: Mapping[str, Any]) -> list[tuple[str, int, list[tuple[str, ...]]]]:
    """Each class with its number of images and, of each way, precision, recall and average precision."""
    return [
        (
            name,
            document["arms"][0]["per_class"][name]["n"],
            [
                (ARM_WORDS[one["name"]], *(beside_limits(one["per_class"][name][key], 3) for key in OF_CLASS))
                for one in document["arms"]
            ],
        )
        for name in document["classes"]
    ]


def particles_answer(document: Mapping[str, Any]) -> str:
    """Which way is best and whether it is more than class weights; how many wrong labels were found."""
    best = max(document["arms"], key=lambda one: one["average_precision_macro"]["value"] or 0.0)
    figure = beside_limits(best["average_precision_macro"], 3)
    gained = best["over_weights"]
    if gained is None:
        apart = "No other way comes out above class weights."
    else:
        gain = gained["average_precision_macro"]
        shown = gain["low"] is not None and gain["low"] > 0
        apart = f"Over class weights that is {beside_limits(gain, 3)}: {'a gain' if shown else 'no gain is shown'}."
    labels = document["labels"]
    told = f" {labels['n_listed']:,} labels stand in doubt."
    if labels["n_planted"]:
        n = labels["n_planted"]
        told += (
            f" Of {n:,} labels made wrong on purpose, {labels['planted_first']:,} stand among the first {n:,} "
            f"and {labels['planted_first_three']:,} among the first {3 * n:,}."
        )
    return (
        f"Of {document['n']:,} particles, each judged by a model that saw others, the best macro average precision is "
        f"{figure}, {_BY.get(best['name'], 'by ' + ARM_WORDS[best['name']])}. {apart}{told}"
    )


def _gains(over: Mapping[str, Any] | None) -> tuple[str, str]:
    if over is None:
        return "–", "–"
    first, second = (_signed(over[key]) for key in FIGURES)
    return first, second


def _signed(figure: Mapping[str, Any]) -> str:
    text = beside_limits(figure, 3)
    return text if text.startswith("−") else f"+{text}"
