"""What the gate of synthetic images says of each, and which of them may train.

Each synthetic image has a word in the column `gate` (`graticule.gates.GATES`), the verdict of its test; an
image without one was never tested.
"""

from collections import Counter

import numpy as np

from graticule.arrays import BoolArray, object_array
from graticule.errors import ManifestError
from graticule.gates import NO_GATE, REFUSED, listed, unproven
from graticule.manifest import Manifest
from graticule.split.training_only import is_synthetic


def gates_of(manifest: Manifest, rows: BoolArray | None = None) -> dict[str, int]:
    """How many synthetic images each word of the gate stands for; "no gate" for those without one.

    Parameters
    ----------
    manifest : Manifest
        n samples.
    rows : bool array, shape (n,), optional
        Those that count; by default all.
    """
    column = manifest.columns.get("gate", object_array([""] * len(manifest)))
    counted = is_synthetic(manifest) if rows is None else is_synthetic(manifest) & rows
    return dict(sorted(Counter(str(word) or NO_GATE for word in column[counted]).items()))


def admitted(manifest: Manifest, *, allow_unproven: bool) -> tuple[Manifest, list[str]]:
    """Samples that may train, and what the report says of the synthetic ones among them.

    Refused ones are left out, whatever is allowed.

    Parameters
    ----------
    manifest : Manifest
    allow_unproven : bool
        Whether synthetic images that no gate accepted may train too.

    Raises
    ------
    ManifestError
        When all synthetic images are refused, or some are unproven and that is not allowed.
    """
    gates = gates_of(manifest)
    if not gates:
        return manifest, []
    n, n_refused = sum(gates.values()), gates.get(REFUSED, 0)
    if n_refused == n:
        raise ManifestError(
            f"all {n:,} synthetic images were refused by their gate: they are copies, or do not show their class. They "
            "train nothing; train without them, or generate others"
        )
    doubtful = unproven(gates)
    if doubtful and not allow_unproven:
        raise ManifestError(
            f"{sum(doubtful.values()):,} of {n:,} synthetic images were not accepted by a gate ({listed(doubtful)}): "
            "that a model gains from them is not shown, and of those without a gate not even that they are no copies "
            "of real ones. What would work: `graticule synthesize --check`, which tests images of any generator; "
            "leaving them out; or --allow-unproven, which stamps the report and the model"
        )
    notes = []
    if n_refused:
        notes.append(f"{n_refused:,} synthetic images were left out, since their gate refused them")
    n_own = n - n_refused - gates.get(NO_GATE, 0)
    if n_own:
        notes.append(
            f"{n_own:,} synthetic images are not copies of the real images that their generator saw, by their gate "
            f"({listed({word: k for word, k in gates.items() if word not in (REFUSED, NO_GATE)})}). Whether it can be "
            "told that a real image was among those was not tested"
        )
    refused = manifest.columns.get("gate", object_array([""] * len(manifest))) == REFUSED
    return manifest.take(~(is_synthetic(manifest) & np.asarray(refused, dtype=bool))), notes
