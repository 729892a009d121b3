"""demo: what the terminal is told of a demonstration; the way itself is tested with the job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("words", [(), ("--out", "elsewhere", "--workers", "3")])
def test_figures_and_files_are_told(
    graticule: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked: list[tuple[Path, int]] = []

    def demo(out: Path, *, workers: int, reporter: Any) -> dict[str, Any]:
        reporter.step("drawing")
        asked.append((out, workers))
        accuracy = {"value": 0.9, "low": 0.8, "high": 0.95, "method": "wilson", "level": 0.95}
        metrics = {"n": 1200, "n_groups": 30, "classes": ["a", "b"], "accuracy": accuracy}
        folds = [
            {
                "parts": ["whole"],
                "told": [
                    {"parts": ["whole", "centre", "covariance"], "balanced_accuracy": 0.91},
                    {"parts": ["whole"], "balanced_accuracy": 0.86},
                ],
            }
        ]
        run = {"metrics": metrics, "head": {"folds": folds}}
        told = [{"parts": ["whole", "centre", "covariance"], "balanced_accuracy": 0.93}]
        told.append({"parts": ["whole"], "balanced_accuracy": 0.86})
        seen = {"metrics": metrics | {"n": 180, "n_groups": 12}, "head": {"folds": [folds[0] | {"told": told}]}}
        return {"run": run, "particles": seen, "right": 7, "n_new": 9, "report": out / "run" / "report.html"}

    monkeypatch.setattr("graticule.jobs.demo.demo", demo)
    outcome = graticule("demo", *words)
    ((out, workers),) = asked
    assert out == Path("elsewhere" if words else "graticule-demo")
    assert workers == 3 or not words
    assert (outcome.code, outcome.err) == (0, "drawing ...\n")
    assert "1,200 micrographs of 30 specimens, 2 powders\n" in outcome.out
    assert "accuracy on specimens not trained on: 90.0 % (80.0 to 95.0)\n" in outcome.out
    assert "everything together told 5.0 points more than the whole picture alone" in outcome.out
    assert "particles among others, 180 images of 12 runs: accuracy 90.0 % (80.0 to 95.0)\n" in outcome.out
    assert "there: everything together told 7.0 points more than the whole picture alone" in outcome.out
    assert f"7 of 9 right, see {out / 'predictions' / 'predictions.csv'}\n" in outcome.out
    assert outcome.out.endswith(f"report: {tmp_path / out / 'run' / 'report.html'}\n")
