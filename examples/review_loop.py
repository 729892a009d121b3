"""From ten labels per class, ask for the labels that teach most, train again, and see what they bought.

The data are a phantom and its truth plays the person, so that the script runs anywhere. With data of your own, replace
`ask` by a look at the page: `graticule review OUT/answers-1 --labels OUT/labels.db`.

    python examples/review_loop.py OUT
"""

import csv
import sys
from pathlib import Path

import graticule
from graticule.jobs.evaluate import evaluate
from graticule.jobs.labels import export_labels
from graticule.jobs.options import EvaluateOptions, ReviewOptions
from graticule.jobs.phantom import phantom
from graticule.jobs.predict import predict
from graticule.jobs.review import Review, open_review
from graticule.manifest import escape_path
from graticule.phantoms.options import PhantomOptions
from graticule.review.desk import Decision
from graticule.review.progress import overview
from graticule.review.queue import Filters

FIRST, BUDGET, ROUNDS = 10, 40, 3


def write_table(file: Path, rows: list[tuple[str, str]]) -> Path:
    """A labelled data set as a table; paths are relative to the table's folder."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), *rows])
    return file


def ask(review: Review, truth: dict[str, str]) -> None:
    """What a person does on the page: take the next images of the queue, and say what they are."""
    desk = review.desk
    for place in desk.take("ann", Filters("needed"), BUDGET):
        image = desk.opinion(place, "ann")["id"]
        desk.decide("ann", Decision(image, "label", truth[desk.items.path[place]], seconds=2.0))


def main(out: Path) -> None:
    """Train, predict, ask and train again, a few times; print the accuracy on images nobody labelled."""
    phantom("powder", out / "data", PhantomOptions(n_per_class=60, seed=1))
    phantom("powder", out / "new", PhantomOptions(n_per_class=15, seed=2))
    files = sorted((out / "data").glob("*/*.png"))
    truth = {escape_path(f"{file.parent.name}/{file.name}"): file.parent.name for file in files}
    by_class = {label: [path for path in truth if truth[path] == label] for label in truth.values()}
    known = [(path, label) for label, paths in by_class.items() for path in paths[:FIRST]]
    base = table = write_table(out / "data" / "first.csv", known)
    pool = out / "data" / "pool.txt"
    pool.write_text("\n".join(p for p in truth if p not in dict(known)) + "\n", encoding="utf-8")

    for number in range(ROUNDS):
        run = out / f"run-{number}"
        graticule.train(table, run, root=out / "data", views=1, head="logistic", group="none")
        found = evaluate(run, out / "new", out / f"evaluation-{number}", EvaluateOptions())["metrics"]["accuracy"]
        n = sum(1 for _ in table.open(encoding="utf-8")) - 1
        print(f"{n} labels: accuracy {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})")
        if number == ROUNDS - 1:
            return
        predict(run, pool, out / f"answers-{number}")
        with open_review(
            out / f"answers-{number}", str(out / "labels.db"), ReviewOptions(order="margin", control=20)
        ) as review:
            ask(review, truth)
            print(f"error among accepted: {overview(review.desk)['control']['words']}")
        table = out / f"labels-{number}.csv"
        export_labels(str(out / "labels.db"), table, data=base, root=out / "data")


if __name__ == "__main__":  # worker processes import this file
    main(Path(sys.argv[1]))
