"""The trial of a network: bounded in memory and time, in a process that may die alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.forged_networks import BUILT, lengths, network, node

from graticule.errors import BundleError
from graticule.networks import trial
from graticule.networks.encoder import Encoder
from graticule.networks.session import Network
from graticule.networks.trial import try_network


def test_it_tells_the_length_of_the_features(lite0: Encoder) -> None:
    assert try_network(lite0.model, "features", 48) == 992
    assert try_network(network(7).SerializeToString(), "features", 16) == 7


def test_memory_is_bounded() -> None:
    made = [node("ConstantOfShape", "s", "big"), node("ReduceSum", "big", "z", keepdims=0)]
    # 64 MB and 640 MB
    assert try_network(network(3, made, {"s": lengths(16, 10**6)}).SerializeToString(), "features", 8) == 3
    with pytest.raises(BundleError, match="cannot be run"):
        try_network(network(3, made, {"s": lengths(160, 10**6)}).SerializeToString(), "features", 8)


@pytest.mark.skipif(sys.platform == "win32", reason="the system bounds no processor time")
def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_SECONDS", 1.0)
    with pytest.raises(BundleError, match="the trial of it died"):
        try_network(BUILT["work without end"](3).SerializeToString(), "features", 8)


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_CODE", "import time; time.sleep(600)")
    monkeypatch.setattr(trial, "_PATIENCE", 0.1)
    with pytest.raises(BundleError, match="did not end within"):
        try_network(network(3).SerializeToString(), "features", 8)


def test_a_child_that_crashes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_CODE", "import os; os.abort()")
    with pytest.raises(BundleError, match="the trial of it died"):
        try_network(network(3).SerializeToString(), "features", 8)


def test_nothing_of_the_current_folder_is_run(tmp_path: Path) -> None:
    for name in ("json.py", "numpy.py", "onnxruntime.py", "graticule.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('a stranger')")
    (tmp_path / "net.onnx").write_bytes(network(3).SerializeToString())
    code = (
        "from pathlib import Path; from graticule.networks.trial import try_network; "
        "print(try_network(Path('net.onnx').read_bytes(), 'features', 8))"
    )
    source = str(Path(trial.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.strip() == "3", done.stderr


def test_the_shared_arena_changes_no_result(encoder: Encoder) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    plain, shared = Network(encoder.model), Network(encoder.model, shared_arena=True)
    np.testing.assert_array_equal(plain(pixels), shared(pixels))
