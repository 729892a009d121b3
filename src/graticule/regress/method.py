"""The method "features" for a number: regressions on features of the picture, cross-validated."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graticule.arrays import FloatArray, IntArray
from graticule.directions.features import feature_names
from graticule.features.samples import Samples
from graticule.heads.outcome import scored_once
from graticule.heads.scaling import FeatureLayout
from graticule.networks.encoder import Encoder
from graticule.networks.pooling import CENTRE, ORIENTATION, WHOLE, part_span
from graticule.progress import Reporter
from graticule.regress.baselines import MEASURES, constant_baselines, measured_baselines
from graticule.regress.crossval import (
    ValueCrossValidation,
    ValueSearch,
    cross_validate_values,
    refit_values,
    value_learning_curve,
)
from graticule.regress.inputs import looks_at_orientation
from graticule.regress.outcome import ValueOutcome
from graticule.regress.scoring import ValueMember, member_values, without_features
from graticule.regress.search import ValueChoice
from graticule.regress.target import Target
from graticule.split.division import Division


def fit_values(
    samples: Samples,
    encoder: Encoder,
    division: Division,
    target: Target,
    search: ValueSearch,
    *,
    refit: bool,
    reporter: Reporter,
) -> ValueOutcome:
    """Cross-validate regressions on the features, make the shipped ones, and say the number of every part."""
    folds, features = division.folds, samples.features
    values, sizes = samples.manifest.targets, sizes_in_nm(samples)
    learnt = target.learnt(values, sizes)
    reporter.begin("cross-validating", folds.k)
    cv = cross_validate_values(features, learnt, folds, search, progress=reporter.advance)
    members, shipped = cv.members, f"mean of the {folds.k} folds" if folds.k > 1 else "the model of the training part"
    refitted: ValueChoice | None = None
    if refit:
        member, refitted = refit_values(features, learnt, folds, search)
        members, shipped = [member], f"one model ({refitted.kind}) refitted on all cross-validated images"
    reporter.step("learning curve")
    said = cv.learnt.copy()
    aside = scored_once(folds)
    if aside.any():
        said[aside] = member_values(members, features[aside]).mean(axis=0)

    def error_of(numbers: FloatArray, rows: IntArray) -> float:
        own = None if sizes is None else sizes[rows]
        return float(np.abs(target.restored(numbers, own) - values[rows]).mean())

    baselines = constant_baselines(values, folds)
    if any(looks_at_orientation(one.blocks) for choice in cv.choices for one in choice.settings):
        measures = _measures(features, encoder)
        baselines |= measured_baselines(measures, values, folds, raw=(target.least, target.most) == (0.0, 1.0))
    encoder, members = without_unused(encoder, members)
    return ValueOutcome(
        target=target,
        learnt=said,
        encoder=encoder,
        members=members,
        shipped=shipped,
        head=_describe(cv, refitted, shipped, search),
        baselines=baselines,
        learning_curve=value_learning_curve(features, learnt, folds, cv, search, error_of),
        warnings=_warnings(cv, encoder, refit=refit),
    )


def _measures(features: NDArray[np.floating], encoder: Encoder) -> dict[str, FloatArray]:
    """Measures of orientation among the features, by their name beside a model."""
    names, at = feature_names(), part_span(encoder.parts, ORIENTATION, encoder.n_features).start
    return {told: features[:, at + names.index(column)].astype(np.float64) for told, column in MEASURES.items()}


def without_unused(encoder: Encoder, members: list[ValueMember]) -> tuple[Encoder, list[ValueMember]]:
    """The model without its orientation statistics where no fold looks at them: new images are then read faster."""
    layout = feature_layout(encoder)
    if not encoder.orientation or {WHOLE, CENTRE} - {name for name, _ in layout.parts}:
        return encoder, members
    at = part_span(encoder.parts, ORIENTATION, encoder.n_features)
    trimmed = [without_features(member, at) for member in members]
    return (encoder, members) if None in trimmed else (encoder.without_orientation(), [m for m in trimmed if m])


def feature_layout(encoder: Encoder) -> FeatureLayout:
    """What the numbers of an encoder's features are."""
    return FeatureLayout(encoder.n_features, encoder.parts)


def sizes_in_nm(samples: Samples) -> FloatArray | None:
    """The column pixel_size_nm, NaN where it is empty, shape (n,); None where there is none."""
    cells = samples.manifest.columns.get("pixel_size_nm")
    return None if cells is None else np.array([float(cell) if cell else np.nan for cell in cells])


def _describe(
    cv: ValueCrossValidation, refitted: ValueChoice | None, shipped: str, search: ValueSearch
) -> dict[str, Any]:
    return {
        "requested": search.request,
        "features": search.features,
        "shipped": shipped,
        "default": any(choice.inner_folds == 0 for choice in cv.choices),
        "folds": [{"fold": i} | choice.describe() for i, choice in enumerate(cv.choices)],
        "refitted": None if refitted is None else refitted.describe(),
        "seconds": round(cv.seconds, 2),
    }


def _warnings(cv: ValueCrossValidation, encoder: Encoder, *, refit: bool) -> list[str]:
    found = []
    if not encoder.model:
        found.append(
            "no network was asked (--features orientation): novelty and nearest images rest on the orientation "
            "statistics alone, and so do near-duplicates beside their fingerprints. A picture of something else with "
            "directions like those of the training images is not told as new"
        )
    if any(choice.inner_folds == 0 for choice in cv.choices):
        found.append("fixed settings were used in at least one fold: too few images or groups to choose any")
    if refit:
        found.append("the shipped model was refitted on all cross-validated images: its figures are estimates")
    return found
