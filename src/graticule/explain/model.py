"""A bundle's network with its feature maps in sight: features, probabilities and maps of evidence from pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from graticule.arrays import FloatArray, Pixels
from graticule.errors import OptionError
from graticule.explain.graph import (
    centred_layers,
    load_graph,
    pooled_tensors,
    shuffled_weights,
    weight_stages,
    with_outputs,
)
from graticule.explain.layout import Tap, find_layout
from graticule.explain.occlusion import occlusion_map
from graticule.explain.options import METHODS
from graticule.explain.pooled import add_layers, grad_cam, grad_cam_plus_plus, hirescam
from graticule.explain.shifted import COARSE, laid_together, moved
from graticule.explain.targets import even_shares, margins, target_gradients
from graticule.heads.scoring import Head, probabilities
from graticule.networks.encoder import Encoder

_PROBES = 3


@dataclass(frozen=True)
class ExplainableModel:
    """A network with heads whose decisions can be traced to places of the picture.

    Attributes
    ----------
    encoder : Encoder
    heads : sequence of Head
    session : onnxruntime.InferenceSession
        The network with the tapped tensors as outputs; one thread per call, may be called from several.
    taps : tuple of Tap
        The pooled layers; empty when the features are no averages of maps: then only occlusion explains.
    baseline : array, shape (d,), or None
        Features of an average image, such as the mean of the training images.
    """

    encoder: Encoder
    heads: Sequence[Head]
    session: Any
    taps: tuple[Tap, ...]
    baseline: FloatArray | None = None

    @classmethod
    def of(cls, encoder: Encoder, heads: Sequence[Head], baseline: FloatArray | None = None) -> ExplainableModel:
        """Find the pooled layers of an encoder's graph by trying it on random pixels."""
        session, taps = _opened(encoder)
        return cls(encoder, heads, session, taps, baseline)

    @property
    def method(self) -> str:
        """The method by default: "hirescam" where there are pooled layers, else "occlusion"."""
        return "hirescam" if self.taps else "occlusion"

    @property
    def _shown(self) -> list[str]:
        """Tensors that the closed form needs."""
        return [name for tap in self.taps for name in tap.tensors]

    def check_method(self, method: str) -> None:
        """Refuse, with an OptionError, a method that this network does not admit."""
        if method not in METHODS:
            raise OptionError(f"--method {method!r} is not known; allowed: {', '.join(METHODS)}")
        if method == "occlusion":
            return
        if not self.taps:
            raise OptionError(
                f"--method {method}: the features of this network are no averages of maps of several cells at an input "
                f"of {self.encoder.preprocessing.size} px; use occlusion"
            )
        if method != "hirescam" and any(tap.deviation is not None or tap.around is not None for tap in self.taps):
            raise OptionError(
                f"--method {method}: this network's features hold deviations, whose part Grad-CAM cancels; use hirescam"
            )

    def features(self, pixels: Pixels, sizes: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
        """Feature vectors as prediction computes them, shape (N, d).

        Parameters
        ----------
        pixels : uint8 array, shape (N, S, S, 3)
        sizes : array, shape (N, 2), optional
            Width and height of the stored images, where the encoder asks for them.
        """
        total = np.zeros((), np.float64)
        for turned in views_of(pixels, self.encoder.views):
            total = total + self.session.run([self.encoder.output], {"pixels": turned})[0]
        return self._with_sizes((total / self.encoder.views).astype(np.float32), sizes)

    def _with_sizes(self, features: NDArray[np.float32], sizes: NDArray[np.floating] | None) -> NDArray[np.float32]:
        if not self.encoder.sizes:
            return features
        if sizes is None:
            raise ValueError("this model needs the sizes of the images")
        return np.concatenate([features, np.log2(sizes).astype(np.float32)], axis=1)

    def proba(self, pixels: Pixels, sizes: NDArray[np.floating] | None = None) -> FloatArray:
        """Class probabilities, shape (N, K)."""
        return probabilities(self.heads, self.features(pixels, sizes))

    def margins(self, pixels: Pixels, sizes: NDArray[np.floating] | None = None) -> FloatArray:
        """What is explained: log probability above the mean of all classes, shape (N, K)."""
        return margins(self.heads, self.features(pixels, sizes))

    def layers(
        self,
        pixels: Pixels,
        classes: NDArray[np.integer],
        sizes: NDArray[np.floating] | None = None,
        *,
        method: str = "hirescam",
        target: str | None = None,
    ) -> list[FloatArray]:
        """Maps of evidence, one array of shape (N, T, h, w) per pooled layer, averaged over the views.

        Parameters
        ----------
        pixels : uint8 array, shape (N, S, S, 3)
        classes : int array, shape (N, T)
        sizes : array, shape (N, 2), optional
        method : "hirescam", "gradcam" or "gradcam++"
        target : "margin", "score" or "log-odds", optional
            See `graticule.explain.targets`. By default the score for Grad-CAM and Grad-CAM++, else the margin.
        """
        return self._traced(pixels, classes, sizes, method, target)[1]

    def _traced(
        self,
        pixels: Pixels,
        classes: NDArray[np.integer],
        sizes: NDArray[np.floating] | None,
        method: str,
        target: str | None,
    ) -> tuple[NDArray[np.float32], list[FloatArray]]:
        """Features, and what `layers` returns, from one pass over the views."""
        views, names = self.encoder.views, self._shown
        outputs = [
            self.session.run([self.encoder.output, *names], {"pixels": turned}) for turned in views_of(pixels, views)
        ]
        mean = sum((out[0] for out in outputs), start=np.zeros((), np.float64)) / views
        features = self._with_sizes(np.asarray(mean, np.float32), sizes)
        target = target or ("margin" if method == "hirescam" else "score")
        gradients = target_gradients(self.heads, features, classes, target)
        gradients = even_shares(self.heads, gradients) / views
        totals = [np.zeros(()) for _ in self.taps]
        for view, (_, *tensors) in enumerate(outputs):
            shown = dict(zip(names, tensors, strict=True))
            for i, tap in enumerate(self.taps):
                totals[i] = totals[i] + turned_back(_layer_map(method, tap, shown, gradients), view)
        return features, totals

    def maps(
        self,
        pixels: Pixels,
        classes: NDArray[np.integer],
        sizes: NDArray[np.floating] | None = None,
        *,
        method: str = "hirescam",
        target: str | None = None,
    ) -> FloatArray:
        """The sum over layers of `layers`, shape (N, T, g, g) on the grid of the finest one.

        Grad-CAM is rectified, as published; HiResCAM keeps evidence against the class as negative values.
        """
        total = add_layers(self.layers(pixels, classes, sizes, method=method, target=target))
        return total if method == "hirescam" else np.maximum(total, 0)

    def any_maps(
        self, pixels: Pixels, classes: NDArray[np.integer], sizes: NDArray[np.floating] | None, method: str
    ) -> FloatArray:
        """Maps by any of `METHODS`, occlusion included, to be shown; shapes (N, T, g, g).

        HiResCAM of a network whose finest layer is coarse is averaged over moved pictures, see
        `graticule.explain.shifted`. With a baseline, HiResCAM is shifted by one number per map, so that its cells add
        up to how far the class's margin stands above that of the baseline: positive cells then speak for the class more
        than an average image.
        """
        if method == "hirescam":
            features, layers = self._traced(pixels, classes, sizes, method, None)
            total = add_layers(layers)
            if (cells := total.shape[-1]) < COARSE:
                maps = [self.maps(one, classes, sizes) for one in moved(pixels, cells)]
                total = laid_together(maps)
            if self.baseline is None:
                return total
            lead = margins(self.heads, features) - margins(self.heads, self.baseline[None])
            return with_total(total, np.take_along_axis(lead, np.asarray(classes), axis=1))
        if method != "occlusion":
            return self.maps(pixels, classes, sizes, method=method)
        found = []
        for i, picture in enumerate(pixels):
            evaluate = partial(self._margins_at, None if sizes is None else sizes[i])
            found.append(occlusion_map(evaluate, picture, classes[i]))
        return np.stack(found)

    def _margins_at(self, size: NDArray[np.floating] | None, pixels: Pixels) -> FloatArray:
        """Margins of variants of one image, which share its size."""
        return self.margins(pixels, None if size is None else np.repeat(size[None], len(pixels), axis=0))

    def randomised(self, seed: int) -> Iterator[tuple[str, ExplainableModel]]:
        """The model with its weights destroyed, from the head down, one more stage each time.

        Yields
        ------
        (what was destroyed last, model)
        """
        generator = np.random.default_rng(seed)
        heads = [_shuffled_head(head, generator) for head in self.heads]
        yield "head", ExplainableModel(self.encoder, heads, self.session, self.taps)
        graph = load_graph(self.encoder.model)
        names = [tap.tensor for tap in self.taps] or [self.encoder.output]
        for title, weights in reversed(weight_stages(graph, names)):
            graph = shuffled_weights(graph, weights, generator)
            yield title, ExplainableModel(self.encoder, heads, _session(with_outputs(graph, self._shown)), self.taps)


def _opened(encoder: Encoder) -> tuple[Any, tuple[Tap, ...]]:
    """The network with all tensors in sight that may be pooled, and those that are."""
    graph = load_graph(encoder.model)
    centred = centred_layers(graph)
    maps = list(dict.fromkeys([*pooled_tensors(graph, encoder.output), *centred]))
    names = maps + [layer.weights for layer in centred.values()]
    session = _session(with_outputs(graph, names)) if names else _session(encoder.model)
    taps: tuple[Tap, ...] = ()
    if names:
        outputs = session.run([encoder.output, *names], {"pixels": _probe(encoder.preprocessing.size)})
        shown = dict(zip(names, outputs[1:], strict=True))
        around = {name: (layer, shown[layer.weights]) for name, layer in centred.items()}
        taps = tuple(find_layout(outputs[0], {name: shown[name] for name in maps}, around) or ())
    return session, taps


def _layer_map(
    method: str, tap: Tap, shown: Mapping[str, NDArray[np.floating]], gradients: NDArray[np.floating]
) -> FloatArray:
    """The map of one layer by a method of the closed form, from the tensors of the graph by name."""
    maps = shown[tap.tensor]
    if method == "hirescam":
        return hirescam(tap, maps, gradients, shown[tap.around.layer.weights] if tap.around else None)
    return (grad_cam if method == "gradcam" else grad_cam_plus_plus)(tap, maps, gradients)


def with_total(maps: FloatArray, total: FloatArray) -> FloatArray:
    """Maps (N, T, g, g) shifted by a number each, so that their cells add up to `total` (N, T)."""
    lacking = (total - maps.sum(axis=(-2, -1))) / (maps.shape[-2] * maps.shape[-1])
    return np.asarray(maps + lacking[:, :, None, None])


def views_of(pixels: Pixels, views: int) -> Iterator[Pixels]:
    """The pictures in each orientation that the features are averaged over, see `Network.averaged`."""
    for view in range(views):
        turned = np.rot90(pixels, view % 4, axes=(1, 2))
        yield np.ascontiguousarray(turned[:, :, ::-1] if view >= 4 else turned)


def turned_back(maps: FloatArray, view: int) -> FloatArray:
    """Undo a view on maps of shape (..., h, w)."""
    unmirrored = maps[..., ::-1] if view >= 4 else maps
    return np.rot90(unmirrored, -(view % 4), axes=(-2, -1))


def _shuffled_head(head: Head, generator: np.random.Generator) -> Head:
    """The head with the weights of every class in random order, or for a kernel the coefficients."""
    parts = dict(vars(head))
    for name in ("weights", "logit_weights", "coefficients"):
        if name in parts:
            parts[name] = generator.permutation(parts[name].ravel()).reshape(parts[name].shape)
    return type(head)(**parts)


def _probe(size: int) -> Pixels:
    """Random pixels, coarse and fine, on which every map varies."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (_PROBES, -(-size // 8), -(-size // 8), 3))
    fine = generator.integers(-40, 41, (_PROBES, size, size, 3))
    grown = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :size, :size]
    return np.asarray(np.clip(grown + fine, 0, 255).astype(np.uint8))


def _session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
