"""Steps of training whatever is learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.made_samples import samples_of

from graticule.errors import ManifestError, RunError
from graticule.jobs.train.options import TrainOptions
from graticule.jobs.train.steps import check_not_all_picked, run_folder


def test_images_that_were_all_picked_can_test_no_model() -> None:
    check_not_all_picked(samples_of(["a", "b"], sampling_prob=["", "0.5"]).manifest)
    with pytest.raises(ManifestError, match="every label was picked on purpose"):
        check_not_all_picked(samples_of(["a", "b"], sampling_prob=["", ""]).manifest)


def test_further_processes_make_no_folder(tmp_path: Path) -> None:
    with run_folder(tmp_path / "run", TrainOptions(), main=False) as folder:
        assert not folder.exists()
    with run_folder(tmp_path / "run", TrainOptions(), main=True) as folder:
        (folder / "a").touch()
    with pytest.raises(RunError), run_folder(tmp_path / "run", TrainOptions(), main=True):
        pass
