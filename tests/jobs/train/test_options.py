"""Options of `train`: checked together, and written as a command that repeats the run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from graticule.errors import OptionError
from graticule.jobs.train.options import TrainOptions


def test_the_defaults_are_those_of_the_contract() -> None:
    options = TrainOptions()
    options.check()
    assert (options.folds, options.test_size, options.group, options.head, options.seed) == (5, 0.0, "auto", "auto", 0)


def test_the_command_names_only_what_differs() -> None:
    command = TrainOptions(workers=1, batch_size=3).command(Path("my data"), Path("run"))
    assert command == "graticule train 'my data' --out run"


def test_the_command_repeats_every_option() -> None:
    options = TrainOptions(head="svm", folds=3, test_size=0.2, group="lot", views=8, refit=True, seed=7, root=Path("r"))
    words = shlex.split(options.command(Path("d"), Path("o")))
    flags = dict(zip(words[5:], [*words[6:], ""], strict=True))
    expected = {"--head": "svm", "--folds": "3", "--test-size": "0.2", "--group": "lot", "--views": "8", "--seed": "7"}
    assert expected.items() <= flags.items()
    assert "--refit" in flags
    assert flags["--root"] == "r"


def test_paths_become_plain_values() -> None:
    assert TrainOptions(root=Path("a\udcff")).to_json()["root"] == "a\\xff"


@pytest.mark.parametrize("folds", [-1, 0])
def test_folds_below_one(folds: int) -> None:
    with pytest.raises(OptionError, match=f"--folds {folds}: allowed are whole numbers from 1"):
        TrainOptions(folds=folds).check()
