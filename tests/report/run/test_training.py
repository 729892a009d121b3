"""The section on a network that was trained: its settings, and its course as a picture."""

from __future__ import annotations

from typing import Any

from graticule.report.run.training import course_figure, training_content


def history(*losses: tuple[float, float | None]) -> list[dict[str, Any]]:
    return [{"epoch": i, "loss": a, "validation_loss": b} for i, (a, b) in enumerate(losses, 1)]


def test_each_fold_has_its_lines_and_its_best_epoch() -> None:
    drawn = course_figure([history((2.0, 1.5), (1.0, 0.8), (0.5, 0.9)), history((2.0, None), (1.0, None))], [3, 1])
    assert drawn.count('class="limit"') == 2
    assert drawn.count('class="join"') == drawn.count("<circle") == 1
    assert "fold 1: validation loss 0.900 in epoch 3, which was kept" in drawn


def test_a_single_epoch_and_a_first_one_far_off_can_be_drawn() -> None:
    assert "epoch 1" in course_figure([history((0.7, 0.6))], [1])
    near = history(*[(1.0 - k / 100, 1.0) for k in range(50)])
    far = history((900.0, 900.0), *[(1.0 - k / 100, 1.0) for k in range(1, 50)])
    assert ">1<" in course_figure([near], [1])
    assert ">800<" not in course_figure([far], [1])


def test_settings_are_told_as_far_as_they_are_recorded() -> None:
    fold = {"history": history((1.0, None)), "n_validation": 0, "seconds": 2.5}
    training = {"recipe": {"epochs": 30, "lr": 0.00012345, "unknown": 1}, "parity": {}, "folds": [fold, fold]}
    content = training_content({"training": training | {"shipped": "mean"}})
    assert content is not None
    assert content["settings"] == [
        ("Epochs", "30", "at most"),
        ("Highest learning rate", "0.000123", "of the last layers"),
    ]
    assert (content["judged"], content["seconds"], content["processes"], content["notes"]) == (False, 5.0, 1, [])
    assert training_content({}) is None
