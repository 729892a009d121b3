"""The page of `graticule study nanowires`: how far the aligned fraction can be trusted, method by method."""

from collections.abc import Mapping, Sequence
from typing import Any

from graticule.evaluate.values.methods import ComparedImages
from graticule.report.page import render_page
from graticule.report.study.charts import against_truth, method_errors

SHIPPED, FAIR = "lgo_fiji", "lgo_calibrated"
_SHORT = {
    SHIPPED: "LGO as the plug-in ships it",
    "lgo": "LGO repaired",
    FAIR: "LGO repaired, calibrated",
    "mixture": "tensor and mixture, untrained",
    "orientation": "orientation statistics, trained",
    "network": "network’s features, trained",
    "both": "both, trained",
    "finetuned": "network itself, fine-tuned",
}
_SUBJECT = {
    "orientation": "a model trained on orientation statistics",
    "network": "a model trained on the network’s features",
    "both": "a model trained on orientation statistics and the network’s features",
    "finetuned": "the network itself, fine-tuned,",
}
_PRACTICAL = "the directions of the visible wires"
_PARTS = {
    "cross-validated": "Cross-validated: each specimen scored by a model that saw other specimens only",
    "new": "New specimens, scored once",
}


def render_study(document: Mapping[str, Any], parts: Sequence[ComparedImages]) -> str:
    """Write the page as one HTML text from study.json and what each method says of each image."""
    shown = [_part(told, images, document["floors"]) for told, images in zip(document["parts"], parts, strict=True)]
    return render_page(
        "study.html.j2",
        {"about": document, "answer": study_answer(document), "cards": study_cards(document), "parts": shown},
        styles=("audit.css", "study.css"),
    )


def best_of(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The trained method of the least error that is no calibrated one."""
    return next(row for row in told["methods"] if row["trained"] and row["name"] != FAIR)


def beside_limits(figure: Mapping[str, Any], digits: int = 2) -> str:
    """A figure and its interval: "0.45 [0.40, 0.50]"."""
    value = f"{figure['value']:.{digits}f}".replace("-", "−")
    if figure["low"] is None or figure["high"] is None:
        return value
    return f"{value} [{figure['low']:.{digits}f}, {figure['high']:.{digits}f}]".replace("-", "−")


def study_answer(document: Mapping[str, Any]) -> str:
    """The comparison in two sentences; a third where no training does as well."""
    told = document["parts"][-1]
    best = best_of(told)
    where = "drawn pictures" if document["phantoms"] else "these pictures"
    groups = "" if told["n_groups"] is None else f" of {told['n_groups']} specimens"
    return (
        f"On {told['n']:,} {where}{groups}{' that nothing was trained on' if told['name'] == 'new' else ''}, "
        f"{_SUBJECT.get(best['name'], best['words'])} errs by {best['mae']['value']:.3f} on average: "
        f"{beside_limits(best['ratio'][SHIPPED])} of the error of Local Gradient Orientation as the plug-in ships it, "
        f"and {beside_limits(best['ratio'][FAIR])} of it repaired and calibrated.{_without_training(told, best)}"
    )


def _without_training(told: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    """That a method without training errs less than the best trained one, where that is so."""
    found = next((row for row in told["methods"] if not row["trained"]), None)
    if found is None or found["mae"]["value"] > best["mae"]["value"]:
        return ""
    name = _SHORT.get(found["name"], found["words"]).removesuffix(", untrained")
    return f" Without any training, {name} errs by {found['mae']['value']:.3f}: training gains nothing here."


def study_cards(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Headline figures of the last part as (name, value, words below)."""
    told = document["parts"][-1]
    best, shipped = best_of(told), next(row for row in told["methods"] if row["name"] == SHIPPED)
    floor = document["floors"].get(told["name"], {}).get(_PRACTICAL)
    limits = best["limits"]
    return [
        ("Mean error", f"{best['mae']['value']:.3f}", _SHORT.get(best["name"], best["words"])),
        ("R²", f"{best['r2']['value']:.2f}", "of the same"),
        ("LGO as shipped", f"{shipped['mae']['value']:.3f}", f"R² {shipped['r2']['value']:.2f}"),
        ("Floor", "–" if floor is None else f"{floor:.3f}", "visible wires’ directions known"),
        ("Limits hold", "–" if limits is None else f"{100 * limits['coverage']:.0f} %", "promised 90 %"),
        ("Limits’ width", "–" if limits is None else f"{limits['width']:.2f}", "on a scale from 0 to 1"),
    ]


def _part(told: Mapping[str, Any], images: ComparedImages, floors: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    own = floors.get(told["name"], {})
    rows = [{**row, "short": _SHORT.get(row["name"], row["words"])} for row in told["methods"]]
    best = best_of(told)["name"]
    return {
        "title": _PARTS.get(told["name"], told["name"]),
        "key": told["name"],
        "n": told["n"],
        "n_groups": told["n_groups"],
        "errors": method_errors(rows, own.get(_PRACTICAL)),
        "rows": [_row(row) for row in rows],
        "clouds": [
            (_SHORT[name], against_truth(images.target, images.of(name).value, _SHORT[name]))
            for name in (SHIPPED, "mixture", best)
        ],
        "floors": own,
    }


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    ratio, limits = row["ratio"], row["limits"]
    return {
        "name": row["short"],
        "mae": beside_limits(row["mae"], 3),
        "r2": beside_limits(row["r2"]),
        "bias": f"{row['bias']['value']:+.2f}".replace("-", "−"),
        "slope": "–" if row["slope"]["value"] is None else f"{row['slope']['value']:.2f}",
        "shipped": beside_limits(ratio[SHIPPED]) if SHIPPED in ratio else "1",
        "fair": beside_limits(ratio[FAIR]) if FAIR in ratio else "1",
        "limits": "–" if limits is None else f"{100 * limits['coverage']:.0f} %, {limits['width']:.2f} wide",
    }
