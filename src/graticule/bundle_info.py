"""bundle.json: what it says of a model, checked field by field."""

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from graticule.runs import SCHEMA_VERSION
from graticule.tasks import CLASSIFICATION


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds control characters")
    return text


def _views(number: int) -> int:
    if number not in (1, 4, 8):
        raise ValueError("allowed are 1, 4 and 8")
    return number


Word = Annotated[str, Field(max_length=1000), AfterValidator(_printable)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Views = Annotated[int, AfterValidator(_views)]
ClassName = Annotated[str, Field(min_length=1, max_length=1000)]


class ReferenceInfo(BaseModel):
    """How the features in reference.safetensors are made, where they are not the model's own.

    Attributes
    ----------
    backbone, model_sha256 : str
        An embedded network, and the hash of its graph.
    views, sizes, preprocessing
        As in `BundleInfo`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    backbone: Word
    views: Views
    model_sha256: Sha256
    sizes: bool
    preprocessing: dict[str, Any]


class TitleInfo(BaseModel):
    """What bundle.json begins with, whatever the model answers with; `task` is one of `graticule.tasks.TASKS`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    schema_version: int = SCHEMA_VERSION
    task: Word = CLASSIFICATION
    graticule_version: Word


class NetworkInfo(BaseModel):
    """What bundle.json says of the network, the features and the data, whatever the model answers with.

    Attributes
    ----------
    backbone, weights_sha256, licence : str
        The network and where it came from.
    preprocessing : dict
        How pixels become network input: `graticule.images.preprocess.Preprocessing.to_json`.
    output, n_features, views, sizes
        Which output of model.onnx is the feature vector, the length of the vector, over how many symmetries it is
        averaged, and whether the image's width and height stand behind it.
    parts : dict
        Length of each part of the network's features, in their order, see `graticule.networks.pooling`; empty: they are
        one whole, as in bundles of earlier versions.
    heads : str
        "mean of the 5 fold heads", "refit on all cross-validated images".
    data_sha256 : str
        Hash of the training samples (paths, labels, file hashes).
    synthetic : dict of str to int
        How many of these images were generated, by what their gate said of them (`graticule.split.gate.gates_of`).
    parity : dict or None
        How model.onnx agreed with the trained network, where one was trained.
    reference : ReferenceInfo or None
    """

    model_config = ConfigDict(extra="forbid", strict=True)
    backbone: Word
    weights_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
    licence: Word
    preprocessing: dict[str, Any]
    output: Word
    n_features: Annotated[int, Field(ge=1, le=1_000_000)]
    views: Views
    sizes: bool = False
    parts: dict[Word, Annotated[int, Field(ge=1, le=1_000_000)]] = {}
    heads: Word
    data_sha256: Sha256
    n_training: Annotated[int, Field(ge=2)]
    synthetic: dict[Word, Annotated[int, Field(ge=0)]] = {}
    parity: dict[str, Word | int | float | bool] | None = None
    reference: ReferenceInfo | None = None


class ClassesInfo(TitleInfo):
    """The classes that a classifier answers with, in the order of the probabilities."""

    classes: Annotated[list[ClassName], Field(min_length=2, max_length=10_000)]


# fields stand in the file in the order of the bases from the last to the first
class BundleInfo(NetworkInfo, ClassesInfo):
    """bundle.json of a classifier: what the other files mean.

    Attributes
    ----------
    calibration : dict or None
        `graticule.heads.calibration_fit.Calibration.to_json`; None: not fitted.
    thresholds : dict or None
        The default acceptance rule, see `graticule.decide.acceptance.Rule`, which every verb takes unless another one
        is asked for; None: no evidence to find one on. Its "seed" is that of the training; bundles of earlier versions
        have none.
    """

    calibration: dict[str, Any] | None = None
    thresholds: dict[str, Any] | None = None


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("it is no finite number")
    return number


Number = Annotated[float, AfterValidator(_finite)]


class TargetInfo(TitleInfo):
    """The number that a model answers with.

    Attributes
    ----------
    target, unit : str
        The column, and the unit for people.
    scale : "linear" or "log"
    bounds : list of two float or None
        Least and largest possible number.
    per_pixel_size : bool
        Whether it is learnt in pixels.
    """

    target: Annotated[Word, Field(min_length=1)]
    unit: Word
    scale: Literal["linear", "log"]
    bounds: Annotated[list[Number | None], Field(min_length=2, max_length=2)]
    per_pixel_size: bool


class ValueBundleInfo(NetworkInfo, TargetInfo):
    """bundle.json of a model of numbers: what the other files mean.

    Attributes
    ----------
    trained_on : list of two float
        The least and the largest number of the training images, on the scale that is learnt.
    intervals : dict or None
        `graticule.decide.value_intervals.ValueIntervals.describe`; None: no image that the model never saw.
    """

    trained_on: Annotated[list[Number], Field(min_length=2, max_length=2)]
    intervals: dict[str, Any] | None = None
