"""Forged bundles behind right checksums: each is refused by `graticule predict`, as a process of its own.

    python benchmarks/forged_bundles.py RUN IMAGES [--only TEXT]
    python benchmarks/forged_bundles.py RUN IMAGES --networks resnet50,vit_tiny_patch16_224

RUN is a finished run with linear heads and evidence (`graticule train DATA --out RUN --head logistic`), IMAGES any
folder of images. Every kind in tests/forgeries.py is made from RUN's bundle. Measured is the process tree: exit code,
wall time, the largest sum of resident memory, and whether an output folder was left. Printed is what misses the goal
(exit code 2, one message, no folder, below 5 s and 1 GiB), the sums, and what the checks cost an honest
bundle. With --networks timm's networks (random weights, extra torch) are exported as `train` does it and go through the
same checks: they must pass.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests import forgeries

MIB = 2**20
MOST_SECONDS, MOST_MEMORY = 5.0, 1024


@dataclass(frozen=True)
class Outcome:
    """What a process did: exit code, words on stderr, seconds, MiB, and seconds of processor time."""

    code: int
    words: str
    seconds: float
    memory: int
    processor: float


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def resident(pid: int) -> int:
    """Resident memory of a process tree in bytes; what has just ended counts as nothing."""
    total = 0
    try:
        for process in tree(pid):
            pages = Path(f"/proc/{process}/statm").read_text().split()[1]
            total += int(pages) * 4096
    except (OSError, IndexError):
        pass
    return total


def predict(bundle: Path, images: Path, out: Path) -> Outcome:
    """Run the verb on a bundle and watch its process tree."""
    command = [
        sys.executable,
        "-m",
        "graticule",
        "predict",
        str(bundle),
        str(images),
        "--out",
        str(out),
        "--workers",
        "1",
    ]
    start, peak, before = time.perf_counter(), 0, _children_time()
    with tempfile.TemporaryFile("w+") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, cwd=out.parent)
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.01)
        seconds = time.perf_counter() - start
        stderr.seek(0)
        told = stderr.read()
    return Outcome(process.returncode, told, seconds, peak // MIB, _children_time() - before)


def _children_time() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fault(outcome: Outcome, out: Path) -> str:
    """What an outcome misses of what is to be reached, or ""."""
    missed = []
    if outcome.code != 2 or outcome.words.count("graticule: ") != 1 or "Traceback" in outcome.words:
        missed.append(f"exit code {outcome.code}: {outcome.words[-300:]!r}")
    if out.exists():
        missed.append("an output folder")
    if outcome.seconds >= MOST_SECONDS:
        missed.append(f"{outcome.seconds:.1f} s ({outcome.processor:.1f} s of processor)")
    if outcome.memory >= MOST_MEMORY:
        missed.append(f"{outcome.memory} MiB")
    return ", ".join(missed)


def attack(run: Path, images: Path, scratch: Path, only: str) -> None:
    """Every kind of forgery."""
    honest = forgeries.contents_of(run / "model")
    outcomes, missed = [], 0
    for i, (kind, contents) in enumerate(forgeries.forgeries(honest)):
        if only not in kind:
            continue
        bundle, out = scratch / f"bundle-{i}", scratch / f"out-{i}"
        forgeries.write(bundle, contents)
        outcome = predict(bundle, images, out)
        outcomes.append(outcome)
        told = fault(outcome, out)
        missed += bool(told)
        print(f"{'MISSED' if told else 'refused'}  {kind}: {told or outcome.words.strip()[-160:]}", flush=True)
    refused = sum(o.code == 2 for o in outcomes)
    print(f"\n{len(outcomes)} kinds: {refused} refused with exit code 2, {missed} miss something")
    print(
        f"longest {max(o.seconds for o in outcomes):.2f} s wall and {max(o.processor for o in outcomes):.2f} s of "
        f"processor, most memory {max(o.memory for o in outcomes)} MiB"
    )


def price(run: Path) -> None:
    """Seconds that reading and checking an honest bundle takes in a warm process."""
    from graticule.bundle import read_bundle
    from graticule.decide.open_bundle import check_bundle

    model = run / "model"
    times: dict[str, list[float]] = {"read": [], "check": []}
    for _ in range(7):
        start = time.perf_counter()
        bundle = read_bundle(model)
        times["read"].append(time.perf_counter() - start)
        start = time.perf_counter()
        check_bundle(bundle)
        times["check"].append(time.perf_counter() - start)
    print({name: round(sorted(values)[len(values) // 2], 3) for name, values in times.items()}, "s, medians of 7")


def networks(names: list[str]) -> None:
    """Networks of timm as `train` exports them, through the checks."""
    from graticule.networks.graph_check import check_graph
    from graticule.networks.timm_backbones import timm_encoder
    from graticule.networks.trial import try_network

    for name in names:
        encoder = timm_encoder(name, views=1, weights="none")
        size, start = encoder.preprocessing.size, time.perf_counter()
        check_graph(encoder.model, encoder.output, size)
        looked = time.perf_counter() - start
        passes = try_network(encoder.model, encoder.output, size) == encoder.n_features
        tried = time.perf_counter() - start - looked
        megabytes = len(encoder.model) / 1e6
        print(
            f"{name}: {'passes' if passes else 'REFUSED'}, {megabytes:.0f} MB, {looked:.2f} s + {tried:.2f} s",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--only", default="", help="kinds whose name holds this text")
    parser.add_argument("--networks", default="", help="names of timm models instead, with commas between")
    given = parser.parse_args()
    if given.networks:
        networks(given.networks.split(","))
        return
    price(given.run)
    with tempfile.TemporaryDirectory() as scratch:
        attack(given.run.absolute(), given.images.absolute(), Path(scratch), given.only)


if __name__ == "__main__":
    main()
