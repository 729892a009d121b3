"""Run folders that were forged or damaged: the verbs that read them end with one error, never with a traceback."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graticule.errors import GraticuleError, ManifestError, RunError
from graticule.jobs.compare import compare
from graticule.jobs.label_errors import label_errors
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.manifest import METADATA_KEY
from graticule.predictions import read_predictions
from graticule.report.any_run import report

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, shared_graphs: Path) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    for kind, level in (("dark", 70), ("light", 120)):
        (folder / "data" / kind).mkdir(parents=True)
        for i in range(20):
            pixels = rng.normal(level, 40, (24, 24)).clip(0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(folder / "data" / kind / f"{i}.png")
    (folder / "cache").mkdir()
    (folder / "cache" / "graphs").symlink_to(shared_graphs, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRATICULE_CACHE", str(folder / "cache"))
        options = TrainOptions(views=1, head="logistic", folds=3, test_size=0.2, workers=1)
        train(folder / "data", folder / "run", options)
    return folder / "run"


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def changed(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def first(table: pa.Table, name: str, value: Any) -> pa.Table:
    return changed(table, name, [value, *table[name].to_pylist()[1:]])


TABLES: dict[str, Change] = {
    "a label of no class": lambda t: first(t, "label", "other"),
    "no label": lambda t: first(t, "label", None),
    "numbers as labels": lambda t: changed(t, "label", list(range(len(t)))),
    "a part that is none": lambda t: first(t, "part", "tset"),
    "a fold below -1": lambda t: first(t, "fold", -9),
    "folds that are no numbers": lambda t: changed(t, "fold", ["a"] * len(t)),
    "a missing fold": lambda t: first(t, "fold", None),
    "a score of 7": lambda t: first(t, "p_dark", 7.0),
    "a score below 0": lambda t: first(t, "p_dark", -0.5),
    "scores that are texts": lambda t: changed(t, "p_dark", ["x"] * len(t)),
    "scores that are lists": lambda t: changed(t, "p_dark", [[0.5]] * len(t)),
    "a sample twice": lambda t: first(t, "sample_id", t["sample_id"][1].as_py()),
    "a path that is none": lambda t: first(t, "path", None),
    "a column twice": lambda t: t.append_column("path", t["path"]),
    "no scores": lambda t: t.drop_columns(["p_dark", "p_light"]),
    "no parts": lambda t: t.drop_columns(["part"]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_scores(run: Path, kind: str) -> None:
    file = run / "predictions.parquet"
    pq.write_table(TABLES[kind](pq.read_table(file)), file)
    with pytest.raises(RunError, match="predictions"):
        read_predictions(file)
    with pytest.raises(RunError):
        report(run)


@pytest.mark.parametrize(
    "about",
    [
        b"{",
        b"[" * 50_000,
        b"[]",
        b'{"root": 3, "warnings": []}',
        b'{"root": "/a"}',
        b'{"root": "/a", "warnings": [{}]}',
        b'{"root": "\\\\q", "warnings": []}',
    ],
)
def test_notes_of_a_manifest(run: Path, about: bytes) -> None:
    file = run / "manifest.parquet"
    pq.write_table(pq.read_table(file).replace_schema_metadata({METADATA_KEY: about}), file)
    with pytest.raises(ManifestError):
        report(run)


def places(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document, everything but single numbers in long lists."""
    yield place
    inside: Any = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        inside = list(enumerate(document))[:2]
    for name, value in inside:
        yield from places(value, (*place, name))


def replaced(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A document with another value at a place, or without the entry where the value is `...`."""
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    if len(place) == 1 and value is ...:
        del copy[place[0]]
    else:
        copy[place[0]] = replaced(document[place[0]], place[1:], value)
    return copy


@pytest.mark.parametrize("name", ["metrics.json", "run.json", "decisions.json"])
def test_documents_changed_anywhere(run: Path, name: str, tmp_path: Path) -> None:
    """Every verb ends well or with an error for the user; nothing else, whatever is changed."""
    honest = json.loads((run / name).read_text())
    other = Path(shutil.copytree(run, tmp_path / "other"))
    rng, spots = random.Random(0), list(places(honest))[1:]
    for i, place in enumerate(rng.sample(spots, min(len(spots), 12))):
        value = rng.choice([..., None, [], {}, "x", -1, 10**18, 0.5, True, [[]], {"a": 1}])
        (run / name).write_text(json.dumps(replaced(honest, place, value)))
        for verb in (
            lambda: report(run),
            lambda i=i: compare(run, other, tmp_path / f"compared-{i}") if i % 3 == 0 else None,
            lambda i=i: label_errors(run, tmp_path / f"errors-{i}") if name == "run.json" and i < 3 else None,
        ):
            try:
                verb()
            except GraticuleError:
                continue


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b'{"a": NaN}', b"\xff", b'{"n": 1, "n": 2}'])
@pytest.mark.parametrize("name", ["metrics.json", "run.json", "decisions.json"])
def test_documents_that_are_none(run: Path, name: str, content: bytes) -> None:
    (run / name).write_bytes(content)
    with pytest.raises(RunError, match=name):
        report(run)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["dark", "dark"]},
        {"classes": []},
        {"classes": "dark"},
        {"per_class": {}},
        {"per_class": []},
        {"confusion": [[1, 2]]},
        {"confusion": [[1, 2], [3, "x"]]},
        {"confusion": [[1, 2], [3, -4]]},
        {"confusion": 5},
        {"n": "many"},
    ],
    ids=str,
)
def test_the_frame_of_the_figures(run: Path, change: dict[str, Any]) -> None:
    document = json.loads((run / "metrics.json").read_text())
    (run / "metrics.json").write_text(json.dumps(document | change))
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        report(run)


def test_splits_without_their_columns(run: Path) -> None:
    from graticule.label_errors.judged import _parts

    pq.write_table(pa.table({"sample_id": ["a"]}), run / "splits.parquet")
    with pytest.raises(RunError, match="splits"):
        _parts(run)
