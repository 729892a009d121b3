"""Features of a pretrained network as a step of a scikit-learn pipeline, cross-validated by specimen.

python examples/sklearn_pipeline.py OUT
"""

import csv
import sys
from pathlib import Path

from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from graticule import Embedder
from graticule.jobs.phantom import phantom
from graticule.phantoms.options import PhantomOptions


def main(out: Path) -> None:
    """Draw a sample and cross-validate a support vector machine on its features."""
    phantom("powder", out / "powder", PhantomOptions(n_per_class=15, seed=1))
    with (out / "powder" / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    paths = [str(out / "powder" / row["path"]) for row in rows]
    labels = [row["label"] for row in rows]
    specimens = [row["specimen"] for row in rows]

    pipeline = make_pipeline(Embedder(views=1), StandardScaler(), SVC())
    folds = StratifiedGroupKFold(n_splits=3, shuffle=True, random_state=0)
    scores = cross_val_score(pipeline, paths, labels, groups=specimens, cv=folds)
    print("accuracy on specimens not trained on:", " ".join(f"{score:.2f}" for score in scores))


if __name__ == "__main__":  # worker processes import this file
    main(Path(sys.argv[1]))
