"""The cues of every data set: none that is constant or the label itself, planted ones found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.audit.test_shortcuts import CLASSES, texts

from graticule.audit.shortcuts import ADVICE, find_shortcuts
from graticule.audit.standard_cues import ImageFacts, standard_cues
from graticule.images.cues import BORDER, MARKS, N_CUES


def facts_of(n: int, rng: np.random.Generator) -> ImageFacts:
    nothing = texts([""] * n)
    full = np.full(n, 64.0)
    measured = rng.normal(size=(n, N_CUES))
    return ImageFacts(full, full, full / 8, full / 64, nothing, nothing, nothing, full * np.nan, measured, full)


def test_standard_cues_leave_out_what_is_constant_or_the_label_itself() -> None:
    rng = np.random.default_rng(10)
    label = texts(["basophil"] * 10 + ["platelet"] * 10)
    folder = texts([f"{part}/01_{name.title()}" for part, name in zip(["train", "val"] * 10, label, strict=True)])
    specimen = texts([f"s{i // 5}" for i in range(20)])
    facts = facts_of(20, rng)
    cues, notes = standard_cues(facts, label, folder=folder, columns={"specimen": specimen, "site": texts(["x"] * 20)})
    names = [cue.name for cue in cues]
    assert "folder" in names
    assert set(next(cue for cue in cues if cue.name == "folder").values) == {"train", "val"}
    assert not {"bit depth", "site", "specimen", "image size", "pixel size", "file day", "file format"} & set(names)
    assert {"border", "thumbnail", "brightness", "info bar"} <= set(names)
    assert any("each specimen holds one class" in note for note in notes)
    assert all(cue.remedy in ADVICE for cue in cues)
    only_label, _ = standard_cues(facts, label, folder=label)
    assert "folder" not in [cue.name for cue in only_label]


def test_standard_cues_find_planted_acquisition_and_border() -> None:
    rng = np.random.default_rng(11)
    n = 90
    y = np.repeat([0, 1, 2], 30)
    facts = facts_of(n, rng)
    facts.measured[y == 0, BORDER] += 5
    facts = replace(facts, bits=np.where(y == 2, 16.0, 8.0), pixel_size_nm=np.where(y == 1, np.nan, 20.0))
    columns = {"pixel_size_nm": texts(["40" if k == 1 else "" for k in y]), "day": texts(["mon", "tue"] * 45)}
    cues, _ = standard_cues(facts, texts([CLASSES[k] for k in y]), columns=columns)
    found = find_shortcuts(cues, y, CLASSES, None)
    named = {shortcut.cue: shortcut.class_ for shortcut in found.flagged}
    assert named == {"border": "a", "bit depth": "c", "pixel size": "b"}
    assert {shortcut.nature for shortcut in found.flagged if shortcut.cue == "border"} == {"picture"}


def test_marks_are_a_cue_unless_they_are_masked() -> None:
    rng = np.random.default_rng(12)
    y = np.repeat([0, 1], 40)
    facts = facts_of(80, rng)
    facts.measured[:, MARKS] = 0.0
    label = texts([CLASSES[k] for k in y])
    assert "burnt-in marks" not in [cue.name for cue in standard_cues(facts, label)[0]]
    facts.measured[:, MARKS] = np.column_stack([np.ones(80), np.where(y == 1, 0.01, 0.0), np.zeros(80)])
    found = find_shortcuts(standard_cues(facts, label)[0], y, CLASSES, None)
    (marks,) = [shortcut for shortcut in found.flagged if shortcut.cue == "burnt-in marks"]
    assert marks.nature == "acquisition"
    assert marks.accuracy == pytest.approx(1.0)
    assert "--marks mask" in marks.advice
    masked, notes = standard_cues(facts, label, masked=True)
    assert "burnt-in marks" not in [cue.name for cue in masked]
    assert any("--marks mask" in note for note in notes)
