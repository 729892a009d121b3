"""The encoder of any backbone by its name: the one place that knows both the embedded ones and timm's."""

from typing import Any

from graticule.errors import OptionError
from graticule.networks.backbones import EMBEDDED, find_embedded, weights_file
from graticule.networks.encoder import Encoder, embedded_encoder
from graticule.networks.options import DEFAULT_BACKBONE


def encoder_of(backbone: str, *, views: int, weights: str | None = None) -> Encoder:
    """The encoder of any backbone by name: an embedded one, or a timm model with the extra `torch`.

    Parameters
    ----------
    backbone : str
    views : int
        1, 4 or 8.
    weights : str, optional
        For timm models: a weight file, or "none" for random weights. Embedded backbones bring theirs.

    Raises
    ------
    BackboneError
        When the name is unknown, or the weights are missing, altered or do not fit.
    OptionError
        When weights are named for an embedded backbone.
    """
    spec = find_embedded(backbone)
    if spec is None:
        from graticule.networks.timm_backbones import timm_encoder

        return timm_encoder(backbone, views=views, weights=weights)
    if weights is not None:
        raise OptionError(f"--weights {weights}: the embedded backbone {spec.name} brings its own weights")
    return embedded_encoder(spec, views=views)


def backbones() -> list[dict[str, Any]]:
    """One row per embedded backbone: name, available, default, input size, features, licence, package, timm name."""
    return [
        {
            "name": spec.name,
            "available": weights_file(spec) is not None,
            "default": spec.name == DEFAULT_BACKBONE,
            "input_size": spec.input_size,
            "n_features": spec.n_features,
            "licence": spec.licence,
            "package": spec.package,
            "timm_name": spec.timm_name,
        }
        for spec in EMBEDDED.values()
    ]
