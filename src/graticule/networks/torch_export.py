"""A torch module of pixels as one ONNX file (extra `torch`)."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from graticule.errors import ExportError
from graticule.networks.timm_hub import first_line

_OPSET = 18


def exported(module: Any, size: int, outputs: Sequence[str]) -> bytes:
    """A torch module as one ONNX file with a free number of images.

    Notes of the exporter about where each layer stands in the sources of this machine are taken out: they tell
    strangers about its folders, and equal modules would give unequal files.

    Parameters
    ----------
    module : torch.nn.Module
        Takes uint8 pixels (N, size, size, 3); on the CPU, in eval mode.
    size : int
        Side of the square input, pixels.
    outputs : sequence of str
        Names of what it returns.

    Raises
    ------
    ExportError
        When torch's exporter cannot do it.
    """
    import torch

    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as folder, _silent():
        file = Path(folder) / "model.onnx"
        try:
            torch.onnx.export(
                module,
                (example,),
                file,
                input_names=["pixels"],
                output_names=list(outputs),
                dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
                opset_version=_OPSET,
                external_data=False,
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise ExportError(
                f"torch cannot write this network as ONNX ({first_line(error).partition('. ')[0]}), so that it could "
                "not be shipped; take another --backbone"
            ) from error
        model = onnx.load(file)
    _strip(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


@contextlib.contextmanager
def _silent() -> Any:
    """The exporter prints, logs and warns about its own progress."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _strip(model: onnx.ModelProto) -> None:
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
