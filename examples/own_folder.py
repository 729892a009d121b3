"""Train on a folder of images, read the figures, classify new images.

The folder is a phantom here, so that the script runs anywhere; put your own in its place.

    python examples/own_folder.py OUT
"""

import sys
from pathlib import Path

import graticule
from graticule.jobs.phantom import phantom
from graticule.phantoms.options import PhantomOptions


def main(out: Path) -> None:
    """Draw a sample, train on it by specimen, and classify images of specimens not seen."""
    phantom("powder", out / "powder", PhantomOptions(n_per_class=20, seed=1))
    phantom("powder", out / "new", PhantomOptions(n_per_class=2, seed=2))

    run = graticule.train(out / "powder", out / "run", views=1)
    accuracy = run.metrics["accuracy"]
    print(f"accuracy out of fold: {accuracy['value']:.3f} ({run.record['folds']['strategy']})")
    print(f"report: {run.report}")

    files = sorted((out / "new").glob("*/*.png"))
    answers = graticule.load(out / "run").predict(files)
    right = sum(label == file.parent.name for label, file in zip(answers.label, files, strict=True))
    print(f"{right} of {len(files)} new images right")


if __name__ == "__main__":  # worker processes import this file
    main(Path(sys.argv[1]))
