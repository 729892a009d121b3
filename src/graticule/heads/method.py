"""The method "features": heads on frozen features, cross-validated."""

from typing import Any

from graticule.arrays import class_codes
from graticule.features.samples import Samples
from graticule.heads.crossval import CrossValidation, Search, cross_validate, learning_curve, refit
from graticule.heads.options import HeadOptions
from graticule.heads.outcome import Outcome, scored_once
from graticule.heads.scoring import probabilities
from graticule.heads.search import HeadChoice
from graticule.networks.encoder import Encoder
from graticule.progress import Reporter
from graticule.split.division import Division


def fit_heads(
    samples: Samples, encoder: Encoder, division: Division, options: HeadOptions, reporter: Reporter
) -> Outcome:
    """Cross-validate heads on the features, make the shipped ones, and score every part."""
    manifest, folds = samples.manifest, division.folds
    y = class_codes(manifest.label, manifest.classes)
    search = Search(len(manifest.classes), options.head, manifest.group is not None, options.seed, encoder.parts)
    reporter.begin("cross-validating", folds.k)
    cv = cross_validate(samples.features, y, folds, search, progress=reporter.advance)
    heads, shipped = cv.heads, f"mean of the {folds.k} fold heads" if folds.k > 1 else "the head of the training part"
    refitted: HeadChoice | None = None
    if options.refit:
        head, refitted = refit(samples.features, y, folds, search)
        heads, shipped = [head], f"one head ({refitted.kind}) refitted on all cross-validated images"
    reporter.step("learning curve and intervals")
    proba = cv.proba.copy()
    aside = scored_once(folds)
    if aside.any():
        proba[aside] = probabilities(heads, samples.features[aside])
    return Outcome(
        proba=proba,
        encoder=encoder,
        heads=heads,
        shipped=shipped,
        head=_describe(cv, refitted, shipped, options),
        learning_curve=learning_curve(samples.features, y, folds, cv, search),
        warnings=_warnings(cv, options),
    )


def _describe(cv: CrossValidation, refitted: HeadChoice | None, shipped: str, options: HeadOptions) -> dict[str, Any]:
    def described(choice: HeadChoice) -> dict[str, Any]:
        return {
            "kind": choice.kind,
            "settings": choice.describe(),
            "parts": sorted({part for member in choice.members for part in member.settings.parts}),
            "told": [{"parts": list(parts), "balanced_accuracy": round(value, 4)} for parts, value in choice.told],
            "inner_score": choice.inner_score,
            "candidates": choice.candidates,
            "inner_folds": choice.inner_folds,
        }

    return {
        "requested": options.head,
        "shipped": shipped,
        "default": any(choice.inner_folds == 0 for choice in cv.choices),
        "folds": [{"fold": i} | described(choice) for i, choice in enumerate(cv.choices)],
        "refitted": None if refitted is None else described(refitted),
        "seconds": round(cv.seconds, 2),
    }


def _warnings(cv: CrossValidation, options: HeadOptions) -> list[str]:
    warnings = []
    if any(choice.inner_folds == 0 for choice in cv.choices):
        warnings.append(
            "a fixed default head was used in at least one fold: too few images or groups to choose one by an inner "
            "cross-validation"
        )
    if options.refit:
        warnings.append("the shipped head was refitted on all cross-validated images: its figures are estimates")
    return warnings
