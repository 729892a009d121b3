"""A torch module as ONNX: the same numbers for any number of images, the same bytes, no word of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="networks are exported with torch: pip install 'graticule[torch]'")
pytest.importorskip("onnxscript", reason="torch's exporter needs onnxscript")

from graticule.errors import ExportError  # noqa: E402
from graticule.networks.torch_export import exported  # noqa: E402


class Small(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Two outputs of a convolution over pixels."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv2d(3, 4, 3)

    def forward(self, pixels: Any) -> Any:
        maps = self.layer(pixels.permute(0, 3, 1, 2).float() / 255.0)
        return maps.mean(dim=(2, 3)), maps


class ByValue(torch.nn.Module):  # type: ignore[misc, name-defined]
    """A path that the values of pixels decide."""

    def forward(self, pixels: Any) -> Any:
        return pixels.float() if pixels.sum() > 0 else pixels.float() * 2


def test_numbers_bytes_and_silence(capfd: pytest.CaptureFixture[str]) -> None:
    module = Small().eval()
    data = exported(module, 8, ["features", "maps"])
    assert capfd.readouterr() == ("", "")
    assert exported(module, 8, ["features", "maps"]) == data
    session = onnxruntime.InferenceSession(data)
    assert [entry.name for entry in session.get_outputs()] == ["features", "maps"]
    for n in (1, 5):
        pixels = np.random.default_rng(n).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
        with torch.inference_mode():
            expected = module(torch.from_numpy(pixels))
        for found, right in zip(session.run(None, {"pixels": pixels}), expected, strict=True):
            np.testing.assert_allclose(found, right.numpy(), rtol=1e-4, atol=1e-5)
    model = onnx.load_model_from_string(data)
    assert not any(part.doc_string or part.metadata_props for part in (model, model.graph, *model.graph.node))
    assert Path(__file__).name.encode() not in data
    assert str(Path.home()).encode() not in data


def test_what_cannot_be_written_is_told_in_one_sentence() -> None:
    with pytest.raises(ExportError, match=r"torch cannot write this network as ONNX .*another --backbone") as caught:
        exported(ByValue().eval(), 8, ["features"])
    assert "\n" not in str(caught.value)
