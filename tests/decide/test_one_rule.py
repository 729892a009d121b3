"""One acceptance rule: the report, the bundle, predict, evaluate, compare and review say and do the same."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.jobs.drawn import KINDS, Drawn

from graticule.bundle import read_bundle, write_bundle
from graticule.decide.acceptance import find_rule
from graticule.decide.evidence import Evidence
from graticule.decide.judge import Judge
from graticule.decide.options import DecisionOptions
from graticule.decide.rule import Rule
from graticule.errors import BundleError
from graticule.jobs.compare import compare
from graticule.jobs.evaluate import evaluate
from graticule.jobs.label_errors import label_errors
from graticule.jobs.options import EvaluateOptions, PredictOptions
from graticule.jobs.predict import predict
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.progress import Silent
from graticule.review.subject import read_subject

SETTINGS = [
    {"seed": 7, "groups": 150, "calibration": 0.4},
    {"seed": 3, "groups": 24, "calibration": 0.0},
    {"seed": 11, "groups": 0, "calibration": 0.4},
    {"seed": 5, "groups": 0, "calibration": 0.0},
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """450 pictures."""
    return Drawn(tmp_path_factory.mktemp("drawn") / "images", 450)


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda s: "-".join(f"{k}{v}" for k, v in s.items()))
def trained(
    request: pytest.FixtureRequest, drawn: Drawn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path]]:
    """A run with a held-out part, and its table; the verbs read drawn features meanwhile."""
    folder, setting = tmp_path_factory.mktemp("one-rule"), request.param
    drawn.draw(setting["seed"])
    table = drawn.table(f"{folder.name}.csv", groups=setting["groups"], wrong=40)
    options = TrainOptions(
        head="logistic",
        folds=3,
        test_size=0.2,
        calibration=setting["calibration"],
        seed=setting["seed"],
        near_duplicates="exact",
    )
    with pytest.MonkeyPatch.context() as patch, drawn.instead_of_pixels():
        patch.setenv("GRATICULE_CACHE", str(folder / "cache"))
        train(table, folder / "run", options)
        yield folder / "run", table


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_the_rule_of_the_report_is_the_rule_of_every_verb(trained: tuple[Path, Path], tmp_path: Path) -> None:
    run, table = trained
    decisions, record = _read(run / "decisions.json"), _read(run / "run.json")
    rule = decisions["acceptance"]["rule"]
    assert rule["seed"] == record["seed"]
    assert read_bundle(run / "model").info.thresholds == rule
    said = predict(run, table, tmp_path / "answers")["acceptance"]
    assert said == rule | {"threshold": dict(zip(KINDS, rule["threshold"], strict=True))}
    judged = evaluate(run, table, tmp_path / "evaluation", EvaluateOptions())["decisions"]
    assert judged["acceptance"]["rule"] == rule
    compared = compare(run, tmp_path / "evaluation", tmp_path / "compared")
    assert rule["status"] in (tmp_path / "compared" / "compare.html").read_text()
    shown = [side["acceptance"] for side in compared["runs"]]
    assert [side["rule"] for side in shown] == [rule, rule]
    assert shown[0]["coverage"] == decisions["acceptance"]["coverage"]
    page = (run / "report.html").read_text()
    for threshold in (t for t in rule["threshold"] if t is not None):
        assert re.search(rf"Accepted above a score of {threshold:.3f}", page)


def test_what_is_accepted_of_the_evidence_and_the_held_out_part_is_what_the_report_counts(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    run, table = trained
    decisions = _read(run / "decisions.json")
    splits = pq.read_table(run / "splits.parquet").to_pydict()
    part = dict(zip(splits["sample_id"], splits["part"], strict=True))
    manifest = pq.read_table(run / "manifest.parquet").to_pydict()
    parts = {Path(p).name: part[i] for p, i in zip(manifest["path"], manifest["sample_id"], strict=True)}
    predict(run, table, tmp_path / "answers")
    rows = pq.read_table(tmp_path / "answers" / "predictions-00000.parquet").to_pylist()
    rule = Rule.from_json(decisions["acceptance"]["rule"], 3)
    if decisions["evidence"]["source"] == "calibration part":
        scores = np.array([[row[f"p_{k}"] for k in KINDS] for row in rows if _part(parts, row) == "calibration"])
        assert rule.accepts(scores).sum() == rule.accepted
    else:
        items = read_subject(run, Silent()).items
        assert (items.decision == "accept").sum() == rule.accepted
    test = decisions["test"]
    for name in ("accept", "review", "reject"):
        found = sum(row["decision"] == name and _part(parts, row) == "test" for row in rows)
        assert found == test["decisions"][name]["n"], name
    held_out = table.with_name(f"held-out-{table.name}")
    names = {name for name, own in parts.items() if own == "test"}
    lines = [line for line in table.read_text().splitlines() if Path(line.split(",")[0]).name in names]
    held_out.write_text("\n".join([table.read_text().splitlines()[0], *lines]) + "\n")
    again = evaluate(run, held_out, tmp_path / "again", EvaluateOptions())["decisions"]
    for name in ("n", "decisions", "acceptance", "novelty"):
        assert again[name] == test[name], name
    for mine, theirs in zip(again["sets"], test["sets"], strict=True):
        assert {key: mine[key] for key in theirs} == theirs


def test_the_labels_that_look_wrong_in_the_report_are_those_that_are_listed(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    run, _ = trained
    told, listed = _read(run / "decisions.json")["labels"], label_errors(run, tmp_path / "suspects")
    assert told["n_suspected"] == listed["n_listed"]
    assert told["n_suspected"] > 0
    assert {name: told[name] for name in ("low", "high")} == {n: listed["wrong_labels"][n] for n in ("low", "high")}
    assert told["share"] == listed["wrong_labels"]["value"]
    calibration, metrics = _read(run / "decisions.json")["calibration"]["after"], _read(run / "metrics.json")
    assert calibration["ece"]["value"] == pytest.approx(metrics["ece"]["value"], abs=1e-12)
    for name in ("log_loss", "brier"):
        assert calibration[name] == pytest.approx(metrics[name]["value"], abs=1e-12)


def _part(parts: dict[str, str], row: dict[str, Any]) -> str:
    return parts[Path(row["path"]).name]


@pytest.mark.parametrize(
    "asked",
    [
        {"target_accuracy": 0.9},
        {"target_accuracy": 0.9, "confidence": 0.8, "per_class": True},
        {"target_accuracy": 0.9, "prevalence": "mix.csv"},
    ],
    ids=["target", "per class", "mix"],
)
def test_another_rule_that_is_asked_for_is_found_with_the_stored_seed(
    trained: tuple[Path, Path], asked: dict[str, Any], tmp_path: Path
) -> None:
    run, table = trained
    mix = None
    if "prevalence" in asked:
        file, mix = tmp_path / "mix.csv", np.array([0.5, 0.3, 0.2])
        with file.open("w", newline="") as stream:
            csv.writer(stream).writerows([("class", "share"), *zip(KINDS, mix.tolist(), strict=True)])
        asked = asked | {"prevalence": str(file)}
    options = PredictOptions(**asked)
    said = predict(run, table, tmp_path / "answers", options)["acceptance"]
    judged = evaluate(run, table, tmp_path / "evaluation", EvaluateOptions(**asked))["decisions"]
    rule = judged["acceptance"]["rule"]
    assert said["threshold"] == dict(zip(KINDS, rule["threshold"], strict=True))
    bundle = read_bundle(run / "model")
    evidence = Evidence.unpack(bundle.reference)
    assert evidence is not None
    seed = _read(run / "run.json")["seed"]
    expected = find_rule(
        evidence,
        options.target_accuracy,
        options.confidence,
        per_class=options.per_class,
        prevalence=mix,
        seed=seed,
    )
    assert rule == json.loads(json.dumps(expected.to_json()))


def test_a_bundle_without_a_stored_seed_predicts_as_before(trained: tuple[Path, Path], tmp_path: Path) -> None:
    bundle = read_bundle(trained[0] / "model")
    assert bundle.info.thresholds is not None
    # an earlier version stored thresholds that no verb read
    other = {name: value for name, value in bundle.info.thresholds.items() if name != "seed"} | {"threshold": [0.1] * 3}
    write_bundle(tmp_path / "old", replace(bundle, info=bundle.info.model_copy(update={"thresholds": other})))
    judge = Judge(read_bundle(tmp_path / "old"), DecisionOptions())
    assert judge.evidence is not None
    assert judge.rule is not None
    assert judge.rule.to_json() == find_rule(judge.evidence, seed=0).to_json()


def test_the_seed_matters_where_images_are_drawn_from_groups(drawn: Drawn) -> None:
    rng = np.random.default_rng(0)
    score = 0.5 + 0.5 * rng.beta(4, 0.35, 3000)
    right = rng.random(3000) < score
    proba = np.column_stack([score, 1 - score])
    evidence = Evidence(proba, proba, (~right).astype(int), np.full(3000, -1), np.arange(3000) // 3, True, False)
    found = {find_rule(evidence, 0.95, seed=seed).threshold[0] for seed in range(4)}
    assert len(found) > 1


@pytest.mark.parametrize(
    "damage",
    [
        {"threshold": [0.5, 0.5]},
        {"threshold": [0.5, 0.5, "much"]},
        {"threshold": [0.5, 0.5, float("nan")]},
        {"status": "certain"},
        {"seed": -1},
        {"limits": [0.1]},
        {"n": None},
    ],
)
def test_a_stored_rule_that_is_none_is_refused(damage: dict[str, Any]) -> None:
    fine = {
        "threshold": [0.5, None, 0.7],
        "status": "estimated",
        "target": 0.99,
        "confidence": 0.95,
        "per_class": False,
        "n": 10,
        "accepted": 5,
        "errors": 0,
        "words": "",
        "limits": None,
        "seed": 0,
    }
    assert Rule.from_json(fine, 3).to_json() == fine
    with pytest.raises(BundleError, match="acceptance rule"):
        Rule.from_json(fine | damage, 3)
