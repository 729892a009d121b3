"""Maps behind frozen blocks: what they hold, that training on them is training, that processes may share the work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from tests.small_network import Small  # noqa: E402

from graticule.errors import TrainingError  # noqa: E402
from graticule.finetune.batches import MapSource  # noqa: E402
from graticule.finetune.frozen import map_views, write_maps  # noqa: E402
from graticule.finetune.logits import score_rows  # noqa: E402

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from graticule.finetune.frozen import write_maps
from graticule.finetune.network import build_network
from graticule.training.processes import Processes
from graticule.finetune.batches import PixelSource
from tests.small_network import NETWORK, stripes

processes = Processes("cpu")
assert processes.count == int(sys.argv[2]), processes.count
pixels, _ = stripes(200)
network = build_network(NETWORK, 3, weights="none", seed=0)[0]
source = PixelSource(pixels, network.spec.mean, network.spec.std, processes.device, preset="microscopy", seed=0)
told = []
write_maps(Path(sys.argv[1]), source, network, 3, 2, np.arange(0, 199), processes, at_once=32, progress=told.append)
assert told[-1] == 199 or processes.count > 1, told
"""


def maps_of(small: Small, folder: Path, rows: np.ndarray, views: int = 2) -> tuple[Any, Any, np.ndarray]:
    """The network, its source of pixels, and the maps behind its first three blocks."""
    network = small.network()
    source = small.source(network)
    write_maps(folder / "maps.npy", source, network, 3, views, rows, small.processes, at_once=10)
    return network, source, map_views(folder / "maps.npy")


def test_maps_stand_for_the_frozen_blocks(small: Small, tmp_path: Path) -> None:
    rows = np.arange(12)
    network, source, maps = maps_of(small, tmp_path, rows)
    cached = MapSource(maps, 3, small.processes.device, seed=0)
    assert score_rows(network, cached, rows, small.processes) == pytest.approx(
        score_rows(network, source, rows, small.processes), abs=2e-3
    )
    views = {tuple(cached.training(np.array([4]), epoch).flatten()[:20].tolist()) for epoch in range(6)}
    assert len(views) == 2
    with torch.inference_mode():
        shown = network.stage(source.training(rows[:5], 1), 0, 3).numpy()
    assert np.abs(maps[:5, 2] - shown).max() < 2e-3 * np.abs(shown).max()
    assert not maps[12:].any()
    assert len(maps) == len(small.pixels)


def test_training_on_maps_leads_where_training_on_pixels_does(small: Small, tmp_path: Path) -> None:
    recipe = replace(small.recipe, epochs=12, augment="none", frozen_blocks=3, drop_rate=0.0)
    network = small.network()
    plain = small.source(network)
    plain.preset = "none"
    write_maps(tmp_path / "maps.npy", plain, network, 3, 0, np.arange(96), small.processes, at_once=64)
    cached = MapSource(map_views(tmp_path / "maps.npy"), 3, small.processes.device, seed=0)
    scores = []
    for source in (plain, cached):
        objective = small.objective(source, recipe, end=66)  # the last epoch counts
        trained = small.fit(small.network(), objective, recipe)
        scores.append(score_rows(trained.network, plain, np.arange(96), small.processes))
    moved = np.abs(scores[0] - score_rows(network.eval(), plain, np.arange(96), small.processes)).max()
    assert moved > 0.5
    # float16 has 11 bits
    assert np.abs(scores[1] - scores[0]).max() < 0.02 * moved


def test_two_processes_write_what_one_does(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "OMP_NUM_THREADS": "1"}
    for count in (1, 2):
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count)] if count > 1 else []
        command = [sys.executable, *launch, str(tmp_path / "script.py"), str(tmp_path / f"{count}.npy"), str(count)]
        done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr[-3000:]
    one, two = (map_views(tmp_path / f"{count}.npy") for count in (1, 2))
    assert one[:199].any(axis=(1, 2, 3, 4)).all()
    assert np.array_equal(one, two)
    assert sorted(file.name for file in tmp_path.glob("*.npy*")) == ["1.npy", "2.npy"]


def test_maps_that_have_no_room_are_refused(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(TrainingError, match=r"0.0 GB are needed in .* 0.0 GB are free. Freeze more blocks"):
        maps_of(small, tmp_path, np.arange(96))
    assert not list(tmp_path.glob("maps*"))


def test_what_an_interrupted_run_left_takes_no_room(small: Small, tmp_path: Path) -> None:
    (tmp_path / "maps.npy.part").write_bytes(b"x" * 1000)
    _, _, maps = maps_of(small, tmp_path, np.arange(12))
    assert maps[:12].any(axis=(1, 2, 3, 4)).all()
    assert [file.name for file in tmp_path.iterdir()] == ["maps.npy"]


def test_numbers_beyond_float16_are_refused(small: Small, tmp_path: Path) -> None:
    network = small.network()
    with torch.no_grad():
        for parameter in network.blocks()[2][1].parameters():
            parameter.fill_(1e6)
    with pytest.raises(TrainingError, match="beyond float16"):
        write_maps(tmp_path / "m.npy", small.source(network), network, 3, 0, np.arange(9), small.processes, at_once=9)
