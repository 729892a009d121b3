"""Orientation statistics in words: the family that each belongs to, and its own name for people."""

import re

from graticule.directions.features import feature_names

# in the order in which they are told
FAMILIES = {
    "peak": "share in the peak",
    "profile": "share near the most frequent direction",
    "order": "order and higher moments",
    "shape": "width and shape of the distribution",
    "tiles": "agreement of the parts of the picture",
    "lgo": "Local Gradient Orientation",
    "scales": "difference of the scales",
    "coherency": "coherency (how line-like, not how aligned)",
    "contrast": "structure against ground and noise",
}
_OF_NAME = {
    "share": "peak",
    "scales_mean": "peak",
    "scales_apart": "scales",
    "used": "contrast",
    "noise_share": "contrast",
    "contrast": "contrast",
    "entropy": "shape",
    "highest": "shape",
    "width": "shape",
    "goodness": "shape",
    "second": "shape",
}
_WORDS = {
    "share": "share in the peak of the mixture",
    "width": "width of the peak",
    "goodness": "what the mixture explains",
    "second": "height at a second peak",
    "entropy": "entropy of the directions",
    "highest": "height of the peak",
    "used": "share of places with a direction",
    "coherency": "mean coherency",
    "coherency_by_energy": "coherency weighted by energy",
    "noise_share": "share of noise in the energy",
    "contrast": "gradient over contrast",
    "moment2": "order S",
    "scales_apart": "range of the share over the scales",
    "scales_mean": "mean share over the scales",
    "lgo_amount": "amount of Local Gradient Orientation",
    "lgo_corrected": "corrected amount of Local Gradient Orientation",
    "lgo_dispersion": "dispersion of Local Gradient Orientation",
    "lgo_goodness": "goodness of the fit of Local Gradient Orientation",
}
_TILES = {
    "order": "mean order of {0} x {0} parts",
    "spread": "spread of the order of {0} x {0} parts",
    "share": "spread of the share of {0} x {0} parts",
}
_WEIGHTS = {"equal": "", "energy": ", by energy", "energy_coherency": ", by energy and coherency"}
_SCALE = re.compile(r"s([0-9.]+)_(.+)")
_WEIGHTED = re.compile(r"(equal|energy_coherency|energy)_(.+)")


def family_of(name: str) -> str:
    """The family, a key of `FAMILIES`, of a statistic of `graticule.directions.features.feature_names`."""
    bare = _parts(name)[2]
    if bare in _OF_NAME:
        return _OF_NAME[bare]
    starts = {"within": "profile", "moment": "order", "tile": "tiles", "lgo": "lgo", "coherency": "coherency"}
    return next(family for start, family in starts.items() if bare.startswith(start))


def feature_words(name: str) -> str:
    """A statistic in words, such as "share within 15° of the most frequent direction (σ 1.5 px, by energy)"."""
    sigma, weighting, bare = _parts(name)
    if bare.startswith("within"):
        words = f"share within {bare.removeprefix('within')}° of the most frequent direction"
    elif bare.startswith("tile_"):
        kind = bare.removeprefix("tile_")
        words = _TILES[kind[:-1]].format(kind[-1])
    elif bare.startswith("moment") and bare not in _WORDS:
        words = f"moment {bare.removeprefix('moment')} about the director"
    else:
        words = _WORDS[bare]
    return f"{words} (σ {sigma} px{_WEIGHTS[weighting]})" if sigma else words


def statistics_of_families() -> dict[str, list[int]]:
    """Places of the statistics of each family in the feature vector."""
    names = feature_names()
    return {family: [k for k, name in enumerate(names) if family_of(name) == family] for family in FAMILIES}


def _parts(name: str) -> tuple[str, str, str]:
    """Scale, weighting ("equal" where there is none) and bare name of a statistic."""
    scaled = _SCALE.fullmatch(name)
    sigma, bare = (scaled[1], scaled[2]) if scaled else ("", name)
    weighted = _WEIGHTED.fullmatch(bare)
    return (sigma, weighted[1], weighted[2]) if weighted else (sigma, "equal", bare)
