"""An encoder: pixels to features, completely described and hashed."""

import contextlib
import hashlib
from dataclasses import dataclass, field, replace
from typing import Self

from graticule.errors import OptionError
from graticule.files import MODEL_BYTES, read_regular, write_bytes
from graticule.images.facts import FACTS_VERSION
from graticule.images.image import READER_VERSION
from graticule.images.preprocess import Preprocessing
from graticule.networks.backbones import EMBEDDED, GRAPHS, STATISTICS, BackboneSpec, verified_weights
from graticule.networks.devices import CPU, Device
from graticule.networks.options import VIEWS
from graticule.networks.pooling import CENTRE, ORIENTATION, WHOLE, feature_names, part_lengths, part_span
from graticule.runs import cache_folder

# what stands in the place of a network's name and output where none is asked
NO_NETWORK = "none"
# side of the pictures that copies are found by where no network says one
_LOOKED_AT = 224


@dataclass(frozen=True)
class WeightsInfo:
    """Where the weights of a network came from, and what is pooled.

    Attributes
    ----------
    sha256, licence, source : str
        Hash of the weights, their SPDX licence, and their origin for people.
    layers : tuple of str
        The pooled layers; empty when the feature vector is no pooled stack.
    channels : tuple of int
        Feature maps per layer.
    parts : tuple of str
        What is kept of them, see `graticule.networks.pooling`, in the order of the vector.
    """

    sha256: str = ""
    licence: str = ""
    source: str = ""
    layers: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    parts: tuple[str, ...] = (WHOLE,)


@dataclass(frozen=True)
class Encoder:
    """A network with all that decides its output.

    Attributes
    ----------
    backbone : str
        Name for people.
    model : bytes
        ONNX model, uint8 pixels in, `output` out; empty where no network is asked, see `orientation_encoder`.
    preprocessing : Preprocessing
    views : int
        1, 4 or 8, see `Network.averaged`.
    output : str
        The output that is the feature vector.
    n_features : int
    weights : WeightsInfo
    sizes : bool
        Whether the base-2 logarithms of width and height, pixels as stored, stand behind the network's features.
    device : Device
        What computes the network, see `graticule.networks.device_choice`.
    parts : tuple of (name, length)
        What the network's features consist of, see `graticule.networks.pooling`; none: they are one whole. A last part
        "orientation" is measured on the picture beside the network.
    """

    backbone: str
    model: bytes = field(repr=False)
    preprocessing: Preprocessing
    views: int
    n_features: int
    output: str = "features"
    weights: WeightsInfo = WeightsInfo()
    sizes: bool = False
    device: Device = CPU
    parts: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if self.views not in VIEWS:
            raise OptionError(f"--views {self.views} is not possible; allowed: {', '.join(map(str, VIEWS))}")

    @property
    def model_sha256(self) -> str:
        """Hash of the ONNX file: architecture, weights and pooling; "" where no network is asked."""
        return hashlib.sha256(self.model).hexdigest() if self.model else ""

    def space(self) -> str:
        """Hash of the feature space: equal spaces give equal network features and facts for equal files.

        Another device than the processor is part of it: its features agree, but not to the last bit.
        """
        parts = (
            READER_VERSION,
            FACTS_VERSION,
            self.model_sha256,
            self.preprocessing.key(),
            str(self.views),
            self.output,
            *(() if self.device.name == "cpu" else (self.device.name,)),
            *((_orientation_key(),) if self.orientation else ()),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def orientation(self) -> bool:
        """Whether orientation statistics of the picture stand behind the network's features."""
        return any(name == ORIENTATION for name, _ in self.parts)

    def with_orientation(self, length: int) -> Self:
        """The same network with so many orientation statistics of the picture behind its features."""
        own = self.parts or ((WHOLE, self.n_features - 2 * self.sizes),)
        return replace(self, parts=(*own, (ORIENTATION, length)), n_features=self.n_features + length)

    def without_orientation(self) -> Self:
        """The same network alone."""
        kept = tuple(part for part in self.parts if part[0] != ORIENTATION)
        return replace(self, parts=kept, n_features=sum(length for _, length in kept) + 2 * self.sizes)

    @property
    def whole(self) -> slice:
        """The features that tell of all of the picture, which copies are found by."""
        return part_span(self.parts, WHOLE, self.n_features - 2 * self.sizes)

    @property
    def alike(self) -> slice:
        """The features by which images are compared: what is new, what is near, whose label stands out.

        Those of the centre tell best what is shown, whatever lies around it.
        """
        return part_span(self.parts, CENTRE, self.n_features)

    def accepts(self, mode: str) -> bool:
        """Whether an image of this mode ("grey, 12 bit") is covered by the intensity policy."""
        kinds = self.preprocessing.intensity.kinds
        return kinds is None or mode.partition(", ")[2] in kinds

    def feature_names(self) -> list[str]:
        """A name per feature, in the order of the vector."""
        names = feature_names(self.weights.layers, self.weights.channels, self.weights.parts)
        return names + (["log2 width", "log2 height"] if self.sizes else [])

    def reading(self, preprocessing: Preprocessing, *, sizes: bool = False) -> Self:
        """The same network on another reading of the images, with the image sizes as features or without."""
        extra = int(sizes) - int(self.sizes)
        return replace(self, preprocessing=preprocessing, sizes=sizes, n_features=self.n_features + 2 * extra)


def _orientation_key() -> str:
    from graticule.directions.features import features_key  # loads SciPy, which other features do without

    return features_key()


def orientation_encoder(length: int) -> Encoder:
    """An encoder that asks no network: its features are so many orientation statistics of the picture."""
    return Encoder(
        backbone=NO_NETWORK,
        model=b"",
        preprocessing=Preprocessing(size=_LOOKED_AT),
        views=1,
        n_features=length,
        output=NO_NETWORK,
        weights=WeightsInfo(source="orientation statistics of the picture alone", parts=()),
        parts=((ORIENTATION, length),),
    )


def embedded_encoder(spec: BackboneSpec, *, views: int, output: str = STATISTICS) -> Encoder:
    """The encoder of an embedded backbone; its graph is built once and cached on disk.

    Parameters
    ----------
    spec : BackboneSpec
    views : int
        1, 4 or 8.
    output : str
        "statistics" (every part of `pooling`), "features" (its first part alone) or "penultimate" (the vector before
        the classifier, what other tools use).

    Raises
    ------
    BackboneError
        When the weights are missing or altered.
    """
    parts = spec.parts(output)
    return Encoder(
        backbone=spec.name,
        model=_cached_graph(spec, output),
        preprocessing=Preprocessing(size=spec.input_size),
        views=views,
        n_features=spec.width(output),
        output=output,
        weights=WeightsInfo(
            spec.sha256,
            spec.licence,
            f"package {spec.package}",
            spec.layers if parts else (),
            spec.channels if parts else (),
            parts,
        ),
        parts=tuple(part_lengths(spec.channels, parts).items()),
    )


def _cached_graph(spec: BackboneSpec, output: str) -> bytes:
    """The graph from the cache where its hash is the one this version builds; else built anew from verified weights.

    A name or a checksum beside the file would prove only that the file is whole, not that it is ours.
    """
    expected = GRAPHS.get((spec.name, output)) if EMBEDDED.get(spec.name) == spec else None
    file = cache_folder() / "graphs" / f"{expected}.onnx"
    if expected is not None:
        with contextlib.suppress(OSError):
            model = read_regular(file, MODEL_BYTES)
            if hashlib.sha256(model).hexdigest() == expected:
                return model
    model = _build(spec, output)
    # other releases of onnx may write the same graph in other bytes: then it is built each time
    if hashlib.sha256(model).hexdigest() == expected:
        with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
            file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(file, model)
    return model


def _build(spec: BackboneSpec, output: str) -> bytes:
    # needed only the first time
    from graticule.networks.torch_pickle import read_tensors

    graph = spec.builder().build_graph(spec, read_tensors(verified_weights(spec)), [output])
    model: bytes = graph.SerializeToString(deterministic=True)
    return model
