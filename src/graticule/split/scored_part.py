"""Which labelled samples an evaluation scores: none that was picked on purpose, synthetic ones only when asked for."""

from graticule.errors import ManifestError
from graticule.manifest import Manifest
from graticule.sources.labels import unknown_class
from graticule.split.training_only import PICKED, SYNTHETIC, training_only


def to_score(everything: Manifest, classes: tuple[str, ...], synthetic: bool) -> tuple[Manifest, int, int]:
    """Labelled samples to score, how many synthetic ones there are, and how many that a queue picked on purpose."""
    manifest = everything.take(everything.labelled)
    kind = training_only(manifest)
    manifest = manifest.take((kind == "") | ((kind == SYNTHETIC) & synthetic))
    n_picked = int((kind == PICKED).sum())
    if not len(manifest) and n_picked:
        raise ManifestError(
            f"all {n_picked:,} labelled images were picked on purpose by a review queue (sampling_prob is empty): "
            "figures on them would say nothing of usual images. Evaluate on images drawn at random"
        )
    _check_labels(manifest, classes)
    return manifest, int((kind == SYNTHETIC).sum()), n_picked


def _check_labels(manifest: Manifest, classes: tuple[str, ...]) -> None:
    if not len(manifest):
        raise ManifestError("no image is labelled: evaluate needs labels, `graticule predict` does not")
    unknown = [name for name in manifest.classes if name not in classes]
    if unknown:
        told = ", ".join(unknown_class(name, classes) for name in unknown[:10])
        raise ManifestError(
            f"labels {told} are none of the model's classes "
            f"{', '.join(map(repr, classes))}. Rename them, or leave these images out"
        )


def synthetic_notes(n: int, evaluated: bool) -> list[str]:
    """What a report says of n synthetic images, evaluated or left out."""
    if not n:
        return []
    if evaluated:
        return [f"{n:,} of the images are synthetic: the figures do not say how the model does on real ones"]
    return [f"{n:,} synthetic images (column origin) were left out; --synthetic evaluates on them too"]
