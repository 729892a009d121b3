"""Any timm model as a frozen encoder (extra `torch`): its last feature maps, pooled, as an ONNX graph.

The only module of the features method that imports torch, and only when a name outside the embedded ones is asked for.
The exported graph is compared with the torch model before it is used, so everything after it is torch-free.
"""

from pathlib import Path
from typing import Any

import numpy as np

from graticule.errors import BackboneError
from graticule.images.preprocess import Preprocessing
from graticule.networks.encoder import Encoder, WeightsInfo
from graticule.networks.parity import TOLERANCE, largest_difference
from graticule.networks.session import Network
from graticule.networks.timm_hub import checked_timm, hub_model, read_state, state_hash
from graticule.networks.torch_export import exported

_LAYERS = 4


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
    checked_timm(name)
    import torch

    torch.manual_seed(0)
    maps, source = _create(name, weights)
    config = maps.default_cfg
    size = int(config["input_size"][-1])
    model = _pooled(maps.eval(), config["mean"], config["std"])
    graph = exported(model, size, ["features"])
    channels = tuple(int(c) for c in maps.feature_info.channels())
    encoder = Encoder(
        backbone=name,
        model=graph,
        preprocessing=Preprocessing(size=size),
        views=views,
        n_features=2 * sum(channels),
        weights=WeightsInfo(
            sha256=state_hash(maps.state_dict()),
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
    return hub_model(name, **wanted), "timm's hub"


def _load(model: Any, name: str, file: Path) -> Any:
    """Load a weight file into the feature maps; the classifier's weights are dropped."""
    state = read_state(file)
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
            # transformers with windows keep the channels last
            self.order = (0, 3, 1, 2) if _layout(maps) == "NHWC" else (0, 1, 2, 3)
            self.register_buffer("mean", 255.0 * torch.tensor(mean).view(1, 3, 1, 1))
            self.register_buffer("std", 255.0 * torch.tensor(std).view(1, 3, 1, 1))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            x = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std
            pooled = []
            for a in (a.permute(self.order) for a in self.maps(x)):
                centre = a.mean(dim=(2, 3), keepdim=True)
                pooled += [centre.flatten(1), ((a - centre) ** 2).mean(dim=(2, 3)).sqrt()]
            return torch.cat(pooled, dim=1)

    return Pooled().eval()


def _layout(maps: Any) -> str:
    """Order of the dimensions of a model's feature maps: "NCHW" or "NHWC"."""
    return str(getattr(getattr(maps, "output_fmt", None), "value", "NCHW"))


def _check(encoder: Encoder, model: Any, size: int) -> None:
    """Refuse a graph whose features differ from the torch model's."""
    import torch

    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = model(torch.from_numpy(pixels)).numpy()
    difference = largest_difference(Network(encoder.model)(pixels), expected)
    if not difference <= TOLERANCE:
        raise BackboneError(f"the exported graph of {encoder.backbone} differs from the model by {difference:.1e}")
