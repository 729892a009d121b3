"""The encoder of any backbone by its name: the one place that knows both the embedded ones and timm's."""

from __future__ import annotations

from graticule.errors import OptionError
from graticule.models.backbones import find_embedded
from graticule.models.encoder import Encoder, embedded_encoder


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
        from graticule.models.timm_backbones import timm_encoder

        return timm_encoder(backbone, views=views, weights=weights)
    if weights is not None:
        raise OptionError(f"--weights {weights}: the embedded backbone {spec.name} brings its own weights")
    return embedded_encoder(spec, views=views)
