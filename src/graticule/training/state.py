"""The state of a training run: networks, optimiser and counters; set up, written and read back bit by bit."""

import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import torch

from graticule.errors import TrainingError
from graticule.training.checkpoint import Tensors, read_checkpoint, write_checkpoint
from graticule.training.objective import Trainee
from graticule.training.schedule import Schedule

_VALIDATION = "validation_"


@dataclass(frozen=True)
class EpochRecord:
    """What is logged of an epoch.

    Attributes
    ----------
    epoch : int
        From 1.
    loss : float
        Mean training loss.
    validation : dict
        Of the averaged network: "loss", and the other figures of the objective; None without a validation part.
    rate : float
        Learning rate of the last layers at the end of the epoch.
    seconds, images_per_second : float
    """

    epoch: int
    loss: float
    validation: dict[str, float | None]
    rate: float
    seconds: float
    images_per_second: float

    def to_json(self) -> dict[str, Any]:
        """As run.json and checkpoints hold it: what was found on validation rows stands under names of its own."""
        values = asdict(self)
        found = {f"{_VALIDATION}{name}": value for name, value in values.pop("validation").items()}
        return {"epoch": values.pop("epoch"), "loss": values.pop("loss"), **found, **values}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """What `to_json` wrote."""
        found = {k.removeprefix(_VALIDATION): v for k, v in document.items() if k.startswith(_VALIDATION)}
        return cls(validation=found, **{k: v for k, v in document.items() if not k.startswith(_VALIDATION)})


@dataclass
class TrainingState:
    """All that changes while a network is trained.

    Attributes
    ----------
    network, average : torch.nn.Module
        The network, and the moving average of its weights, which is what is judged and kept.
    optimizer : AdamW
    epoch, batch, step : int
        The epoch under way (from 0), its next batch, and the steps made in all.
    losses : list of float
        Of the epoch under way.
    seconds : float
        Spent in the epoch under way.
    best : dict of tensors
        Weights of the epoch kept so far; empty before the first is judged.
    best_epoch : int
        From 1; 0: none yet.
    lowest_loss, lowest_error : float
        The lowest validation loss so far and its standard error.
    history : list of EpochRecord
    """

    network: Any
    average: Any
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    batch: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best: Tensors = field(default_factory=dict)
    best_epoch: int = 0
    lowest_loss: float = float("inf")
    lowest_error: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)


_COUNTERS = ("epoch", "batch", "step", "losses", "seconds", "best_epoch", "lowest_loss", "lowest_error")


def begin(trainee: Trainee, schedule: Schedule) -> TrainingState:
    """A state before the first step."""
    average = copy.deepcopy(trainee.network).requires_grad_(False).eval()
    optimizer = torch.optim.AdamW(trainee.groups, lr=schedule.lr, weight_decay=schedule.weight_decay)
    return TrainingState(trainee.network, average, optimizer)


def update_average(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move the average a step towards the network; counters are copied."""
    with torch.no_grad():
        mine, theirs = list(average.parameters()), list(network.parameters())
        torch._foreach_lerp_(mine, theirs, 1.0 - decay)
        for own, other in zip(average.buffers(), network.buffers(), strict=True):
            if own.is_floating_point():
                own.lerp_(other, 1.0 - decay)
            else:
                own.copy_(other)


def save_state(file: Path, state: TrainingState, fingerprint: str) -> None:
    """Write a state; `fingerprint` says of which run."""
    tensors = {f"network/{k}": v for k, v in state.network.state_dict().items()}
    tensors |= {f"average/{k}": v for k, v in state.average.state_dict().items()}
    tensors |= {f"best/{k}": v for k, v in state.best.items()}
    for i, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{i}/{k}": v for k, v in moments.items()}
    values = {name: getattr(state, name) for name in _COUNTERS}
    values |= {"history": [record.to_json() for record in state.history], "fingerprint": fingerprint}
    write_checkpoint(file, tensors, values)


def restore_state(file: Path, state: TrainingState, fingerprint: str) -> None:
    """Bring a new state to where a checkpoint stands.

    Raises
    ------
    TrainingError
        When the checkpoint is damaged, or of a run with other data or settings.
    """
    tensors, values = read_checkpoint(file)
    if values["fingerprint"] != fingerprint:
        raise TrainingError(
            f"the checkpoint {file} belongs to a run with other data, options or versions. Give --resume the same "
            "command and data, or train into another --out"
        )

    def under(prefix: str) -> Tensors:
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    state.network.load_state_dict(under("network/"))
    state.average.load_state_dict(under("average/"))
    state.best = under("best/")
    moments: dict[int, Tensors] = {}
    for name, value in under("optimizer/").items():
        number, _, key = name.partition("/")
        moments.setdefault(int(number), {})[key] = value
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    for name in _COUNTERS:
        setattr(state, name, values[name])
    state.history = [EpochRecord.from_json(record) for record in values["history"]]
