"""What a model of a number is held against beside constants and features: cues alone, and the plug-in of Fiji."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from graticule.arrays import FloatArray
from graticule.audit.cue_baseline import cue_baseline
from graticule.audit.instruments import read_instruments
from graticule.audit.search import gather_cues
from graticule.directions.lgo import local_gradient_orientation
from graticule.features.samples import Samples
from graticule.images.decode import with_sidecar
from graticule.images.image import decode_image, read_file
from graticule.images.luminance import brightness_of
from graticule.images.preprocess import Preprocessing
from graticule.regress.baselines import GRADIENT
from graticule.regress.method import sizes_in_nm
from graticule.regress.outcome import ValueOutcome
from graticule.split.division import Division
from graticule.workers.pool import in_workers

CUES, PLUGIN = "cues", f"{GRADIENT}, as Fiji computes it"


def beside_simpler(
    outcome: ValueOutcome,
    samples: Samples,
    preprocessing: Preprocessing,
    division: Division,
    *,
    seed: int,
    workers: int | None,
) -> ValueOutcome:
    """The outcome with further baselines: what cues alone tell, and the plug-in's amount where orientation counts.

    The amount is a share from 0 to 1 and stands beside targets of these bounds alone, as it is: nothing is learnt.
    """
    baselines = dict(outcome.baselines)
    rows, sizes = np.arange(len(samples.manifest)), sizes_in_nm(samples)
    cues, _ = gather_cues(samples, read_instruments(samples), rows, None, masked=preprocessing.marks == "mask")
    found = cue_baseline(cues, outcome.target.learnt(samples.manifest.targets, sizes), division.folds, seed=seed)
    if found is not None:
        baselines[CUES] = outcome.target.restored(found, sizes)
    if GRADIENT in baselines:
        baselines[PLUGIN] = plugin_amounts(samples, preprocessing, workers=workers)
    return replace(outcome, baselines=baselines)


def plugin_amounts(samples: Samples, preprocessing: Preprocessing, *, workers: int | None) -> FloatArray:
    """Amount of Local Gradient Orientation as shipped, shape (n,); 0 for a picture without gradients, or one gone."""
    amount = partial(plugin_amount, preprocessing=preprocessing)
    found = np.array(list(in_workers(amount, samples.manifest.files(), lambda _: 0.0, workers=workers)))
    return np.nan_to_num(found.astype(np.float64), nan=0.0)


def plugin_amount(file: Path, preprocessing: Preprocessing) -> float:
    """The same of one file, as `graticule orientation --method lgo-fiji` measures it; NaN without gradients."""
    image = with_sidecar(decode_image(read_file(file), str(file), preprocessing.selection), file)
    grey = brightness_of(image, info_bar=preprocessing.info_bar, marks=preprocessing.marks).grey
    return local_gradient_orientation(grey, as_shipped=True).amount
