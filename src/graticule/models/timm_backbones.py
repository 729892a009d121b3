"""Any timm model as a frozen encoder (extra `torch`): its last feature maps, pooled, as an ONNX graph.

The only module of the features method that imports torch, and only when a name outside the embedded ones is asked for.
The exported graph is compared with the torch model before it is used, so everything after it is torch-free.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from graticule.data.preprocess import Preprocessing
from graticule.errors import BackboneError
from graticule.models.backbones import EMBEDDED
from graticule.models.encoder import Encoder, WeightsInfo
from graticule.models.network import Network

_LAYERS = 4
_TOLERANCE = 1e-3
_OPSET = 18


def timm_encoder(name: str, *, views: int, weights: str | None = None) -> Encoder:
    """The encoder of a timm model.

    Parameters
    ----------
    name : str
        A timm model name, such as "resnet50" or "vgg16".
    views : int
        1, 4 or 8.
    weights : str, optional
        A .safetensors or .pth file, "none" for random weights; by default timm's pretrained weights from its hub.

    Raises
    ------
    BackboneError
        When torch or timm is missing, the name is unknown, the weights cannot be had or do not fit, or the exported
        graph does not agree with the model.
    """
    try:
        import timm
        import torch
    except ImportError as error:
        raise BackboneError(
            f"backbone {name!r} is not embedded. Embedded: {', '.join(EMBEDDED)}. Other names are timm models and need "
            f"the extra: pip install 'graticule[torch]' ({error.name} is missing)"
        ) from error
    if not timm.is_model(name):
        close = timm.list_models(f"*{name}*")[:5]
        hint = f" Similar: {', '.join(close)}." if close else ""
        raise BackboneError(f"timm knows no model {name!r}.{hint} Embedded: {', '.join(EMBEDDED)}")
    torch.manual_seed(0)
    maps, source = _create(name, weights)
    config = maps.default_cfg
    size = int(config["input_size"][-1])
    model = _pooled(maps.eval(), config["mean"], config["std"])
    graph = _export(model, size)
    channels = tuple(int(c) for c in maps.feature_info.channels())
    encoder = Encoder(
        backbone=name,
        model=graph,
        preprocessing=Preprocessing(size=size),
        views=views,
        n_features=2 * sum(channels),
        weights=WeightsInfo(
            sha256=_state_hash(maps),
            licence=str(config.get("license") or "not stated"),
            source=source,
            layers=tuple(str(layer) for layer in maps.feature_info.module_name()),
            channels=channels,
        ),
    )
    _check(encoder, model, size)
    return encoder


def _create(name: str, weights: str | None) -> tuple[Any, str]:
    """The feature-map model and where its weights came from."""
    import timm

    reductions = len(timm.create_model(name, features_only=True).feature_info.channels())
    wanted = {"features_only": True, "out_indices": tuple(range(max(0, reductions - _LAYERS), reductions))}
    if weights == "none":
        return timm.create_model(name, **wanted), "random numbers (--weights none)"
    if weights is not None:
        model = timm.create_model(name, **wanted)
        return _load(model, name, Path(weights)), f"file {Path(weights).name}"
    try:
        return timm.create_model(name, pretrained=True, **wanted), "timm's hub"
    except (OSError, RuntimeError) as error:
        raise BackboneError(
            f"the pretrained weights of {name} cannot be downloaded here ({type(error).__name__}). Download the "
            "model's file (model.safetensors or .pth) where there is a network and name it with --weights FILE, use an "
            f"embedded backbone ({', '.join(EMBEDDED)}), or --weights none for random weights"
        ) from error


def _load(model: Any, name: str, file: Path) -> Any:
    """Load a weight file into the feature maps; the classifier's weights are dropped."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(file) if file.suffix == ".safetensors" else torch.load(file, weights_only=True)
    except (OSError, RuntimeError, SafetensorError, ValueError) as error:
        raise BackboneError(f"the weights {file} cannot be read: {error}") from error
    state = state.get("state_dict", state)
    expected = model.state_dict()
    # timm flattens the names of the outer modules in its feature models: "layer1.0" and "features_0" for "features.0"
    renamed = {key: value for key, value in state.items() if key in expected}
    renamed |= {key.replace(".", "_", 1): value for key, value in state.items() if key.replace(".", "_", 1) in expected}
    missing = sorted(set(expected) - set(renamed))
    misshapen = [key for key, value in renamed.items() if value.shape != expected[key].shape]
    if missing or misshapen:
        raise BackboneError(
            f"the weights {file} do not fit {name}: {len(missing)} tensors are missing and {len(misshapen)} of another "
            f"shape, such as {(missing + misshapen)[0]}"
        )
    model.load_state_dict(renamed)
    return model


def _pooled(maps: Any, mean: tuple[float, ...], std: tuple[float, ...]) -> Any:
    """uint8 pixels (N, H, W, 3) to mean and population deviation of every map, as a torch module."""
    import torch

    class Pooled(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.maps = maps
            self.register_buffer("mean", 255.0 * torch.tensor(mean).view(1, 3, 1, 1))
            self.register_buffer("std", 255.0 * torch.tensor(std).view(1, 3, 1, 1))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            x = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std
            pooled = []
            for a in self.maps(x):
                centre = a.mean(dim=(2, 3), keepdim=True)
                pooled += [centre.flatten(1), ((a - centre) ** 2).mean(dim=(2, 3)).sqrt()]
            return torch.cat(pooled, dim=1)

    return Pooled().eval()


def _export(model: Any, size: int) -> bytes:
    """The model as one ONNX file with a free batch size."""
    import torch

    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "model.onnx"
        torch.onnx.export(
            model,
            (example,),
            file,
            input_names=["pixels"],
            output_names=["features"],
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            opset_version=_OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        return file.read_bytes()


def _check(encoder: Encoder, model: Any, size: int) -> None:
    """Refuse a graph whose features differ from the torch model's."""
    import torch

    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = model(torch.from_numpy(pixels)).numpy()
    difference = float(np.abs(Network(encoder.model)(pixels) - expected).max() / np.abs(expected).max())
    if not difference <= _TOLERANCE:
        raise BackboneError(f"the exported graph of {encoder.backbone} differs from the model by {difference:.1e}")


def _state_hash(maps: Any) -> str:
    """sha256 over the names and values of all weights."""
    h = hashlib.sha256()
    for key, value in sorted(maps.state_dict().items()):
        h.update(key.encode())
        h.update(value.contiguous().numpy().tobytes())
    return h.hexdigest()
