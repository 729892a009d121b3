"""Options of `train`: checked together, and written as a command that repeats the run."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from graticule.errors import OptionError
from graticule.finetune.options import RecipeOptions
from graticule.jobs.train.options import TrainOptions
from graticule.options import stated


def test_the_defaults_are_those_of_the_contract() -> None:
    options = TrainOptions()
    options.check()
    assert (options.folds, options.test_size, options.group, options.head, options.seed) == (5, 0.0, "auto", "auto", 0)


def test_the_command_names_only_what_differs() -> None:
    command = TrainOptions(workers=1, batch_size=3).command("train", Path("my data"), out=Path("run"))
    assert command == "graticule train 'my data' --out run"


def test_the_command_repeats_every_option() -> None:
    options = TrainOptions(head="svm", folds=3, test_size=0.2, group="lot", views=8, refit=True, seed=7, root=Path("r"))
    words = shlex.split(options.command("train", Path("d"), out=Path("o")))
    flags = dict(zip(words[5:], [*words[6:], ""], strict=True))
    expected = {"--head": "svm", "--folds": "3", "--test-size": "0.2", "--group": "lot", "--views": "8", "--seed": "7"}
    assert expected.items() <= flags.items()
    assert "--refit" in flags
    assert flags["--root"] == "r"


def test_paths_become_plain_values() -> None:
    assert TrainOptions(root=Path("a\udcff")).to_json()["root"] == "a\\xff"


def test_a_resumed_run_is_repeated_without_resuming_and_with_its_size_of_batch() -> None:
    options = TrainOptions(method="finetune", batch_size=16, resume=True, workers=2)
    command = options.command("train", Path("d"), out=Path("o"))
    assert command == "graticule train d --out o --method finetune --batch-size 16"


def of_method(method: str) -> list[str]:
    return [item.name for item in TrainOptions.listed() if stated(item).method == method]


def test_what_belongs_to_one_method() -> None:
    assert of_method("features") == ["head", "refit", "size_features", "features"]
    assert of_method("finetune") == [item.name for item in fields(RecipeOptions)]


@pytest.mark.parametrize("name", ["head", "refit", "size_features", *(item.name for item in fields(RecipeOptions))])
def test_options_of_the_other_method_are_refused(name: str) -> None:
    values: dict[str, Any] = {"head": "svm", "epochs": 2, "input_size": 64, "lr": 0.1, "augment": "none"}
    values |= {"balance": "none", "frozen_blocks": 1, "device": "cpu"}
    own, other = ("features", "finetune") if name in of_method("features") else ("finetune", "features")
    given = {name: values.get(name, True)}
    assert TrainOptions(method=own, **given).faults() == []
    told = f"--{name.replace('_', '-')} belongs to --method {own}"
    assert TrainOptions(method=other, **given).faults() == [told]


def test_the_views_fit_the_method_and_the_images() -> None:
    assert TrainOptions(method="finetune").views_settled == 4
    assert TrainOptions(method="finetune", marks="mask").views_settled == 1
    assert TrainOptions(method="finetune", augment="ultrasound").views_settled == 1
    assert TrainOptions(method="finetune", augment="ultrasound", views=8).views_settled == 8


@pytest.mark.parametrize("size", [16, 31, 2049])
def test_sizes_that_frozen_features_are_not_computed_at(size: int) -> None:
    told = f"--input-size {size}: allowed with --method features are auto, or whole numbers from 32 to 2,048"
    assert TrainOptions(input_size=size).faults() == [told]
    assert TrainOptions(method="finetune", input_size=size).faults() == []
    assert TrainOptions(input_size=48).faults() == TrainOptions(input_size="auto").faults() == []


@pytest.mark.parametrize("folds", [-1, 0])
def test_folds_below_one(folds: int) -> None:
    with pytest.raises(OptionError, match=f"--folds {folds}: allowed are whole numbers from 1"):
        TrainOptions(folds=folds).check()


@pytest.mark.parametrize(
    ("method", "device", "fine"),
    [
        ("features", "openvino", True),
        ("features", "cuda:1", True),
        ("features", "mps", False),
        ("finetune", "mps", True),
        ("finetune", "cuda:1", True),
        ("finetune", "directml", False),
    ],
)
def test_each_method_has_its_devices(method: str, device: str, fine: bool) -> None:
    faults = TrainOptions(method=method, device=device).faults()
    assert [told.partition(": allowed with")[0] for told in faults] == ([] if fine else [f"--device {device}"])


def test_a_device_of_no_method_is_told_once() -> None:
    (told,) = TrainOptions(device="tpu").faults()
    assert told.startswith("--device tpu: allowed are auto, cpu, cuda, ")
    assert told.endswith("mps")


@pytest.mark.parametrize(
    ("name", "value"), [("backbone", "resnet50"), ("weights", "none"), ("views", 8), ("input_size", 96)]
)
def test_what_is_about_a_network_is_refused_where_none_is_asked(name: str, value: Any) -> None:
    plain = TrainOptions(target="fraction", features="orientation")
    plain.check()
    flagged = f"--{name.replace('_', '-')} has nothing to act on with --features orientation"
    assert any(flagged in fault for fault in TrainOptions(**vars(plain) | {name: value}).faults())
    assert not TrainOptions(**vars(plain) | {name: value, "features": "both"}).faults()
