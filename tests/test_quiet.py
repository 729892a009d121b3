"""Nothing goes out: no connection beyond this machine, no look-up of a name, no file outside run, cache and temp."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import PIL.Image
import pytest
from tests.outgoing import Places, Watch, has_strace, visit_review

from graticule.quiet import SWITCHES, keep_quiet, switched_on

# 192.0.2.1 is an address for documentation that nobody has
LEAKY = """
import pathlib, socket, subprocess, sys
if len(sys.argv) > 1:
    subprocess.run([sys.executable, __file__])
else:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("192.0.2.1", 9))
        s.connect(("127.0.0.1", 9))
        s.connect(("127.0.0.53", 53))
    pathlib.Path("allowed.txt").write_text("1")
    pathlib.Path("../outside.txt").write_text("1")
    pathlib.Path("../outside").mkdir()
    pathlib.Path("allowed.txt").rename("../moved.txt")
    (pathlib.Path.home() / "note").write_text("1")
"""


def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)


def test_every_switch_is_set_and_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch)
    assert set(switched_on()) == set(SWITCHES)
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    monkeypatch.setenv("DO_NOT_TRACK", " ")
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    keep_quiet()
    assert switched_on() == {"ORT_DISABLE_TELEMETRY": "onnxruntime"}


@pytest.mark.parametrize(("value", "called"), [("", 1), ("0", 0), ("1", 0)])
def test_a_runtime_that_was_imported_first_is_told(monkeypatch: pytest.MonkeyPatch, value: str, called: int) -> None:
    _without(monkeypatch)
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", value)
    calls: list[int] = []
    runtime = SimpleNamespace(disable_telemetry_events=lambda: calls.append(1))
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    keep_quiet()
    assert len(calls) == called


@pytest.mark.parametrize(
    "module", ["graticule", "graticule.networks.session", "graticule.explain.model", "graticule.cli.app"]
)
def test_the_switches_are_set_before_the_runtime_is_imported(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch)
    code = (
        "import builtins, os\n"
        "plain = builtins.__import__\n"
        "def watched(name, *args, **kwargs):\n"
        "    if name.split('.')[0] in ('onnxruntime', 'huggingface_hub', 'timm', 'torch'):\n"
        f"        assert all(os.environ.get(n) == '1' for n in {list(SWITCHES)!r}), name\n"
        "    return plain(name, *args, **kwargs)\n"
        "builtins.__import__ = watched\n"
        f"import {module}, onnxruntime\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("by", ["strace", "hook"])
def test_the_guard_sees_what_a_child_does(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "strace" and not has_strace():
        pytest.skip("strace is not there or may not trace")
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "leaky.py").write_text(LEAKY)
    monkeypatch.chdir(inside)
    watch = Watch(Places(tmp_path / "watch", (inside,)), strace=by == "strace")
    done = watch.python(str(tmp_path / "leaky.py"), "as a child")
    assert done.returncode == 0, done.stderr
    found = "\n".join(watch.faults())
    for told in ("192.0.2.1 port 9", "127.0.0.53 port 53", "outside.txt", "moved.txt", "home/note"):
        assert told in found, told
    assert "outside\n" in found
    assert "allowed.txt" not in found.replace("rename: ", "").replace(str(inside / "allowed.txt"), "")
    assert "127.0.0.1" not in found


@pytest.fixture
def two_kinds(tmp_path: Path) -> Path:
    """Images of two classes with a broken one, in a folder that is not the working folder."""
    rng = np.random.default_rng(0)
    for kind, shade in (("dark", 60), ("light", 180)):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for i in range(12):
            pixels = np.clip(rng.normal(shade, 12, (24, 24)), 0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "images" / kind / f"{i:02d}.png")
    (tmp_path / "images" / "dark" / "broken.png").write_bytes(b"\x89PNG broken")
    return tmp_path / "images"


def test_train_predict_explain_and_review_send_nothing_and_write_nowhere_else(two_kinds: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    watch = Watch(Places(tmp_path / "watch", (results,)))
    run, answers = results / "run", results / "answers"
    verbs: list[tuple[object, ...]] = [
        ("train", two_kinds, "--out", run, "--views", 1, "--folds", 2, "--workers", 2, "--head", "logistic"),
        ("predict", run, two_kinds, "--out", answers, "--workers", 2),
        ("explain", run, two_kinds / "dark", "--out", results / "explained", "--limit", 2, "--workers", 1),
    ]
    faults: list[str] = []
    for words in verbs:
        done = watch.python("-m", "graticule", *map(str, words))
        assert done.returncode in (0, 3), done.stderr
        faults += watch.faults()
    assert visit_review(watch, answers, results / "labels.db") == []
    assert faults + watch.faults() == []


def test_doctor_says_what_goes_out(graticule_command: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch)
    assert "nothing" in graticule_command()
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    told = graticule_command()
    assert "ORT_DISABLE_TELEMETRY=0" in told
    assert "onnxruntime" in told


@pytest.fixture
def graticule_command() -> Callable[..., str]:
    """The finding of doctor on what goes out, in words, from a fresh process."""
    code = "from graticule.jobs.doctor import going_out as g; f = g(); print(f.ok, f.found, f.remedy)"

    def run() -> str:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
        return done.stdout

    return run
