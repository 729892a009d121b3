"""Fine-tuned networks as one ONNX file, and the proof that it says what the networks say.

Several networks (the members of an ensemble) go into one file. Its features are their vectors side by side, so that
each member's last layer becomes a head on them (`graticule.finetune.last_layer`) and prediction needs no torch.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from graticule.errors import ExportError
from graticule.finetune.last_layer import LastLayer, ScoresLayer
from graticule.finetune.network import Classifier
from graticule.networks.session import Network
from graticule.networks.torch_export import exported

SCORES = ScoresLayer()
_BATCH = 16


@dataclass(frozen=True)
class Parity:
    """How well an ONNX file agrees with the networks it was made of.

    Attributes
    ----------
    n : int
        Images compared.
    largest_difference : float
        Of any class probability, or number in standard deviations of the training numbers.
    disagreements : int
        Images with another class, where torch's two best probabilities differ by more than 0.002.
    tolerance : float
        Largest difference allowed.
    precision : "float32" or "float64"
        In which torch computed.
    """

    n: int
    largest_difference: float
    disagreements: int
    tolerance: float
    precision: str = "float32"

    @property
    def holds(self) -> bool:
        """Whether the file may stand for the networks."""
        return self.largest_difference <= self.tolerance and not self.disagreements


class _Joined(torch.nn.Module):  # type: ignore[misc]
    """uint8 pixels (N, H, W, 3) to the vectors, maps and mean answers of the members."""

    def __init__(self, members: Sequence[Classifier], last: LastLayer) -> None:
        super().__init__()
        self.last = last
        self.members = torch.nn.ModuleList(members)
        self.register_buffer("mean", torch.tensor(members[0].spec.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(members[0].spec.std).view(1, 3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features, maps where there are any, answers."""
        x = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std
        every = [member.maps_and_features(x) for member in self.members]
        vectors = torch.cat([vector for _, vector in every], dim=1)
        said = [self.last.answered(member.classify(v)) for member, (_, v) in zip(self.members, every, strict=True)]
        mean = torch.stack(said).mean(dim=0)
        maps = [m for m, _ in every if m is not None]
        return (vectors, torch.cat(maps, dim=1), mean) if maps else (vectors, mean)


def export_onnx(members: Sequence[Classifier], size: int, last: LastLayer = SCORES) -> bytes:
    """The members as one ONNX file without external data.

    Parameters
    ----------
    members : sequence of Classifier
        Of one backbone and the same classes; on any device, in any mode. They are copied, not changed.
    size : int
        Side of the square input, pixels.
    last : LastLayer
        What their last layers say.

    Returns
    -------
    bytes
        Input "pixels", uint8 (N, size, size, 3) with any N; the normalisation is part of the graph. Outputs
        "features" (N, M C), "maps" (N, M C', h, w) where the network has maps, and `last.output` (N, K), the mean over
        the M members: of softmax(logits) the "scores" of classes, or "values".

    Raises
    ------
    ExportError
        When the members differ in backbone or classes, the size is too small, or the file would pass the 2 GB that the
        format allows.
    """
    _check_members(members, size)
    check_room(members[0], len(members))
    joined = _Joined(_on_cpu(members), last).eval()
    outputs = ["features", *(["maps"] if members[0].n_channels is not None else []), last.output]
    return exported(joined, size, outputs)


def check_room(network: Classifier, members: int) -> None:
    """Refuse, with an ExportError, more members than one ONNX file holds."""
    size = 4 * members * sum(p.numel() for p in network.parameters())
    if size >= onnx.checker.MAXIMUM_PROTOBUF:
        networks = f"{members} networks of {network.spec.name} hold" if members > 1 else f"{network.spec.name} holds"
        advice = "leave --ensemble out, or take fewer --folds" if members > 1 else "take a smaller --backbone"
        raise ExportError(f"{networks} {size / 1e9:.1f} GB, but one ONNX file holds at most 2 GB; {advice}")


def check_parity(
    model: bytes,
    members: Sequence[Classifier],
    pixels: NDArray[np.uint8],
    *,
    tolerance: float = 1e-3,
    last: LastLayer = SCORES,
) -> Parity:
    """Compare an ONNX file with the networks on real images.

    Two ways lead to the answers: the file's features with the heads of a bundle, as prediction takes it, and what the
    file itself answers. Both are compared. Torch computes in single precision, as it trained. Where that differs from
    the file by more than allowed, either may be the one that rounded (scores of deep networks can hang on the seventh
    digit): torch in double precision judges then, which takes several times as long.

    Parameters
    ----------
    model : bytes
        From `export_onnx`.
    members : sequence of Classifier
    pixels : uint8 array, shape (n, H, W, 3), n >= 1
    tolerance : float
        Largest difference of a probability, or of a number in standard deviations of the training numbers.
    last : LastLayer

    Raises
    ------
    ExportError
        When an answer differs by more, or an image gets another class although torch's two best probabilities
        differ by more than 0.002.
    """
    if not len(pixels):
        raise ExportError("the ONNX file cannot be compared with the network without images")
    found = _found(model, members, pixels, last)
    parity = _compared(found, members, pixels, tolerance, torch.float32, last)
    if not parity.holds:
        parity = _compared(found, members, pixels, tolerance, torch.float64, last)
    if not parity.holds:
        raise ExportError(
            f"the ONNX file of {members[0].spec.name} does not agree with the trained network on {parity.n} images: "
            f"{last.what} differs by {parity.largest_difference:.1e} (allowed {tolerance:.0e}) and "
            f"{parity.disagreements} images get another class. The network was not exported; its weights are kept in "
            "the run's checkpoint"
        )
    return parity


def _check_members(members: Sequence[Classifier], size: int) -> None:
    if not members:
        raise ExportError("there is no network to export")
    kinds = {(member.spec, member.n_classes) for member in members}
    if len(kinds) > 1:
        names = ", ".join(sorted({f"{spec.name} with {k} classes" for spec, k in kinds}))
        raise ExportError(f"networks that differ cannot share an ONNX file: {names}")
    spec = members[0].spec
    if size < spec.min_size or (spec.fixed_size and size != spec.input_size):
        allowed = f"{spec.input_size} only" if spec.fixed_size else f"at least {spec.min_size}"
        raise ExportError(f"{spec.name} cannot be exported for {size} pixels; allowed: {allowed}")


def _on_cpu(members: Sequence[Classifier], precision: torch.dtype = torch.float32) -> list[Classifier]:
    """Copies in one precision, contiguous, ready to predict."""
    return [copy.deepcopy(m).to("cpu", precision, memory_format=torch.contiguous_format).eval() for m in members]


def _found(
    model: bytes, members: Sequence[Classifier], pixels: NDArray[np.uint8], last: LastLayer
) -> list[NDArray[np.float64]]:
    """What the heads say of the file's features, and its own answers, each of shape (n, K)."""
    features, answers = Network(model, "features"), Network(model, last.output)
    heads = last.heads(members, [1.0] * len(members))
    batches = [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
    headed = [last.said(heads, features(batch)) for batch in batches]
    return [np.concatenate(headed), np.concatenate([answers(batch) for batch in batches]).astype(np.float64)]


def _compared(
    found: Sequence[NDArray[np.float64]],
    members: Sequence[Classifier],
    pixels: NDArray[np.uint8],
    tolerance: float,
    precision: torch.dtype,
    last: LastLayer,
) -> Parity:
    expected = torch_answers(members, pixels, precision, last)
    # a NaN counts as the largest difference there can be
    largest = max(float(np.nan_to_num(np.abs(said - expected), nan=np.inf).max()) for said in found) / last.unit
    disagreements = last.disagreements(expected, found[0])
    return Parity(len(pixels), largest, disagreements, tolerance, str(precision).removeprefix("torch."))


def torch_answers(
    members: Sequence[Classifier],
    pixels: NDArray[np.uint8],
    precision: torch.dtype = torch.float32,
    last: LastLayer = SCORES,
) -> NDArray[np.float64]:
    """The mean of the members' answers, computed by torch on the processor; shape (n, K).

    Parameters
    ----------
    members : sequence of Classifier
    pixels : uint8 array, shape (n, H, W, 3)
    precision : torch.float32 or torch.float64
    last : LastLayer
    """
    joined = _Joined(_on_cpu(members, precision), last).eval()
    mean, std = joined.mean.to(precision), joined.std.to(precision)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(pixels), _BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(pixels[start : start + _BATCH]))
            x = (batch.permute(0, 3, 1, 2).to(precision) - mean) / std
            parts.append(np.mean([last.answered(member(x).double()).numpy() for member in joined.members], axis=0))
    return np.concatenate(parts)
