"""`graticule demo`: the whole way on a generated sample, offline."""

from pathlib import Path
from typing import Any

from graticule.answers import read_scored
from graticule.files import own_folder, remove_folder
from graticule.jobs.options import PredictOptions
from graticule.jobs.phantom import phantom
from graticule.jobs.predict import predict
from graticule.jobs.train.job import train
from graticule.jobs.train.options import TrainOptions
from graticule.phantoms.options import PhantomOptions
from graticule.progress import Reporter, Silent
from graticule.runs import output_folder

_TRAINING_PER_CLASS = 40
_NEW_PER_CLASS = 8
_TRAINING_SEED = 1
_NEW_SEED = 2
# powders are textures without a centre; of particles in a field of others the middle is what is asked about
_PARTICLES_PER_CLASS = 60
_PARTICLES_SEED = 4
_PARTICLES_PX = 96


def demo(out: Path, *, workers: int | None = None, reporter: Reporter | None = None) -> dict[str, Any]:
    """Draw micrographs of powders, train on them by specimen, classify new ones; then particles among others.

    Parameters
    ----------
    out : Path
        Folder to create; holds sample/, run/, new/, predictions/, particles/ and particles-run/ afterwards.
    workers : int, optional
    reporter : Reporter, optional

    Returns
    -------
    dict
        "run" (run.json with metrics), "summary" (of the predictions), "report" (path), "right" and "n_new": how many
        of the new images, all of specimens never seen, got their true class; "particles" (run.json of the second run).
    """
    reporter = reporter or Silent()
    with output_folder(out, "demo"):
        reporter.step("drawing micrographs of powders")
        phantom(
            "powder",
            out / "sample",
            PhantomOptions(n_per_class=_TRAINING_PER_CLASS, seed=_TRAINING_SEED, workers=workers),
        )
        phantom("powder", out / "drawn", PhantomOptions(n_per_class=_NEW_PER_CLASS, seed=_NEW_SEED, workers=workers))
        truth = _without_labels(out / "drawn", out / "new")
        run = train(out / "sample", out / "run", TrainOptions(workers=workers), reporter)
        options = PredictOptions(workers=workers, csv=True)
        summary = predict(out / "run", out / "new", out / "predictions", options, reporter)
        particles = _particles(out, workers, reporter)
    answers = _answers(out / "predictions")
    right = sum(answers[name] == label for name, label in truth.items())
    return {
        "run": run,
        "summary": summary,
        "report": out / "run" / "report.html",
        "right": right,
        "n_new": len(truth),
        "particles": particles,
    }


def _particles(out: Path, workers: int | None, reporter: Reporter) -> dict[str, Any]:
    """Draw particles of a flow microscope, each in the middle of a field of others, and train on them by run."""
    reporter.step("drawing particles of a flow microscope")
    options = PhantomOptions(n_per_class=_PARTICLES_PER_CLASS, seed=_PARTICLES_SEED, crops="field", workers=workers)
    phantom("particles", out / "particles", options)
    seen = TrainOptions(workers=workers, input_size=_PARTICLES_PX, views=1)
    return train(out / "particles", out / "particles-run", seen, reporter)


def _without_labels(drawn: Path, new: Path) -> dict[str, str]:
    """Move images into one flat folder under neutral names; returns the true class of each name."""
    own_folder(new, new=True)
    truth = {}
    for i, file in enumerate(sorted(drawn.glob("*/*.png"))):
        name = f"new_{i:03d}.png"
        truth[name] = file.parent.name
        file.rename(new / name)
    remove_folder(drawn)
    return truth


def _answers(predictions: Path) -> dict[str, str]:
    scored = read_scored(predictions)
    return dict(zip(scored.path.to_pylist(), (scored.classes[k] for k in scored.called), strict=True))
