"""`make bench`: every benchmark that needs nothing but this project and its data folder, one after another.

    python benchmarks/run_all.py [DATA]

DATA holds blood_cells, red_cells, malaria_cells and flow_particles, default ../shared/data; without it only the
simulations and the phantom run. What is left out is said.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def run(script: str, *arguments: str) -> None:
    """Run one benchmark, showing its command."""
    print(f"\n$ python benchmarks/{script} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    with tempfile.TemporaryDirectory() as scratch:
        phantom = Path(scratch) / "phantom"
        subprocess.run(
            [sys.executable, "-m", "graticule", "phantom", "powder", "--out", str(phantom), "--n-per-class", "100"],
            check=True,
        )
        run("embedding.py", str(phantom), "--images", "600")
    run("planted_groups.py")
    run("coverage.py")
    run("compare_null.py")
    if not data.is_dir():
        print(f"no folder {data}: accuracy, memory, determinism and throughput on photographs are left out")
        return
    run("embedding.py", str(data / "blood_cells"))
    run("embedding.py", str(data / "blood_cells"), "--views", "4", "--images", "600")
    run("determinism.py", str(data / "red_cells"))
    run("accuracy.py", str(data))
    run("memory.py", str(data / "blood_cells"))


if __name__ == "__main__":
    main()
