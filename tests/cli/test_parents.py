"""Synthetic images and their parents from the command line: mixtures of real images as somebody would bring them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq
import pytest
from tests.cli.test_leaks import CLASSES, N, speckle

from graticule.jobs.review import open_review

FOLDS, MADE = 3, 4
# of images that no gate judged
USE = ("--allow-unproven",)
Run = Callable[..., Any]


def mixtures(folder: Path, real: list[Path], generator: str, seed: int) -> list[str]:
    """Rows of images that are means of two of the real ones of a class."""
    rng, rows = np.random.default_rng(seed), []
    for name in CLASSES:
        own = [file for file in real if file.parent.name == name]
        for i in range(MADE // 2):
            a, b = (np.asarray(PIL.Image.open(own[j]), float) for j in rng.choice(len(own), 2, replace=False))
            made = f"made/{generator}-{name}-{i}.png"
            PIL.Image.fromarray(((a + b) / 2).astype(np.uint8)).save(folder / made)
            rows.append(f"{made},{name},synthetic,{generator}")
    return rows


def sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real images, and mixtures: by "every" of all of them, by "0", "1" and "2" of those outside of a third each."""
    folder = tmp_path_factory.mktemp("parents")
    (folder / "made").mkdir()
    real = []
    for k, name in enumerate(CLASSES):
        (folder / name).mkdir()
        for i in range(N):
            real.append(folder / name / f"{i:02d}.png")
            PIL.Image.fromarray(speckle(k, 400 + i)).save(real[-1])
    rows = [f"{file.relative_to(folder)},{file.parent.name},real," for file in real]
    header = "path,label,origin,generator\n"
    seen = {str(f): [file for i, file in enumerate(real) if i % FOLDS != f] for f in range(FOLDS)}
    crossed = [row for f in range(FOLDS) for row in mixtures(folder, seen[str(f)], str(f), f)]
    (folder / "crossed.csv").write_text(header + "\n".join([*rows, *crossed]) + "\n")
    (folder / "mixed.csv").write_text(header + "\n".join([*rows, *mixtures(folder, real, "every", 9)]) + "\n")
    table = [f"{name},{sha(file)}" for name, own in (seen | {"every": real}).items() for file in own]
    (folder / "known.csv").write_text("generator,sha256\n" + "\n".join(table) + "\n")
    return folder


def test_mixtures_of_all_images_are_refused_with_and_without_their_parents(
    folder: Path, graticule: Run, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    silent = graticule("train", folder / "mixed.csv", "--out", tmp_path / "run", *fast, *USE, "--folds", 3)
    assert silent.code == 2
    assert "4 synthetic images (column origin) do not say which real images they were made from" in silent.err
    told = ("--parents", folder / "known.csv")
    refused = graticule("train", folder / "mixed.csv", "--out", tmp_path / "run", *fast, *USE, "--folds", 3, *told)
    assert refused.code == 2
    assert "'every': 4 images. A model that learns from them knows its exam" in refused.err
    assert not (tmp_path / "run" / "DONE").exists()


def test_generators_that_left_a_part_out_each_train_where_it_is_tested(
    folder: Path, graticule: Run, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    run = tmp_path / "run"
    outcome = graticule("train", folder / "crossed.csv", "--out", run, *fast, *USE, "--parents", folder / "known.csv")
    assert outcome.code == 0, outcome.err
    splits = pq.read_table(run / "splits.parquet").to_pylist()
    fold = {row["sample_id"]: row for row in splits}
    samples = pq.read_table(run / "manifest.parquet").to_pylist()
    for sample in samples:
        place = fold[sample["sample_id"]]
        if sample["origin"] == "real":
            assert place["fold"] == (CLASSES.index(sample["label"]) * N + int(Path(sample["path"]).stem)) % FOLDS
        else:
            assert (place["part"], place["trains_in"]) == ("synthetic", [int(sample["generator"])])
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["generators"] == {
        "parents": "known",
        "seen": {"0": 16, "1": 16, "2": 16},
        "gates": {"no gate": 12},
    }
    assert any("generator '1' saw 16 of the real images" in warning for warning in record["warnings"])
    # a model is not judged on what its generators saw, unless it saw that itself, which is told
    judged = graticule("evaluate", run, folder / "mixed.csv", "--out", tmp_path / "own")
    assert "same pixels as training images" in judged.out


def test_a_generator_may_see_all_but_the_held_out_part_and_what_it_saw_judges_nowhere(
    folder: Path, graticule: Run, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    real = [line for line in (folder / "crossed.csv").read_text().splitlines()[1:] if ",real," in line]
    made = [line for line in (folder / "crossed.csv").read_text().splitlines()[1:] if ",synthetic,0" in line]
    # rows of the third that generator 0 did not see are held out; one image that it saw is left out of training
    rows = [f"{line},{'test' if i % FOLDS == 0 else 'train'}" for i, line in enumerate(real) if i != 1]
    table = folder / "held.csv"
    table.write_text("path,label,origin,generator,split\n" + "\n".join([*rows, *(f"{m},train" for m in made)]) + "\n")
    run = tmp_path / "run"
    options = (*fast, *USE, "--folds", 1, "--parents", folder / "known.csv")
    outcome = graticule("train", table, "--out", run, *options)
    assert outcome.code == 0, outcome.err
    assert "since nothing that it saw is tested" in outcome.out
    (folder / "left.csv").write_text("path,label\ncoarse/01.png,coarse\nfine/00.png,fine\n")
    refused = graticule("evaluate", run, folder / "left.csv", "--out", tmp_path / "left")
    assert refused.code == 2
    assert "1 of 2 images were seen by the generator" in refused.err
    assert "'coarse/01.png'" in refused.err


def test_what_is_only_said_is_stamped_and_what_is_not_known_is_not_compared(
    folder: Path, graticule: Run, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    said, plain = tmp_path / "said", tmp_path / "plain"
    options = (*fast, *USE, "--folds", 3, "--parents", "none")
    assert graticule("train", folder / "mixed.csv", "--out", said, *options).code == 0
    assert "Synthetic images whose parents are not known" in (said / "report.html").read_text("utf-8")
    rows = (folder / "mixed.csv").read_text().splitlines()
    (folder / "real.csv").write_text("\n".join(row for row in rows if "synthetic" not in row) + "\n")
    assert graticule("train", folder / "real.csv", "--out", plain, *options).code == 0
    assert "whose parents are not known" not in (plain / "report.html").read_text("utf-8")
    compared = graticule("compare", plain, said)
    assert compared.code == 0
    assert "was said (--parents none), not shown" in compared.out
    # a run of a version that did not ask
    record = json.loads((said / "run.json").read_text("utf-8"))
    del record["generators"]
    (said / "run.json").write_text(json.dumps(record))
    refused = graticule("compare", plain, said)
    assert refused.code == 2
    assert "trained with 4 synthetic images, and it is not known" in refused.err


@pytest.fixture(scope="module")
def apart(folder: Path) -> tuple[Path, Path]:
    """Real images alone, and the synthetic ones of three generators in a folder of their own."""
    rows = [line.split(",") for line in (folder / "crossed.csv").read_text().splitlines()[1:]]
    (folder / "real.csv").write_text("path,label\n" + "".join(f"{r[0]},{r[1]}\n" for r in rows if r[2] == "real"))
    made = folder.with_name(f"{folder.name}-synth")  # not below the data
    (made / "images").mkdir(parents=True)
    lines = ["path,label,origin,generator,gate"]
    for path, label, origin, generator in rows:
        if origin == "synthetic":
            (made / "images" / Path(path).name).write_bytes((folder / path).read_bytes())
            gate = "refused" if path.endswith("0-coarse-0.png") else "accepted"
            lines.append(f"images/{Path(path).name},{label},synthetic,{generator},{gate}")
    (made / "manifest.csv").write_text("\n".join(lines) + "\n")
    (made / "parents.csv").write_bytes((folder / "known.csv").read_bytes())
    (made / "DONE").write_text("")
    return folder / "real.csv", made


def test_accepted_images_of_another_folder_train_silently_and_refused_ones_never(
    apart: tuple[Path, Path], graticule: Run, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    real, made = apart
    run, plain = tmp_path / "run", tmp_path / "plain"
    outcome = graticule("train", real, "--out", run, *fast, "--synthetic", made)
    assert outcome.code == 0, outcome.err
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["generators"]["gates"] == {"accepted": 11}
    assert "1 synthetic images were left out, since their gate refused them" in outcome.out
    page = (run / "report.html").read_text("utf-8")
    assert "Synthetic images whose use is not shown" not in page
    assert "are not copies of the real images" in page
    assert "anonym" not in page.lower()
    bundle = json.loads((run / "model" / "bundle.json").read_text("utf-8"))
    assert bundle["synthetic"] == {"accepted": 11}
    card = (run / "model" / "MODEL_CARD.md").read_text("utf-8")
    assert "11 are synthetic (gate: accepted 11)." in card
    assert "--allow-unproven" not in card
    # the real images are what they are without the others, so that the two runs can be paired
    assert graticule("train", real, "--out", plain, *fast, "--folds", 3).code == 0
    assert graticule("compare", plain, run).code == 0
    assert graticule("evaluate", run, real, "--out", tmp_path / "judged").code == 0
    assert graticule("label-errors", run, "--out", tmp_path / "errors").code == 0
    with open_review(run, str(tmp_path / "labels.db")) as review:
        assert len(review.desk.items) == 2 * N
        assert all(file.is_file() for file in review.pictures.training)
    # a run's own table names the same files
    again = graticule(
        "train", run / "manifest.parquet", "--out", tmp_path / "again", *fast, "--parents", made / "parents.csv"
    )
    assert again.code == 0, again.err


def test_unproven_images_must_be_allowed_and_stamp_report_model_and_comparison(
    apart: tuple[Path, Path], graticule: Run, fast: tuple[str, ...], tmp_path: Path, warm_cache: Path
) -> None:
    real, made = apart
    other = made.with_name("unproven")
    other.mkdir()
    (other / "images").symlink_to(made / "images")
    (other / "parents.csv").symlink_to(made / "parents.csv")
    rows = (made / "manifest.csv").read_text().replace("accepted", "no gain shown", 4)
    (other / "manifest.csv").write_text(rows)
    options = (*fast, "--synthetic", other)
    refused = graticule("train", real, "--out", tmp_path / "no", *options)
    assert "4 of 12 synthetic images were not accepted by a gate (no gain shown: 4)" in refused.message()
    run, plain = tmp_path / "run", tmp_path / "plain"
    assert graticule("train", real, "--out", run, *options, "--allow-unproven").code == 0
    words = "4 synthetic images that no gate accepted (no gain shown: 4)"
    assert words in (run / "report.html").read_text("utf-8")
    assert words in (run / "model" / "MODEL_CARD.md").read_text("utf-8").replace("\n", " ")
    assert graticule("train", real, "--out", plain, *fast, "--folds", 3).code == 0
    assert words in graticule("compare", plain, run).out
    judged = graticule("evaluate", run, real, "--out", tmp_path / "judged")
    assert words in " ".join(judged.out.split())
    number = graticule("train", real, "--out", tmp_path / "no", "--target", "label", "--synthetic", other)
    assert "a generated image has no number to learn" in number.message()
