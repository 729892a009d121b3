"""The page of an audit: complete, self-contained, faithful to its document, inert for any name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from graticule.audit.document import Advice, AuditDocument, Harm
from graticule.audit.rules import recommend
from graticule.errors import ImageError
from graticule.report.audit.content import audit_verdict
from graticule.report.audit.page import render_audit
from graticule.report.audit.pictures import (
    FAMILIES,
    PER_CLASS,
    STRIP,
    AuditPictures,
    examples_each,
)
from graticule.report.thumbnails import ReadRgb

Parse = Callable[[str], Any]


def read(file: Path) -> NDArray[np.uint8]:
    if file.suffix == ".broken":
        raise ImageError(str(file), "the file ends early")
    return np.asarray(PIL.Image.open(file).convert("RGB"))


def page_of(document: dict[str, Any], read: ReadRgb, file_of: Callable[[str], Path | None]) -> str:
    return render_audit(AuditDocument.model_validate(document), read, file_of)


class Data:
    """Small real files and a document about them."""

    def __init__(self, root: Path, parse: Parse, classes: tuple[str, ...] = ("fibre", "plate", "sphere")) -> None:
        rng = np.random.default_rng(0)
        self.root = root
        self.parse = parse
        self.classes = classes
        self.paths = [f"folder {k}/image <{i}>.png" for k in range(len(classes)) for i in range(8)]
        for path in self.paths:
            (root / path).parent.mkdir(exist_ok=True)
            PIL.Image.fromarray(rng.integers(0, 255, (50, 60, 3), dtype=np.uint8)).save(root / path)
        self.reads: list[Path] = []

    def read(self, file: Path) -> NDArray[np.uint8]:
        self.reads.append(file)
        return read(file)

    def file_of(self, path: str) -> Path | None:
        file = self.root / path
        return file if file.exists() else None

    def of(self, k: int) -> list[str]:
        return self.paths[8 * k : 8 * k + 8]

    def pair(self, a: int, b: int, kind: str = "near", labels: tuple[str, str] | None = None) -> dict[str, Any]:
        own = labels or (self.classes[a // 8], self.classes[b // 8])
        row = {"a": self.paths[a], "b": self.paths[b], "kind": kind, "labels": list(own)}
        return row | {"similarity": 0.97, "change": "turned by 90 degrees"}

    def family(self, *members: int, kind: str = "near", labels: tuple[str, ...] = (), complete: bool = True) -> Any:
        own = labels or tuple(self.classes[i // 8] for i in members)
        row = {"n": len(members), "kind": kind, "complete": complete, "paths": [self.paths[i] for i in members]}
        return row | {"labels": list(own), "similarity": 0.97, "changes": ["turned by 90 degrees"]}

    def clean(self) -> dict[str, Any]:
        names = self.classes
        return {
            "verb": "audit",
            "graticule_version": "0.1.0",
            "created_utc": "2026-01-02T03:04:05Z",
            "wall_time_s": 61.2,
            "command": "graticule audit grains --out audit",
            "source": "/data/grains",
            "root": str(self.root),
            "n": 300,
            "n_unlabelled": 12,
            "n_synthetic": 0,
            "classes": dict.fromkeys(names, 100),
            "groups": None,
            "sizes": [{"width": 60, "height": 50, "mode": "RGB, 8 bit", "n": 300}],
            "formats": [{"format": "PNG", "compression": "deflate", "bits": 8, "n": 300}],
            "unreadable": [],
            "duplicates": [],
            "n_duplicates": {"exact": 0, "near": 0},
            "families": [],
            "components": {"n": 0, "images": 0, "largest": None, "notes": []},
            "conflicts": [],
            "shortcuts": [],
            "associations": [],
            "leaks": [],
            "instrument": {"known": 0, "per_class": {}, "warnings": []},
            "info_bars": {"n": 0, "per_class": {}, "rows": None},
            "intensity": {"policy": "full range of the pixel type", "why": "8-bit values as they are"},
            "notes": [],
            "warnings": [],
            "examples": {name: self.of(k)[:7] for k, name in enumerate(names)},
        }

    def full(self) -> dict[str, Any]:
        one, two, *_ = self.classes
        cue = {"cue": "format", "class": one, "strength": 0.81, "low": 0.76, "high": 0.86, "measure": "cramers_v"}
        cue |= {
            "accuracy_measure": "balanced accuracy",
            "accuracy": 0.934,
            "chance": 0.5,
            "p_value": 1e-9,
            "nature": "acquisition",
        }
        weak = cue | {"cue": "border", "strength": 0.123, "low": None, "high": None, "accuracy": 0.517}
        conflict = self.pair(0, 8, labels=(one, two))
        return self.clean() | {
            "n_synthetic": 3,
            "groups": {
                "column": "lot <7>",
                "n": 41,
                "per_class": {name: 17 + k for k, name in enumerate(self.classes)},
            },
            "unreadable": [{"path": "bad <1>.tif", "error": "ends early, at <5>"}],
            "duplicates": [conflict, self.pair(1, 2), self.pair(3, 4, "exact")],
            "n_duplicates": {"exact": 1, "near": 2},
            "families": [self.family(0, 8, labels=(one, two)), self.family(1, 2), self.family(3, 4, kind="exact")],
            "components": {
                "n": 3,
                "images": 6,
                "exact": 1,
                "near": 2,
                "two_labels": {"n": 1, "images": 2, "exact": 0, "near": 1},
                "largest": {"n": 27, "share": 0.27, "class": one},
                "notes": ["27 images, 27% of class"],
            },
            "conflicts": [conflict],
            "shortcuts": [cue | {"advice": "Export all as `PNG`."}],
            "associations": [
                weak | {"words": "the border", "flagged": False},
                cue | {"words": "the format", "flagged": True},
            ],
            "leaks": [
                {"kind": "group", "parts": ["train", "test"], "what": "lot 5", "n": 12, "examples": self.of(0)[:2]}
            ],
            "instrument": {
                "known": 90,
                "per_class": {
                    one: {"n": 90, "min": 90.0, "median": 210.0, "max": 1200.0, "instruments": {"Quanta 200": 88}}
                },
                "warnings": ["3 images: pixels are not square"],
            },
            "info_bars": {"n": 30, "per_class": {one: 30}, "rows": [40, 64]},
            "marks": {
                "frames": 90,
                "n": 81,
                "masked": False,
                "per_class": {one: {"frames": 90, "n": 81, "area_outside": 0.0123, "area_inside": 0.0045}},
            },
            "notes": [{"note": "first of 3 pages", "n": 4, "examples": self.of(1)[:1]}],
            "warnings": ["2 class folders are empty: 'dust'"],
        }

    def page(self, document: dict[str, Any]) -> Any:
        return self.parse(page_of(document, self.read, self.file_of))


@pytest.fixture
def data(tmp_path: Path, parse: Parse) -> Data:
    return Data(tmp_path, parse)


def test_nothing_is_loaded_from_elsewhere(data: Data) -> None:
    assert data.page(data.full()).from_elsewhere() == []


@pytest.mark.parametrize("kind", ["full", "clean"])
def test_every_link_has_its_section(data: Data, kind: str) -> None:
    page = data.page(getattr(data, kind)())
    assert len(page.ids) == len(set(page.ids))
    assert page.targets <= set(page.ids)
    assert {attributes["aria-labelledby"] for attributes in page.all("section")} <= set(page.ids)


def test_the_policy_allows_the_one_script_and_nothing_else(data: Data) -> None:
    page = data.page(data.full())
    assert page.policy == page.strict_policy
    assert len(page.all("script")) == 1


def test_recommendations_come_first_and_whole(data: Data) -> None:
    document = data.full()
    page = data.page(document)
    advice = [item.model_dump() for item in recommend(AuditDocument.model_validate(document))]
    text = page.text
    places = [text.index(item["title"]) for item in advice]
    assert places == sorted(places)
    assert max(places) < text.index("Examples of each class")
    for item in advice:
        for key in ("why", "do"):
            assert item[key].replace("`", "") in text
    harms = [attributes["class"] for attributes in page.all("span") if attributes.get("class", "").startswith("harm ")]
    assert harms == [f"harm {item['harm']}" for item in advice]


def test_what_the_document_recommends_is_shown_as_it_is(data: Data) -> None:
    own = [{"rule": "own", "harm": "low", "title": "A title of its own", "why": "Because.", "do": "Do `this`."}]
    page = data.page(data.clean() | {"recommendations": own})
    assert "A title of its own" in page.text
    assert "Nothing found" in page.text.partition("A title")[0]


def test_every_section_tells_its_numbers(data: Data) -> None:
    text = data.page(data.full()).text.replace("\u202f", " ")
    for words in (
        "300 images before training",
        "3 classes, 12 without label, 3 synthetic",
        "41 groups (column “lot <7>”)",
        "lot 5 group train, test 12",
        "0.81",
        "Cramér's V, 0.76 to 0.86",
        "93.4 %",
        "chance 50.0 %",
        "p < 0.001",
        "how it was taken",
        "0.12",
        "51.7 %",
        "bad <1>.tif ends early, at <5>",
        "81 of 90 (90 %)",
        "1.23 %",
        "0.45 %",
        "60 × 50 RGB, 8 bit 300",
        "PNG deflate 8 300",
        "90 (90 %) 90 nm 210 nm 1.2 µm Quanta 200 (88)",
        "30 (30 %)",
        "40 to 64 rows high",
        "first of 3 pages 4",
        "27 images, 27% of class",
        "6 images in 3 families look like copies (1 identical, 2 nearly so), the largest of 27 images",
        "(27.0 % of class “fibre”)",
        "2 images in 1 family of identical or nearly identical pictures carry different labels",
        "The one under two labels stands above, the others here.",
        "2 class folders are empty: 'dust'",
        "graticule audit grains --out audit",
        "3 images: pixels are not square",
    ):
        assert words in text, words


def section_of(text: str, name: str) -> str:
    return text.partition(f'<h2 id="{name}">')[2].partition("</section>")[0]


def test_families_under_two_labels_come_first_with_their_labels(data: Data) -> None:
    text = page_of(data.full(), data.read, data.file_of)
    section = section_of(text, "conflicts")
    assert section.count("<img ") == 2
    assert re.findall(r'<figcaption><span class="label differs">([^<]*)<', section) == ["fibre", "plate"]
    assert "similarity 0.970; turned by 90 degrees" in section
    repeats = section_of(text, "duplicates")
    assert repeats.count("<img ") == 4
    assert "differs" not in repeats
    assert repeats.index("nearly identical") < repeats.index("identical pixels")
    assert text.index('<h2 id="conflicts">') < text.index('<h2 id="duplicates">')


def test_a_large_family_is_one_strip_and_the_rest_is_named(data: Data) -> None:
    members = (*range(7), *range(8, 21))
    labels = ("fibre",) * 5 + ("plate",) * 2 + ("fibre",) * 12 + ("",)
    family = data.family(*members, labels=labels, complete=False)
    counts = {"n": 1, "images": 20, "exact": 0, "near": 1}
    components = counts | {"two_labels": counts, "largest": {"n": 20, "share": 0.2, "class": "fibre"}, "notes": []}
    text = page_of(data.clean() | {"families": [family], "components": components}, data.read, data.file_of)
    section = section_of(text, "conflicts")
    assert section.count("<li><p") == 1
    assert section.count("<img ") == STRIP
    assert f"and {20 - STRIP} more" in section
    # all labels are shown, the rare ones first
    shown = re.findall(r'<figcaption><span class="label[^"]*">([^<]*)<', section)
    assert shown == ["no label", "plate", "plate", *["fibre"] * 5]
    assert all(f"image &lt;{i % 8}&gt;.png" in section for i in members)
    assert "a chain: each is nearly identical to at least one other, not every two need be" in section
    words = data.page(data.clean() | {"families": [family], "components": components}).text
    assert "20 images in 1 family" in words
    assert "fibre 17" in words
    assert "images in families" not in words


def test_many_families_are_counted_and_the_rest_named(data: Data) -> None:
    rows = [data.family(i % 8, (i + 1) % 8) for i in range(FAMILIES + 5)]
    components = {"n": 4321, "images": 9876, "exact": 0, "near": 4321, "two_labels": {"n": 0}, "notes": []}
    document = data.clean() | {"families": rows, "components": components}
    page = data.page(document)
    assert "9,876 images in 4,321 families look like copies (4,321 nearly identical)" in page.text
    assert f"The largest {FAMILIES} are shown." in page.text
    assert "5 more families, by name" in page.text
    start = next(i for i, (_, a) in enumerate(page.elements) if a.get("class") == "families")
    assert sum(tag == "img" for tag, _ in page.elements[start:]) == 2 * FAMILIES


def test_odd_names_are_inert_and_whole(tmp_path: Path, parse: Parse, odd_names: tuple[str, ...]) -> None:
    data = Data(tmp_path, parse, odd_names)
    document = data.full()
    page = data.page(document)
    assert len(page.all("script")) == 1
    assert all("onerror" not in attributes for _, attributes in page.elements)
    for name in odd_names:
        assert re.sub(r"\s+", " ", name).strip() in page.text
    assert "image <0>.png" in page.text
    assert "49" not in re.findall(r"\{\{.*?\}\}|49", page.text)


def test_odd_names_in_paths_errors_and_cues_are_inert(data: Data) -> None:
    evil = "<img src=x onerror=alert(1)>\"'`x`"
    cue = data.full()["shortcuts"][0]
    bare = {key: value for key, value in cue.items() if key != "advice"}
    document = data.full() | {
        "source": f"/data/{evil}",
        "command": f"graticule audit {evil}",
        "unreadable": [{"path": evil, "error": evil}],
        "leaks": [{"kind": evil, "parts": [evil], "what": evil, "n": 1, "examples": [evil]}],
        "shortcuts": [cue | {"cue": evil, "class": evil, "advice": evil, "nature": evil, "measure": evil}],
        "associations": [bare | {"cue": evil, "words": evil, "class": evil, "measure": evil, "flagged": True}],
        "notes": [{"note": evil, "n": 1, "examples": [evil]}],
        "warnings": [evil],
        "intensity": {"policy": evil, "why": evil},
        "conflicts": [{"a": evil, "b": evil, "kind": "near", "labels": [evil, "x"], "similarity": 0.9, "change": evil}],
        "families": [
            {"n": 12, "kind": "near", "complete": False, "paths": [evil] * 12, "labels": [evil, "x"] * 6}
            | {"similarity": 0.9, "changes": [evil]}
        ]
        * 30,
        "recommendations": [{"rule": evil, "harm": "high", "title": evil, "why": evil, "do": evil}],
    }
    page = data.page(document)
    pictures = page.all("img")
    assert all(attributes["src"].startswith("data:image/") for attributes in pictures)
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert page.text.count("<img src=x onerror=alert(1)>") > 15


def test_clean_data_say_what_was_checked(data: Data) -> None:
    page = data.page(data.clean())
    assert "Nothing found that would make a result wrong." in page.text
    for words in ("All 300 images can be read.", "No picture stands under two labels", "No two pictures are identical"):
        assert words in page.text
    assert not [attributes for attributes in page.all("span") if attributes.get("class", "").startswith("harm ")]
    for heading in ("One picture, two labels", "Leaks between parts", "Repeated pictures"):
        assert heading not in page.text


def test_a_bare_document_makes_a_page(data: Data) -> None:
    page = data.page({"n": 2, "classes": {"a": 1, "b": 1}})
    assert "2 images before training" in page.text
    assert "nan" not in page.text.lower()
    assert "Fewer than 5 images" in page.text


def test_missing_and_broken_pictures_leave_a_placeholder(data: Data) -> None:
    (data.root / "x.broken").write_bytes(b"")
    document = data.clean() | {"examples": {"fibre": [data.paths[0], "gone.png", "x.broken"]}}
    page = data.page(document)
    assert len(page.all("img")) == 1
    assert page.text.count("no picture: file not found or not readable") == 2


def test_a_picture_is_read_once(data: Data) -> None:
    data.page(data.full())
    assert data.reads
    assert len(data.reads) == len(set(data.reads))


def test_examples_grow_fewer_with_many_classes(data: Data) -> None:
    assert [examples_each(n) for n in (1, 12, 13, 80, 240, 500)] == [PER_CLASS, PER_CLASS, 3, 3, 1, 1]
    shown = AuditPictures(data.read, data.file_of).examples({"fibre": data.of(0), "plate": data.of(1)[:2]})
    assert [(name, len(cards)) for name, cards in shown] == [("fibre", PER_CLASS), ("plate", 2)]
    assert [card.path for card in shown[0][1]] == data.of(0)[:PER_CLASS]


def test_the_same_document_gives_the_same_page(data: Data) -> None:
    assert page_of(data.full(), data.read, data.file_of) == page_of(data.full(), data.read, data.file_of)


def test_light_dark_and_print(data: Data) -> None:
    text = page_of(data.full(), data.read, data.file_of)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert '<meta name="viewport"' in text


def test_the_verdict_follows_the_gravest_finding(data: Data) -> None:
    def said(*harms: Harm) -> str:
        return audit_verdict([Advice(rule="x", harm=harm, title="", why="", do="") for harm in harms])

    assert said("high", "high", "low").startswith("Mend 2 findings before training: with them")
    assert said("high").endswith("only.")
    assert "1 lesser point follows." in said("high", "low")
    assert said("medium", "low").startswith("Training is possible, but 1 finding would")
    assert said("low").startswith("Nothing found that would make a result wrong. 1 point")
    assert (
        audit_verdict(recommend(AuditDocument.model_validate(data.clean())))
        == "Nothing found that would make a result wrong."
    )
