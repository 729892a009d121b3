"""Features of all parts, and those of the whole picture alone that earlier versions kept, as sides of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from graticule.features.samples import Samples, embed_samples, sorted_by_path
from graticule.heads.crossval import Search
from graticule.networks.catalogue import encoder_of
from graticule.networks.encoder import Encoder
from graticule.progress import Silent
from graticule.sources.sources import read_manifest

ALL, WHOLE, SIDES = "all", "whole", ("all", "whole")


@dataclass(frozen=True)
class Side:
    """Samples with the features of some parts, and the encoder that says which these are."""

    samples: Samples
    encoder: Encoder

    @classmethod
    def embedded(cls, data: Path, views: int) -> Self:
        """Features of all parts by the default network."""
        encoder = encoder_of("efficientnet_lite0", views=views)
        manifest = sorted_by_path(read_manifest(data))
        return cls(embed_samples(manifest, encoder, workers=None, batch_size=8, reporter=Silent()), encoder)

    def of(self, parts: str) -> Self:
        """The same images with features of "all" parts, or of the "whole" picture alone."""
        own = self.encoder.whole
        if parts == ALL:
            return self
        kept = np.ascontiguousarray(self.samples.features[:, own])
        own = slice(0, kept.shape[1])
        samples = replace(self.samples, features=kept, whole=own, alike=own)
        return replace(self, samples=samples, encoder=replace(self.encoder, n_features=own.stop, parts=()))

    def search(self, request: str, n_classes: int, seed: int, *, grouped: bool) -> Search:
        """How heads are chosen on these features."""
        return Search(n_classes, request, grouped, seed, self.encoder.parts)
