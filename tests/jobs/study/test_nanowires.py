"""A study calls the verbs in turn and compares what they left; the verbs themselves are replaced here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.answers import Shards
from graticule.arrays import object_array
from graticule.errors import OptionError
from graticule.jobs.study import nanowires
from graticule.jobs.study.nanowires import study_nanowires
from graticule.jobs.study.options import StudyOptions
from graticule.value_answers import VALUE_SCHEMA, value_block
from graticule.values import Values

ERRORS = {"orientation": 0.05, "network": 0.15, "both": 0.06}
TUNED = 0.04
SMALL = StudyOptions(specimens=12, new_specimens=10, per_specimen=3, finetune="none")


def truth(folder: Path) -> tuple[list[str], np.ndarray, list[str]]:
    rows = [line.split(",") for line in (folder / "manifest.csv").read_text().splitlines()[1:]]
    return [row[0] for row in rows], np.array([float(row[1]) for row in rows]), [row[2] for row in rows]


def draw(folder: Path, specimens: int, each: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    rows = ["path,fraction,group"]
    for i in range(specimens * each):
        (folder / f"{i:03d}.png").write_bytes(b"")
        rows.append(f"{i:03d}.png,{rng.uniform():.4f},N{i // each}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The verbs replaced by what they would leave; in which order they were called."""
    calls: list[str] = []

    def phantom(kind: str, out: Path, options: Any, progress: Any) -> None:
        calls.append(f"phantom {out.name} {options.seed}")
        draw(out, options.n_per_class // options.per_specimen, options.per_specimen, options.seed)
        (out / "phantom.json").write_text(json.dumps({"floors": {"the directions of the visible wires": 0.05}}))

    def orientation(images: Path, out: Path, options: Any, _: Any) -> None:
        calls.append(f"orientation {images.name}")
        out.mkdir(parents=True)
        path, y, _ = truth(images)
        noise = np.random.default_rng(0).normal(0, 0.2, y.size)
        table = {"path": path, "share": y + 0.4 * noise, "lgo_corrected": 0.5 * (y + noise), "lgo_fiji_amount": noise}
        table["lgo_fiji_amount"] = [None, *(0.3 + 0.3 * y + noise)[1:]]
        pq.write_table(pa.table(table), out / "orientation.parquet")

    def train(data: Path, out: Path, options: Any, _: Any) -> None:
        name = options.features if options.method == "features" else "finetuned"
        calls.append(f"train {name}")
        out.mkdir(parents=True)
        path, y, group = truth(data)
        order = np.random.default_rng(1).permutation(y.size)  # runs keep their own order
        value = y + np.random.default_rng(2).normal(0, ERRORS.get(name, TUNED), y.size)
        names = object_array(path)
        Values(
            sample_id=names, path=names, part=object_array(["cv"] * y.size),
            fold=np.array([int(name[1:]) % 3 for name in group]), target=y, value=value, low=value - 0.2,
            high=value + 0.2, level=0.9, group=object_array(group), baselines={"mean": np.full(y.size, 0.5)},
        ).take(order).write(out / "predictions.parquet")  # fmt: skip

    def predict(run: Path, images: Path, out: Path, _: Any, __: Any) -> None:
        calls.append(f"predict {run.name}")
        out.mkdir(parents=True)
        path, y, _group = truth(images)
        value = y + np.random.default_rng(3).normal(0, ERRORS.get(run.name, TUNED), y.size)
        decided = {"novelty": [0.5] * y.size, "decision": ["accept"] * y.size, "reason": [""] * y.size}
        with Shards(out, VALUE_SCHEMA) as shards:
            limits = (value - 0.2, value + 0.2)
            shards.write(value_block(path, ["0"] * y.size, value, limits, 0.9, decided | {"nearest": [[]] * y.size}))

    for name, verb in (("phantom", phantom), ("orientation", orientation), ("train", train), ("predict", predict)):
        monkeypatch.setattr(nanowires, name, verb)
    return calls


def test_a_study_on_drawn_pictures_is_scored_on_new_specimens(called: list[str], tmp_path: Path) -> None:
    found = study_nanowires(tmp_path / "out", SMALL)
    assert called[:2] == ["phantom training 0", "phantom new 1"]
    assert called[4:] == [*(f"train {name}" for name in ERRORS), *(f"predict {name}" for name in ERRORS)]
    assert [(part["name"], part["n"], part["n_groups"]) for part in found["parts"]] == [
        ("cross-validated", 36, 12),
        ("new", 30, 10),
    ]
    for part in found["parts"]:
        by_name = {row["name"]: row for row in part["methods"]}
        assert part["methods"][0]["name"] == "orientation"
        assert by_name["orientation"]["mae"]["value"] == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.4)
        assert by_name["orientation"]["ratio"]["lgo_fiji"]["value"] < 0.5
        assert by_name["lgo_calibrated"]["mae"]["value"] < by_name["lgo"]["mae"]["value"]
        assert by_name["network"]["limits"]["coverage"] < by_name["orientation"]["limits"]["coverage"]
    written = json.loads((tmp_path / "out" / "study.json").read_text())
    assert written["parts"] == json.loads(json.dumps(found["parts"]))
    assert written["command"].startswith("graticule study nanowires --out ")
    assert "New specimens, scored once" in (tmp_path / "out" / "study.html").read_text()


@pytest.mark.parametrize("installed", [True, False])
def test_the_network_itself_is_trained_where_torch_is_installed(
    called: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    monkeypatch.setattr(nanowires, "find_spec", lambda name: object() if installed else None)
    found = study_nanowires(tmp_path / "out", replace(SMALL, finetune="auto"))
    assert ("train finetuned" in called, "predict finetuned" in called) == (installed, installed)
    for part in found["parts"]:
        assert (part["methods"][0]["name"] == "finetuned") == installed
    page = (tmp_path / "out" / "study.html").read_text()
    assert ("the network itself, fine-tuned" in page) == installed


def test_a_study_on_own_pictures_is_cross_validated_alone(called: list[str], tmp_path: Path) -> None:
    draw(tmp_path / "own", 12, 3, 7)
    found = study_nanowires(tmp_path / "out", replace(SMALL, data=tmp_path / "own"))
    assert called == ["orientation own", *(f"train {name}" for name in ERRORS)]
    assert [part["name"] for part in found["parts"]] == ["cross-validated"]
    assert found["floors"] == {"cross-validated": {}}


def test_data_that_are_no_folder_are_refused_and_nothing_is_left(called: list[str], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is no folder"):
        study_nanowires(tmp_path / "out", replace(SMALL, data=tmp_path / "none"))
    assert called == []
    assert not (tmp_path / "out").exists()
