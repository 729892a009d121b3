"""Why a label is in doubt, in words."""

from collections.abc import Mapping
from typing import Any

WEAK = 0.1  # a model that errs more often by itself errs on images it is sure of too


def evidence(row: Mapping[str, Any]) -> str:
    """All that speaks for and against a label, in one line.

    Parameters
    ----------
    row : mapping
        An entry of `errors` in label_errors.json.
    """
    parts = [copy_words(copy) for copy in row["copies"]]
    names = ("label",) if row["suggested"] == row["label"] else ("suggested", "label")
    parts.append("model: " + ", ".join(f"{row[name]} {row[f'p_{name}']:.2f}" for name in names))
    if row["neighbours"] is not None:
        parts.append(neighbour_words(row))
    return "; ".join(parts)


def copy_words(copy: Mapping[str, Any]) -> str:
    """That a copy carries what label: "same pixels as b.png, labelled cat"."""
    what = "same pixels as" if copy["similarity"] is None else f"near-duplicate ({copy['similarity']:.2f}) of"
    return f"{what} {copy['path']}, labelled {copy['label']}"


def neighbour_words(row: Mapping[str, Any]) -> str:
    """How many of the similar images carry the suggested class and the label."""
    near = row["neighbours"]
    suggested, own = (near["labels"].get(row[name], 0) for name in ("suggested", "label"))
    words = f"of {near['n']} similar images {own} are labelled {row['label']}"
    return words if row["suggested"] == row["label"] else f"{words} and {suggested} {row['suggested']}"


def caveat(document: Mapping[str, Any]) -> str:
    """What to add to the estimated share of wrong labels where the model is too weak to tell it, else ""."""
    own = 1 - document["agreement"] - document["wrong_labels"]["value"]
    if own <= WEAK:
        return ""
    return f"; the model itself errs on about {100 * own:.0f} % of the images, so it may be fewer"
