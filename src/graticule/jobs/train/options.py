"""The options of `graticule train`, shared by the command line and the Python interface."""

from __future__ import annotations

from dataclasses import dataclass

from graticule.evaluate.options import MixOptions
from graticule.finetune.options import FinetuneOptions
from graticule.heads.options import HEADS, VALUE_HEADS, HeadOptions
from graticule.networks.options import (
    DEVICES,
    TORCH_DEVICES,
    NetworkOptions,
    device_option,
    is_device,
)
from graticule.options import GroupOptions, flag, one_of, option, stated
from graticule.regress.options import ORIENTATION, ValueOptions

# sides of the input that an embedded network is used at, pixels
_SMALLEST, _LARGEST = 32, 2048
METHODS = ("features", "finetune")
_OF_NETWORK = ("backbone", "weights", "input_size", "views")


@dataclass(frozen=True)
class TrainOptions(HeadOptions, FinetuneOptions, ValueOptions, GroupOptions, MixOptions):
    """Options of `train`: those of its parts, and which method trains."""

    FIRST = (
        *("method", NetworkOptions, "head", "folds", "test_size", "calibration", "group"),
        *("input_size", "views", "refit"),
    )

    method: str = option(
        "features", "A classifier on frozen features, or the network itself trained.", allowed=one_of(*METHODS)
    )

    device: str = device_option(*DEVICES, "mps")

    @property
    def refits(self) -> bool:
        """Whether the shipped model is trained anew on all cross-validated images."""
        return self.refit if self.method == "features" else not self.ensemble

    def faults(self) -> list[str]:
        """What is wrong with the values, and which options belong to the other method."""
        strange = [
            f"{flag(item.name)} belongs to --method {method}"
            for item in self.listed()
            if (method := stated(item).method) not in (None, self.method) and getattr(self, item.name) != item.default
        ]
        names = TORCH_DEVICES if self.method == "finetune" else DEVICES
        if is_device(self.device, (*DEVICES, *TORCH_DEVICES)) and not is_device(self.device, names):
            strange.append(f"--device {self.device}: allowed with --method {self.method} are {', '.join(names)}")
        size = self.input_size
        if self.method == "features" and isinstance(size, int) and not _SMALLEST <= size <= _LARGEST:
            sizes = f"auto, or whole numbers from {_SMALLEST} to {_LARGEST:,}"
            strange.append(f"--input-size {size}: allowed with --method features are {sizes}")
        heads = set(HEADS if self.target is None else VALUE_HEADS)
        if self.head in (*HEADS, *VALUE_HEADS) and self.head not in heads:
            told = f"without --target are {', '.join(HEADS)}"
            if self.target is not None:
                told = f"with --target are {', '.join(VALUE_HEADS)}"
            strange.append(f"--head {self.head}: allowed {told}")
        if self.target is not None and self.prevalence is not None:
            strange.append("--prevalence is a mix of classes; there are none where a number is learnt (--target)")
        if self.target is not None and self.synthetic is not None:
            strange.append("--synthetic brings images of classes; a generated image has no number to learn (--target)")
        if self.features == ORIENTATION:
            strange += [
                f"{flag(item.name)} has nothing to act on with --features {ORIENTATION}, which asks no network"
                for item in self.listed()
                if item.name in _OF_NETWORK and getattr(self, item.name) != item.default
            ]
        return [*super().faults(), *(strange if self.method in METHODS else [])]
