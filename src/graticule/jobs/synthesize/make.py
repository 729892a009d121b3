"""`graticule synthesize DATA --classes ...`: generators learn the rare kinds, and what they make is judged."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from safetensors.numpy import save

from graticule import __version__
from graticule.arrays import Float32Array, IntArray, Pixels, object_array
from graticule.features.samples import sorted_by_path
from graticule.files import own_folder, write_bytes
from graticule.images.preprocess import fit
from graticule.jobs.options import SynthesizeOptions
from graticule.jobs.synthesize.check import write_judgement
from graticule.jobs.synthesize.judge import judge_images, judging_encoder, real_images
from graticule.jobs.synthesize.material import Material, check_classes, drawn_rows, gather
from graticule.jobs.synthesize.use import with_use
from graticule.manifest import Manifest, escape_path
from graticule.networks.session import Network
from graticule.options import check_outside, number_of
from graticule.progress import Reporter, Silent
from graticule.runs import output_folder, package_versions, utc_now, write_json
from graticule.split.parents_table import write_parents
from graticule.synthesis.canvas import cut_out, grey_canvas
from graticule.synthesis.copies import LEAST_PARENTS, FromGenerator, copied_as_a_set, copied_one_by_one
from graticule.synthesis.distance import comparable
from graticule.synthesis.generator.checkpoints import Checkpoint, Learner, learn_until_copying
from graticule.synthesis.generator.linear import Canvases, LinearGenerator
from graticule.synthesis.generator.plan import ALL, GeneratorPlan, plan_generators
from graticule.synthesis.likeness import ClassModel, class_model
from graticule.synthesis.verdict import COPIES_BORNE, SET_LEVEL, SINGLE_LEVEL

# images of a class that are looked at at a checkpoint
_LOOKED_AT = 160
# images that are made for each of the rarest class
_AUTO = 4
# numbers that the eight symmetries of what is learnt from may take
_MOST_NUMBERS = 100_000_000


def synthesize(data: Path, out: Path, options: SynthesizeOptions, reporter: Reporter | None = None) -> dict[str, Any]:
    """Learn rare classes, draw new images of all classes, and judge them.

    A generator is trained per fold on the images of the others, so that its images may train where the fold is judged;
    one more learns from all images. Each is stopped before it copies.

    Parameters
    ----------
    data : Path
        As for `train`.
    out : Path
        Folder for images/, manifest.parquet, parents.parquet, generator/, gate.json, report.html, run.json and
        failures.csv, created.
    options : SynthesizeOptions
    reporter : Reporter, optional

    Returns
    -------
    dict
        As of `check_generated`, with "generators".

    Raises
    ------
    GraticuleError
    """
    options.check()
    options.selection()
    reporter = reporter or Silent()
    start = time.perf_counter()
    check_outside(out, data)
    real = sorted_by_path(real_images(data, None, options))
    check_classes(real, options)
    with output_folder(out, "synthesis"):
        encoder = judging_encoder(real, options, reporter)
        material = gather(real, encoder, options, reporter)
        model = class_model(material.samples.features, material.y, material.apart, seed=options.seed)
        made, told, parents = _generated(out, material, model, options, reporter)
        judged = judge_images(real, made, parents, options, reporter)
        if options.use != "none":
            reporter.step("trying whether a classifier gains")
            judged = with_use(judged, material, options)
        about = {
            "verb": "synthesize",
            "graticule_version": __version__,
            "created_utc": utc_now(),
            "command": options.command("synthesize", data, out=out),
            "images": escape_path(str((out / "images").absolute())),
            "trained_on": escape_path(str(data.absolute())),
            "options": options.to_json(),
            "packages": package_versions(),
            "parents_known": True,
            "n_generated": len(judged.made.manifest),
            "n_real": len(judged.real.manifest),
            "canvas_px": judged.side,
            "input_px": judged.input_size,
            "generators": told,
            "warnings": list(real.warnings),
        }
        gate = write_judgement(out, judged, about, options, reporter)
        write_parents(out / "parents.parquet", parents)
        write_json(out / "run.json", about | {"wall_time_s": round(time.perf_counter() - start, 2)})
    return gate | {"failures": material.samples.failures, "about": about}


def _generated(
    out: Path, material: Material, model: ClassModel | None, options: SynthesizeOptions, reporter: Reporter
) -> tuple[Manifest, list[dict[str, Any]], dict[str, frozenset[str]]]:
    """Train each generator and write its images: their manifest, what run.json says, and the parents of each."""
    plans = plan_generators(material.fold, material.unit, material.y, by_group=material.by_group, seed=options.seed)
    hashes = material.samples.manifest.columns["sha256"]
    for name in ("images", "generator"):
        own_folder(out / name, new=True)
    rows: list[tuple[str, str, str]] = []
    told: list[dict[str, Any]] = []
    rarest = min(int((material.y == k).sum()) for k in material.rare)
    n = number_of(options.n) or _AUTO * rarest
    reporter.begin("training generators", len(plans))
    for done, plan in enumerate(plans, 1):
        # nothing is kept from the last, which tells whether it copies: it stops where those before did
        most = options.steps if plan.name != ALL else int(np.median([one["steps"] for one in told]))
        learner, seen, checkpoints = _learnt(material, plan, model, options, most)
        told.append(
            {
                "name": plan.name,
                "seen": len(seen),
                "steps": learner.steps,
                "checkpoints": [one.describe() for one in checkpoints],
            }
        )
        write_bytes(out / "generator" / f"{plan.name}.safetensors", save(learner.tensors()))
        rows += _written(out, plan.name, learner, material, n, np.random.default_rng((options.seed, done)))
        reporter.advance(done)
    manifest = Manifest(
        out.absolute(),
        object_array([path for path, _, _ in rows]),
        object_array([label for _, label, _ in rows]),
        {
            "origin": object_array(["synthetic"] * len(rows)),
            "generator": object_array([name for _, _, name in rows]),
        },
    )
    return manifest, told, {plan.name: frozenset(hashes[plan.seen].tolist()) for plan in plans}


def _learnt(
    material: Material, plan: GeneratorPlan, model: ClassModel | None, options: SynthesizeOptions, steps: int
) -> tuple[LinearGenerator, IntArray, list[Checkpoint]]:
    """A generator at its best checkpoint, the rows that it learnt from, and all checkpoints."""
    room = _MOST_NUMBERS // (8 * material.canvases[0].size)
    seen = drawn_rows(material, np.flatnonzero(plan.seen), room, options.seed)
    learner = LinearGenerator(
        Canvases(material.canvases[seen], material.y[seen]),
        len(material.classes),
        turned=options.turned == "yes",
        seed=options.seed,
    )
    if plan.name == ALL:
        learner.learn(steps)
        return learner, seen, []
    checkpoints = learn_until_copying(learner, steps, _looking(material, plan, model, options))
    return learner, seen, checkpoints


def _looking(
    material: Material, plan: GeneratorPlan, model: ClassModel | None, options: SynthesizeOptions
) -> Callable[[Learner], tuple[bool, float]]:
    """What is asked at a checkpoint: copies by the judge's tests, and the class by the model of the real images."""
    grey = {k: comparable(grey_canvas(material.canvases[material.y == k])) for k in material.rare}
    group = _groups(material)
    network = Network(material.encoder.model, material.encoder.output, material.encoder.device)

    def look(learner: Learner) -> tuple[bool, float]:
        copies, agreement = False, []
        for k in material.rare:
            own = material.y == k
            rng = np.random.default_rng((options.seed, k))
            drawn = learner.draw(np.full(_LOOKED_AT, k), rng)
            one = FromGenerator(comparable(grey_canvas(drawn)), grey[k], plan.seen[own], material.unit[own], group[own])
            if len(np.unique(material.unit[own & plan.seen])) >= LEAST_PARENTS:
                as_set, each = copied_as_a_set([one], seed=options.seed), copied_one_by_one([one])
                copies |= as_set.p < SET_LEVEL or (each.low > COPIES_BORNE and each.p < SINGLE_LEVEL)
            if model is not None:
                pictures = [fit(one, material.encoder.preprocessing) for one in _cut(drawn, k, material, rng)]
                agreement.append(float((model.names(network.averaged(np.stack(pictures), 1)) == k).mean()))
        return copies, float(np.mean(agreement)) if agreement else float("nan")

    return look


def _groups(material: Material) -> IntArray:
    group = material.samples.manifest.group
    if group is None:
        return np.zeros(len(material.y), np.int64)
    return np.unique(group.astype(str), return_inverse=True)[1].astype(np.int64)


def _cut(drawn: Float32Array, k: int, material: Material, rng: np.random.Generator) -> list[Pixels]:
    """Pictures of 8 bits, each as large as a real one of its class, from the middle of the canvas."""
    own = np.flatnonzero(material.y == k)
    return [
        cut_out(canvas, int(material.heights[row]), int(material.widths[row]))
        for canvas, row in zip(drawn, rng.choice(own, len(drawn)), strict=True)
    ]


def _written(
    out: Path, name: str, learner: LinearGenerator, material: Material, n: int, rng: np.random.Generator
) -> list[tuple[str, str, str]]:
    """Draw and write n images of each class: path, label and generator. Common classes too: made is not rare."""
    rows = []
    for k, label in enumerate(material.classes):
        folder = out / "images" / name / f"class-{k + 1}"
        folder.mkdir(parents=True)
        for i, picture in enumerate(_cut(learner.draw(np.full(n, k), rng), k, material, rng)):
            file = folder / f"{i + 1:05d}.png"
            stream = io.BytesIO()
            PIL.Image.fromarray(picture).save(stream, format="PNG")
            write_bytes(file, stream.getvalue(), durable=False)
            rows.append((file.relative_to(out).as_posix(), label, name))
    return rows
