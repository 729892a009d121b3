"""A blind test from the command line: written beside a judgement, reviewed, scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.jobs.synthesize import drawn

from graticule.jobs.review import open_review
from graticule.record.events import EventDraft
from graticule.synthesis.blind import read_truth


def test_from_the_judgement_to_the_score(graticule: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("real", "new"):
        drawn.write(tmp_path / name, getattr(drawn, name))
    drawn.parents(tmp_path / "real", tmp_path / "parents.csv")
    drawn.listed(tmp_path / "new", tmp_path / "new.csv")
    out = tmp_path / "out"
    judged = graticule(
        "synthesize", "--check", tmp_path / "new.csv", "--trained-on", tmp_path / "real", "--out", out, "--workers", 1
    )
    assert f"blind test: look at {out / 'blind-clue.html'} first, then" in judged.out
    truth = read_truth(out / "blind-truth.csv")
    store, scored = tmp_path / "blind.db", ("--truth", out / "blind-truth.csv")
    with open_review(out / "blind", str(store)) as review:
        assert len(review.desk.items) == len(truth)
        first, *others = sorted((sha for sha in truth if not truth[sha].again), key=lambda sha: truth[sha].source)
        for sha in (first, *others):
            word = truth[sha].kind if sha != first else {"real": "generated"}.get(truth[sha].kind, "real")
            review.desk.store.append(
                EventDraft("ann", "label", image_sha256=sha, path="1.png", new_value=word, blind=True)
            )
    outcome = graticule("labels", "blind", "--labels", store, *scored)
    n = len(others) + 1
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[1].startswith(f"ann     {n}      {100 * (n - 1) / n:.1f} % (")
    assert "The generated images can be told from real ones." in outcome.out
    found = json.loads(graticule("labels", "blind", "--labels", store, *scored, "--json").out)
    assert found["all"]["share"]["value"] == (n - 1) / n
    assert (
        "does not say what the images"
        in graticule("labels", "blind", "--labels", store, "--truth", tmp_path / "new.csv").message()
    )
