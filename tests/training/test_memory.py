"""Files that take their room at once, so that a full disk is an error and no crash."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from graticule.errors import TrainingError
from graticule.training.memory import new_array


def test_a_new_array_is_zero_and_takes_its_room_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"left by an earlier run")
    array = new_array(tmp_path / "a.npy", np.float16, (50, 3, 40, 40), "Take less")
    assert not array.any()
    array[49] = 1
    array.flush()
    assert np.load(tmp_path / "a.npy")[49].all()
    if hasattr(os, "posix_fallocate"):
        assert (tmp_path / "a.npy").stat().st_blocks * 512 >= array.nbytes


def test_more_than_the_disk_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"GB are needed in .*Take less, or an --out on another disk"):
        new_array(tmp_path / "a.npy", np.uint8, (10**9, 224, 224, 3), "Take less")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSPC])
def test_a_file_system_that_cannot_promise_room_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def answer(*_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", answer, raising=False)
    if code == errno.ENOSPC:
        with pytest.raises(OSError, match=os.strerror(code)):
            new_array(tmp_path / "a.npy", np.uint8, (10,), "Take less")
    else:
        assert len(new_array(tmp_path / "a.npy", np.uint8, (10,), "Take less")) == 10
