"""Begin many times at once in one --out and count what must not happen: two winners, none, lost or foreign files.

    python benchmarks/simultaneous.py [--rounds 200] [--processes 8] [--threads 25] [--crowds 20] [--verbs 20]
                                      [--folder FOLDER]

Entries: in each round PROCESSES processes enter one output folder at the same moment; the folder is absent in every
second round and empty in the others. The winner writes two files with a pause between them. In CROWDS further rounds
each process enters with THREADS threads. Failures: the same, but each winner fails before it has written anything, so
that folders are removed and made again under the feet of the others. Resumes: a folder of a killed process is resumed
by all at once. Verbs: VERBS processes of `graticule phantom`, `embed` and `train` begin with one --out each.

A round counts as right when exactly one finished (after failures: at most one at any time, and nothing is left), the
folder holds the winner's files and no others, and everybody else got one message. The script ends with exit code 1 when
a round was not right.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from graticule.errors import RunError
from graticule.files import write_text
from graticule.runs import DONE, STARTED, output_folder

PAUSE = 0.01


def enter(folder: Path, name: str, kind: str) -> str:
    """One entry: "won", "refused", "failed", or the text of an error that must not be."""
    try:
        with output_folder(folder, "run", resume=kind == "resumes"):
            if kind == "failures":
                time.sleep(PAUSE / 10)
                raise InterruptedError
            write_text(folder / "result", name)
            time.sleep(PAUSE)
            write_text(folder / f"more-{name}", name)
    except RunError as error:
        return "refused" if len(str(error).splitlines()) == 1 else f"long message: {error}"
    except InterruptedError:
        return "failed"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return "won"


def work(number: int, barrier: Barrier, rounds: list[tuple[Path, str]], threads: int, answers: Any) -> None:
    """One process: all its entries of all rounds; a round begins when every process has come."""
    with ThreadPoolExecutor(threads) as pool:
        for folder, kind in rounds:
            barrier.wait()
            names = [f"{number}-{thread}" for thread in range(threads)]
            answers.put(
                [
                    (name, answer)
                    for name, answer in zip(
                        names,
                        pool.map(lambda name, folder=folder, kind=kind: enter(folder, name, kind), names),
                        strict=True,
                    )
                ]
            )
            barrier.wait()


def abandoned(folder: Path) -> None:
    """What a killed process leaves: a marker that nobody holds, and half of its files."""
    folder.mkdir()
    (folder / STARTED).write_text('{"pid": 999999999, "host": "elsewhere", "since": "2026-01-01T00:00:00Z"}')
    (folder / "half").write_text("half")


def is_right(folder: Path, kind: str, answers: list[tuple[str, str]]) -> bool:
    """Whether one round ended as it should."""
    won = [name for name, answer in answers if answer == "won"]
    if {answer for _, answer in answers} - {"won", "refused", "failed"}:
        return False
    if kind == "failures":
        return not won and (not folder.exists() or not any(folder.iterdir()))
    expected = {DONE, "result", *(f"more-{name}" for name in won), *(["half"] if kind == "resumes" else [])}
    return (
        len(won) == 1 and {f.name for f in folder.iterdir()} == expected and ((folder / "result").read_text() == won[0])
    )


def entries(folder: Path, kind: str, rounds: int, processes: int, threads: int) -> bool:
    """All rounds of a kind; prints one line."""
    plan = []
    for number in range(rounds):
        place = folder / f"{kind}-{threads}-{number}"
        if kind == "resumes":
            abandoned(place)
        elif number % 2:
            place.mkdir()
        plan.append((place, kind))
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(processes + 1), context.Queue()
    workers = [context.Process(target=work, args=(n, barrier, plan, threads, queue)) for n in range(processes)]
    for worker in workers:
        worker.start()
    right, seen = 0, {"won": 0, "refused": 0, "failed": 0}
    for place, _ in plan:
        barrier.wait(timeout=300)
        answers = [pair for _ in workers for pair in queue.get(timeout=300)]
        barrier.wait(timeout=300)
        for name, answer in answers:
            if answer not in seen:
                print(f"  {place.name} {name}: {answer}", file=sys.stderr)
            seen[answer] = seen.get(answer, 0) + 1
        right += is_right(place, kind, answers)
    for worker in workers:
        worker.join()
    n = processes * threads
    print(
        f"{kind}: {rounds} rounds of {n} at once: {right} right; {seen['won']} won, {seen['refused']} refused, "
        f"{seen['failed']} failed on purpose",
        flush=True,
    )
    return right == rounds


def verbs(folder: Path, n: int) -> bool:
    """Whole commands at once; prints one line per verb."""
    data = folder / "data"
    program = [sys.executable, "-m", "graticule"]
    subprocess.run(
        [*program, "phantom", "powder", "--out", data, "--n-per-class", "12"], check=True, capture_output=True
    )
    commands = {
        "phantom": ["phantom", "powder", "--n-per-class", "3", "--out", folder / "phantom"],
        "embed": ["embed", data, "--views", "1", "--workers", "1", "--out", folder / "features.parquet"],
        "train": [
            "train",
            data,
            "--views",
            "1",
            "--workers",
            "1",
            "--folds",
            "2",
            "--head",
            "logistic",
            "--out",
            folder / "run",
        ],
    }
    fine = True
    for verb, command in commands.items():
        started = [
            subprocess.Popen(
                [*program, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            for _ in range(n)
        ]
        ends = [(process.communicate()[1], process.returncode) for process in started]
        done = sum(code == 0 for _, code in ends)
        told = sum(code == 2 and text.count("graticule: ") == 1 and "Traceback" not in text for text, code in ends)
        left = [file.name for file in folder.iterdir() if file.name.startswith(".")]
        whole = {
            "phantom": folder / "phantom" / "phantom.json",
            "embed": folder / "features.parquet",
            "train": folder / "run" / DONE,
        }[verb].is_file()
        print(
            f"{verb}: {n} at once: {done} finished, {told} refused with one message, outcome "
            f"{'whole' if whole else 'MISSING'}, {len(left)} files left over",
            flush=True,
        )
        fine &= done == 1 and told == n - 1 and whole and not left
    return fine


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("rounds", 200), ("processes", 8), ("threads", 25), ("crowds", 20), ("verbs", 20)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        folder = Path(scratch)
        print(f"{os.cpu_count()} cores, {folder.parent}")
        fine = [entries(folder, kind, asked.rounds, asked.processes, 1) for kind in ("entries", "failures", "resumes")]
        fine += [
            entries(folder, kind, asked.crowds, asked.processes, asked.threads)
            for kind in ("entries", "failures", "resumes")
        ]
        fine.append(verbs(folder, asked.verbs))
    sys.exit(not all(fine))


if __name__ == "__main__":
    main()
