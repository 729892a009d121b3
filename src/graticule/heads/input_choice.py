"""The choice of the network's input size and of the number of views for one data set, inside the training folds.

The images are divided first, by features at the smallest input that throws no pixel away, which are cheap. Each fold
then looks at its training images among at most 2,000, and takes the smallest input that is as good as the
best; the run takes what most folds chose. The number of views is chosen alike, at that size. Images set aside (test,
calibration) and those that only train take no part.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graticule.errors import OptionError
from graticule.features.samples import Samples, image_files
from graticule.heads.input_judge import InputJudge
from graticule.heads.input_search import Embed, InputChoice, InputSearch, sized
from graticule.heads.input_size import candidate_sizes
from graticule.images.sides import longer_sides
from graticule.manifest import Manifest
from graticule.networks.backbones import find_embedded
from graticule.networks.encoder import Encoder
from graticule.networks.options import DEFAULT_VIEWS, VIEWS, InputOptions
from graticule.options import number_of
from graticule.progress import Reporter
from graticule.split.division import Division

# fewer tell nothing apart, and the smallest would win for want of evidence
LEAST_IMAGES = 300

Divide = Callable[[Samples, Encoder], Division]


@dataclass(frozen=True)
class InputSteps:
    """What is done with a data set on the way to a choice.

    Attributes
    ----------
    embed : callable
        Samples of a manifest by an encoder.
    divide : callable
        The division of samples.
    judge : callable
        From samples to what candidates are judged by.
    beside : callable
        The encoder with what is measured beside the network, which no candidate is judged by.
    """

    embed: Embed
    divide: Divide
    judge: Callable[[Samples], InputJudge]
    beside: Callable[[Encoder], Encoder] = lambda encoder: encoder


@dataclass(frozen=True)
class Embedded:
    """Samples at the input that was chosen.

    Attributes
    ----------
    encoder : Encoder
        With the chosen size and number of views.
    samples : Samples
    division : Division
    chosen : dict of InputChoice
        "input_size" and "views"; empty for a network that is trained.
    """

    encoder: Encoder
    samples: Samples
    division: Division
    chosen: dict[str, InputChoice] = field(default_factory=dict)

    def describe(self) -> dict[str, Any] | None:
        """For run.json."""
        return {name: chosen.describe() for name, chosen in self.chosen.items()} or None


def embed_as_chosen(
    manifest: Manifest,
    encoder: Encoder,
    options: InputOptions,
    steps: InputSteps,
    *,
    seed: int,
    workers: int | None,
    reporter: Reporter,
) -> Embedded:
    """Embed a data set at the input size and with the views that pay.

    Parameters
    ----------
    manifest : Manifest
        Labelled samples.
    encoder : Encoder
        On the network's own size.
    options : InputOptions
    steps : InputSteps
    seed : int
    workers : int, optional
        Processes that decode.
    reporter : Reporter

    Raises
    ------
    ManifestError
        When a file that could be read cannot be read any more.
    OptionError
        When the network does not take the size that was asked for.
    """
    sizes, why_sizes = _sizes(manifest, encoder, options, workers)
    views, why_views = _views(options, encoder, len(manifest))
    # where there is no choice of sizes, the features of the usual number of views will most likely be wanted
    first = sized(encoder, sizes[0], views[0] if len(views) == 1 else 1 if len(sizes) > 1 else DEFAULT_VIEWS)
    first = first if len(sizes) > 1 else steps.beside(first)
    samples = steps.embed(manifest, first)
    division = steps.divide(samples, first)
    search = InputSearch(samples, first, division, steps.embed, steps.judge(samples), seed, reporter)
    if len(sizes) > 1:
        seen = candidate_sizes(np.array([max(item.width, item.height) for item in samples.info]), sizes[-1])
        size = search.size(tuple(side for side in sizes if side in seen))
    else:
        size = InputChoice(sizes, sizes[0], why_sizes)
    many = search.views(size.value, views) if len(views) > 1 else InputChoice(views, views[0], why_views)
    final = steps.beside(sized(encoder, size.value, many.value))
    if final != first:
        samples = replace(
            search.samples(np.arange(len(samples.manifest)), final),
            failures=samples.failures,
            warnings=samples.warnings,
        )
    return Embedded(final, samples, division, {"input_size": size, "views": many})


def _sizes(
    manifest: Manifest, encoder: Encoder, options: InputOptions, workers: int | None
) -> tuple[tuple[int, ...], str]:
    """Candidates, the smallest first, and why there is only one."""
    own, asked = encoder.preprocessing.size, number_of(options.input_size)
    fixed = find_embedded(encoder.backbone) is None
    if asked is not None:
        if fixed and asked != own:
            raise OptionError(
                f"--input-size {asked}: the graph of {encoder.backbone} takes {own} px only; leave it out"
            )
        return (asked,), "as asked for"
    if encoder.preprocessing.scale_nm is not None:
        return (own,), "the network's own, on which the physical scale is laid"
    if fixed:
        return (own,), f"the network's own: the graph of {encoder.backbone} takes no other"
    if len(manifest) < LEAST_IMAGES:
        return (own,), f"the network's own: fewer than {LEAST_IMAGES} images, too few to choose"
    sides = longer_sides(image_files(manifest), encoder.preprocessing.selection, workers=workers)
    sizes = candidate_sizes(sides, own)
    return sizes, "the network's own: the images are too large for a smaller one that throws no pixel away"


def _views(options: InputOptions, encoder: Encoder, n: int) -> tuple[tuple[int, ...], str]:
    """Candidates, the smallest first, and why there is only one."""
    asked = number_of(options.views)
    if asked is not None:
        return (asked,), "as asked for"
    if encoder.preprocessing.marks == "mask":
        return (1,), "pictures of ultrasound have an up and a down"
    if n < LEAST_IMAGES:
        return (DEFAULT_VIEWS,), f"as usual: fewer than {LEAST_IMAGES} images, too few to choose"
    return VIEWS, ""
