"""All estimates of `graticule count`, of all images together and of each specimen, as arrays."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from graticule.answers import Scored
from graticule.arrays import BoolArray, FloatArray, IntArray
from graticule.counting.counts import (
    LEVEL,
    Control,
    Estimate,
    control_sample,
    corrected_counts,
    corrected_shares,
    drawn_at_random,
    lacking_control,
    plain_counts,
    plain_shares,
    poisson_limits,
    same_precision,
)
from graticule.counting.label_shift import SIGNIFICANCE, ShiftTest, check_label_shift, reference_faults
from graticule.counting.prior_shift import METHODS, Prevalence, Reference, by_adjusted_count, by_em
from graticule.counting.tables import ControlSample, Details
from graticule.decide.specimens import tally

BINS_UM = (2.0, 5.0, 10.0, 25.0)
OWN_CONTROL = 5
NOT_RANDOM = 0.01
EVERY_SIZE = ""

Key = tuple[str, str, str]


@dataclass
class Figures:
    """Estimates of S + 1 scopes (all images, then each specimen) and K classes.

    Attributes
    ----------
    estimates : dict
        By size bin ("" for all sizes), quantity ("count", "share", "per_ml") and method; shape (S + 1, K), NaN rows
        where a method gives nothing.
    tests : list of S + 1 ShiftTest
        Empty without a reference.
    notes : list of str
    control : dict
        What was found of the control sample.
    """

    estimates: dict[Key, Estimate] = field(default_factory=dict)
    tests: list[ShiftTest] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    control: dict[str, object] = field(default_factory=dict)


def scope_counts(scored: Scored, details: Details, inside: BoolArray | None = None) -> FloatArray:
    """Images called each class, shape (S + 1, K), of the rows where the mask `inside` is true."""
    k = len(scored.classes)
    called = scored.called if inside is None else np.where(inside, scored.called, -1)
    everything = tally(np.zeros(len(scored), dtype=np.int64), called, 1, k)
    return np.vstack([everything, tally(details.specimen, called, len(details.names), k)])


def add_plain(figures: Figures, counts: FloatArray, size: str = EVERY_SIZE) -> None:
    """Plain counts, and their shares for all sizes."""
    figures.estimates[size, "count", "plain"] = plain_counts(counts)
    if size == EVERY_SIZE:
        figures.estimates[size, "share", "plain"] = plain_shares(counts)


def add_control(
    figures: Figures, scored: Scored, details: Details, sample: ControlSample, rng: np.random.Generator
) -> None:
    """Counts corrected by the control sample, of all sizes."""
    called, specimen = scored.called[sample.row], details.specimen[sample.row]
    counts = scope_counts(scored, details)
    pooled = _control(scored, sample, np.ones(len(called), dtype=bool))
    p = same_precision(called, sample.label, specimen, rng) if details.names else None
    _describe_control(figures, scored, sample, pooled, p)
    for name in (scored.classes[k] for k in lacking_control(counts[0], pooled)):
        figures.notes.append(
            f"no control image is called {name}: what those images are is unknown, so there is no corrected count"
        )
    may_pool = p is not None and p >= SIGNIFICANCE
    own = np.array([_own(scored, sample, specimen == s, counts[s + 1]) for s in range(len(details.names))], dtype=bool)
    for quantity, correct in (("count", corrected_counts), ("share", corrected_shares)):
        estimate = correct(counts, pooled)
        exact, lent = _blank(estimate), _blank(estimate)
        _copy(exact, 0, estimate, 0)
        for s in range(len(details.names)):
            if own[s]:
                mine = _control(scored, sample, specimen == s)
                _copy(exact, s + 1, correct(counts[s + 1 : s + 2], mine), 0)
            elif may_pool:
                _copy(lent, s + 1, estimate, s + 1)
        figures.estimates[EVERY_SIZE, quantity, "control"] = exact
        if details.names and may_pool and not own.all():
            figures.estimates[EVERY_SIZE, quantity, "control_pooled"] = lent
    if details.names and not own.all():
        figures.notes.append(_pooling_note(int((~own).sum()), p, may_pool))


def _describe_control(
    figures: Figures, scored: Scored, sample: ControlSample, pooled: Control, same: float | None
) -> None:
    drawn = None
    if sample.probability is None:
        drawn = drawn_at_random(np.nan_to_num(scored.proba).max(axis=1), scored.called, sample.row)
        if drawn < NOT_RANDOM:
            figures.notes.append(
                f"the scores of the control images differ from those of all images called the same (p = {drawn:.2g}): "
                "they were hardly drawn at random, so corrected counts are biased; give sampling_prob or draw anew"
            )
    figures.control = {
        "n": len(sample.row),
        "per_class": dict(zip(scored.classes, pooled.n.tolist(), strict=True)),
        "same_precision_p": same,
        "drawn_at_random_p": drawn,
    }


def _own(scored: Scored, sample: ControlSample, mine: BoolArray, counts: FloatArray) -> bool:
    """Whether each class called in a specimen has control images enough of that specimen."""
    n = np.bincount(scored.called[sample.row[mine]], minlength=len(counts))
    return bool((n[counts > 0] >= np.minimum(OWN_CONTROL, counts[counts > 0])).all()) and bool(counts.sum())


def _pooling_note(n: int, p: float | None, may_pool: bool) -> str:
    text = f"{n:,} specimens have fewer than {OWN_CONTROL} control images of a class called in them"
    if may_pool:
        return f"{text}: control_pooled takes the precision of all specimens, which do not differ visibly (p = {p:.3g})"
    if p is None:
        return f"{text}; whether specimens differ in precision cannot be tested, so they get no corrected count"
    return f"{text}, and precision differs between specimens (p = {p:.3g}): they get no corrected count"


def _control(scored: Scored, sample: ControlSample, rows: BoolArray) -> Control:
    k = len(scored.classes)
    probability = None if sample.probability is None else sample.probability[rows]
    return control_sample(scored.called[sample.row[rows]], sample.label[rows], k, k, probability)


def _blank(like: Estimate) -> Estimate:
    return Estimate(*(np.full(like.value.shape, np.nan) for _ in range(3)))


def _copy(to: Estimate, row: int, source: Estimate, source_row: int) -> None:
    for name in ("value", "low", "high"):
        getattr(to, name)[row] = getattr(source, name)[source_row]


def add_prior_shift(
    figures: Figures, scored: Scored, details: Details, known: Reference, rng: np.random.Generator
) -> None:
    """EM and adjusted counts, of those scopes whose test of label shift passes; of none where that of all fails."""
    faults = reference_faults(known, scored.classes)
    rows_of = [np.flatnonzero(scored.called >= 0), *_rows_by_specimen(scored, details)]
    shape = (len(rows_of), len(scored.classes))
    found = {(q, m): Estimate(*(np.full(shape, np.nan) for _ in range(3))) for q in ("count", "share") for m in METHODS}
    for scope, rows in enumerate(rows_of):
        test = _test(scored, known, faults, rows, figures.tests[0] if scope else None, rng)
        figures.tests.append(test)
        if test.passed:
            _fill(found, scope, "em", by_em(scored.proba[rows], known))
            _fill(found, scope, "adjusted", by_adjusted_count(scored.proba[rows].argmax(axis=1), known))
    if any(test.passed for test in figures.tests):
        figures.estimates |= {(EVERY_SIZE, quantity, method): e for (quantity, method), e in found.items()}


def _test(
    scored: Scored,
    known: Reference,
    faults: list[str],
    rows: IntArray,
    whole: ShiftTest | None,
    rng: np.random.Generator,
) -> ShiftTest:
    if faults:
        return ShiftTest(False, None, tuple(faults))
    if whole is not None and not whole.passed:
        return ShiftTest(False, None, ("refused for all images together",))
    return check_label_shift(scored.proba[rows], known, scored.novelty[rows], rng)


def _rows_by_specimen(scored: Scored, details: Details) -> list[IntArray]:
    code = np.where(scored.called >= 0, details.specimen, -1)
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(len(details.names) + 1))
    return [order[a:b] for a, b in itertools.pairwise(edges)]


def _fill(found: dict[tuple[str, str], Estimate], scope: int, method: str, prevalence: Prevalence) -> None:
    for quantity, part in (("count", prevalence.counts()), ("share", prevalence.shares())):
        for name in ("value", "low", "high"):
            getattr(found[quantity, method], name)[scope] = getattr(part, name)


def add_sizes(figures: Figures, scored: Scored, details: Details, volume: FloatArray | None) -> FloatArray:
    """Plain counts from each diameter up, and per mL where the volume, shape (S + 1,), is known.

    Returns
    -------
    float array, shape (len(BINS_UM), S + 1)
        Images of all classes in each bin.
    """
    diameter = np.full(len(scored), np.nan) if details.diameter_um is None else details.diameter_um
    totals = []
    for least in BINS_UM:
        counts = scope_counts(scored, details, diameter >= least)
        size = bin_name(least)
        add_plain(figures, counts, size)
        totals.append(counts.sum(axis=1))
        if volume is not None:
            figures.estimates[size, "per_ml", "plain"] = plain_counts(counts).over(volume[:, None])
    lost = int((np.isnan(diameter) & (scored.called >= 0)).sum())
    if lost:
        figures.notes.append(f"{lost:,} readable images have no diameter: they are in no size bin")
    return np.array(totals)


def total_per_ml(totals: FloatArray, volume: FloatArray) -> Estimate:
    """Particles of all classes per mL with exact Poisson limits; shapes (bins, S + 1) and (S + 1,)."""
    return Estimate(totals, *poisson_limits(totals, LEVEL)).over(volume)


def bin_name(least: float) -> str:
    """ ">= 5 um"."""
    return f">= {least:g} um"
