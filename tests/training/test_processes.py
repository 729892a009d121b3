"""Two processes train as one does: the same weights, each sample once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="fine-tuning needs torch: pip install 'graticule[torch]'")

from safetensors.torch import load_file  # noqa: E402

from graticule.errors import OptionError  # noqa: E402
from graticule.training.processes import Processes  # noqa: E402

# batch normalisation and dropout stay as in prediction, so that one and two processes compute the same
SCRIPT = """
import sys
from dataclasses import replace
import numpy as np
from safetensors.torch import save_file
from graticule.finetune.blocks import trainee_of
from graticule.finetune.logits import score_rows
from graticule.finetune.objective import ClassObjective
from graticule.finetune.network import build_network
from graticule.training.loop import fit_network
from graticule.training.processes import Processes
from graticule.finetune.recipe import Recipe
from graticule.finetune.batches import PixelSource
from tests.small_network import NETWORK, stripes

processes = Processes("cpu")
assert processes.count == int(sys.argv[2]), processes.count
pixels, y = stripes(80)
names = np.array([str(i) for i in range(80)], dtype=object)
recipe = Recipe(epochs=1, batch_size=16, input_size=32, lr=1e-3, augment="none", drop_rate=0.0)
network = build_network(NETWORK, 3, weights="none", seed=0)[0].eval()
network.train = lambda mode=True: network
source = PixelSource(pixels, network.spec.mean, network.spec.std, processes.device, preset="none", seed=0)
objective = ClassObjective(y, np.arange(80), np.arange(0), 3, 0, names, source, recipe)
trained = fit_network(trainee_of(network, 0, recipe), objective, recipe, processes)
scores = score_rows(trained.network, source, np.arange(77), processes)
if processes.main:
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, sys.argv[1] + ".safetensors")
    np.save(sys.argv[1] + ".npy", scores)
"""


def trained_by(count: int, folder: Path) -> tuple[dict[str, torch.Tensor], np.ndarray]:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    out = folder / f"by-{count}"
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count)]
    command = [*(launch if count > 1 else [sys.executable]), str(script), str(out), str(count)]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(f"{out}.safetensors"), np.load(f"{out}.npy")


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    one, scores_one = trained_by(1, tmp_path)
    two, scores_two = trained_by(2, tmp_path)
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-5
    assert np.abs(scores_one - scores_two).max() < 1e-4
    assert len(scores_two) == 77


def test_processes_that_do_not_find_each_other_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("graticule.training.processes.Accelerator", lambda **_: _Alone())
    with pytest.raises(OptionError, match="2 processes were started, but 1 found each other"):
        Processes("cpu")


class _Alone:
    device, num_processes, process_index = torch.device("cpu"), 1, 0


@pytest.mark.parametrize("device", ["gpu", "tpu:0", "cpu:x", "auto:1", "cuda:", "cuda:-1"])
def test_an_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(OptionError, match="allowed: auto, cpu, cuda"):
        Processes(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_refused() -> None:
    with pytest.raises(OptionError, match="torch finds no such device here"):
        Processes("cuda")


def test_gpus_are_counted_and_one_gpu_is_not_for_many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert Processes("cuda:1").device == torch.device("cuda:1")
    with pytest.raises(OptionError, match="torch finds 2 GPUs here, counted from 0"):
        Processes("cuda:2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(OptionError, match="leave --device out"):
        Processes("cuda:1")


def test_a_second_training_in_one_python_may_choose_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Processes("cpu").device == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [Processes(device).device.type for device in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


def test_rows_computed_twice_or_never_are_noticed() -> None:
    processes = Processes("cpu")
    with pytest.raises(RuntimeError, match="none or by two"):
        processes.all_rows(np.array([0, 0]), np.ones((2, 1)), 2)
    with pytest.raises(RuntimeError, match="none or by two"):
        processes.all_rows(np.array([0]), np.ones((1, 1)), 2)
