"""Families of copies in words."""

from graticule.plain_text import plural


def in_families(images: int, families: int) -> str:
    """Families as people count them: "57 images in 12 families"."""
    return f"{plural(images, 'image')} in {plural(families, 'family', 'families')}"


def kinds_of(exact: int, near: int) -> str:
    """How many families are of equal and of nearly equal pictures: "3 identical, 9 nearly so"."""
    nearly = f"{near:,} nearly {'so' if exact else 'identical'}"
    return ", ".join([f"{exact:,} identical"] * bool(exact) + [nearly] * bool(near))
