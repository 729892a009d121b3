"""Every verb under a guard: connections beyond this machine, look-ups of names, files outside run, cache and temp.

    python benchmarks/goes_out.py [--skip-torch] [--hook] [--only WORD ...]

Draws a small image set, then runs each verb as a user would, in an empty home, and prints what it did where it should
not. The guard reads the kernel's calls with strace where it may, in the command and all its children; `--hook` (and a
machine without strace) takes Python's audit hook, which does not see native code but for what it leaves in the home.
Each run begins with a command that connects and writes on purpose, so that a guard that sleeps is noticed. Exit status
1 when anything went out.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.outgoing import Places, Watch, has_strace, visit_review

GRATICULE = ("-m", "graticule")
# 192.0.2.1 is an address for documentation that nobody has
LEAK = "import socket,pathlib;s=socket.socket(2,2);s.connect(('192.0.2.1',9));(pathlib.Path.home()/'x').write_text('1')"
LIBRARY = """
import sys
from pathlib import Path
import graticule

if __name__ == "__main__":
    run, images = sys.argv[1:]
    graticule.load(run).predict([str(f) for f in sorted(Path(images).rglob("*.png"))[:4]])
    graticule.Embedder(views=1).fit_transform([str(f) for f in sorted(Path(images).rglob("*.png"))[:4]])
"""
# what torchrun does, without its launcher
TWO = """
import os, socket, subprocess, sys

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
each = [os.environ | shared | {"RANK": str(i), "LOCAL_RANK": str(i)} for i in range(2)]
both = [subprocess.Popen([sys.executable, "-m", "graticule", *sys.argv[1:]], env=env) for env in each]
sys.exit(max(process.wait() for process in both))
"""


def verbs(at: Path, torch: bool) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Name and arguments of the interpreter for each command, in an order in which each finds what it needs."""
    data, run, tuned = at / "powder", at / "run", at / "tuned"
    table = data / "manifest.csv"
    few = ("--workers", 2)
    bar = ("--info-bar", "zeiss", "--masks")
    yield "phantom", (*GRATICULE, "phantom", "powder", "--out", data, "--n-per-class", 12, *few)
    yield "phantom, info bar", (*GRATICULE, "phantom", "powder", "--out", at / "bars", "--n-per-class", 2, *bar)
    yield "doctor", (*GRATICULE, "doctor", "--json")
    yield "backbones", (*GRATICULE, "backbones", "--json")
    yield "demo", (*GRATICULE, "demo", "--out", at / "demo", *few)
    yield "embed", (*GRATICULE, "embed", table, "--out", at / "features.parquet", "--views", 1, *few)
    yield "audit", (*GRATICULE, "audit", table, "--out", at / "audit", "--views", 1, *few)
    held = ("--test-size", 0.2, "--calibration", 0.2, "--folds", 2)
    yield "train", (*GRATICULE, "train", table, "--out", run, "--views", 1, *held, *few)
    svm = ("--head", "svm", "--folds", 2)
    yield "train, support vectors", (*GRATICULE, "train", table, "--out", at / "svm", "--views", 1, *svm, *few)
    yield "evaluate", (*GRATICULE, "evaluate", run, table, "--out", at / "evaluation", *few)
    yield "compare", (*GRATICULE, "compare", run, at / "svm", "--out", at / "compared")
    yield "predict", (*GRATICULE, "predict", run, data, "--out", at / "answers", "--csv", *few)
    yield "count", (*GRATICULE, "count", at / "answers", "--out", at / "counts")
    yield "explain", (*GRATICULE, "explain", run, table, "--out", at / "explained", "--limit", 2, *few)
    yield "label-errors", (*GRATICULE, "label-errors", run, "--out", at / "suspects")
    yield "report", (*GRATICULE, "report", run)
    yield "labels import", (*GRATICULE, "labels", "import", at / "decided.csv", "--labels", at / "labels.db")
    yield "labels verify", (*GRATICULE, "labels", "verify", "--labels", at / "labels.db")
    yield "labels export", (*GRATICULE, "labels", "export", "--labels", at / "labels.db", "--out", at / "labels.csv")
    yield "from Python", (at / "library.py", run, data)
    if not torch:
        return
    short = ("--epochs", 1, "--input-size", 64, "--folds", 2, "--device", "cpu", *few)
    tune = ("train", table, "--method", "finetune", *short)
    yield "train, fine-tuning", (*GRATICULE, *tune, "--out", tuned)
    own = ("--backbone", "test_efficientnet", "--weights", "none")
    yield "train, fine-tuning a timm network", (*GRATICULE, *tune, *own, "--out", at / "tuned-timm")
    yield "predict, fine-tuned", (*GRATICULE, "predict", tuned, data, "--out", at / "tuned-answers", *few)
    yield "explain, fine-tuned", (*GRATICULE, "explain", tuned, table, "--out", at / "tuned-maps", "--limit", 2, *few)
    yield "train, fine-tuning in two processes", (at / "two.py", *tune, *own, "--out", at / "tuned-twice")


def prepare(at: Path) -> None:
    """What some commands read beside the images: a table of decisions, and a program of a user's."""
    (at / "library.py").write_text(LIBRARY)
    (at / "two.py").write_text(TWO)
    rows = list(csv.DictReader((at / "powder" / "manifest.csv").open(encoding="utf-8")))
    with (at / "decided.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label"])
        writer.writerows((at / "powder" / row["path"], row["label"]) for row in rows[:6])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skip-torch", action="store_true", help="leave fine-tuning out")
    parser.add_argument("--hook", action="store_true", help="Python's audit hook in place of strace")
    parser.add_argument(
        "--only", nargs="+", default=[], help="commands whose names hold one of these, and what they need"
    )
    chosen = parser.parse_args()
    by_strace = has_strace() and not chosen.hook
    print(f"guard: {'strace, native code included' if by_strace else 'audit hook'}")
    n_faults = n_verbs = 0
    with tempfile.TemporaryDirectory(prefix="goes-out-") as scratch:
        at = Path(scratch) / "results"
        at.mkdir()
        control = Watch(Places(Path(scratch) / "control", (at,)), strace=by_strace)
        control.python("-c", LEAK)
        if len(seen := control.faults()) < 2:
            print(f"the guard is asleep: it saw {seen}")
            return 1
        watch = Watch(Places(Path(scratch) / "watched", (at,)), strace=by_strace)
        for name, words in verbs(at, not chosen.skip_torch):
            if chosen.only and name not in ("phantom", "train") and not any(word in name for word in chosen.only):
                continue
            start = time.perf_counter()
            done = watch.python(*map(str, words), timeout=3600)
            faults = watch.faults()
            n_verbs, n_faults = n_verbs + 1, n_faults + len(faults)
            ended = "" if done.returncode in (0, 3) else f"  ENDED WITH {done.returncode}: {done.stderr[-300:]}"
            print(f"{name:38} {time.perf_counter() - start:6.0f} s  {len(faults)}{ended}", flush=True)
            print(*(f"    {fault}" for fault in faults), sep="\n", end="\n" if faults else "")
            n_faults += bool(ended)
            if name == "phantom":
                prepare(at)
        if (at / "answers").is_dir():
            failed = visit_review(watch, at / "answers", at / "labels.db")
            faults = [*watch.faults(), *failed]
            n_verbs, n_faults = n_verbs + 1, n_faults + len(faults)
            print(f"{'review':38} {'':8}  {len(faults)}", *faults, sep="\n    " if faults else "")
    print(f"{n_verbs} commands, {n_faults} connections, look-ups and files where there should be none")
    return int(n_faults > 0)


if __name__ == "__main__":
    sys.exit(main())
