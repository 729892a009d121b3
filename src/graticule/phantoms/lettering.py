"""The face in which phantoms write: the letters of DejaVu Sans that they need, with its licence beside it."""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

# of DejaVu Sans 2.37, without the other 6,000 glyphs:
#   pyftsubset DejaVuSans.ttf --unicodes=U+0020-007E,U+00B5 --layout-features='*' --legacy-kern --hinting
#   --notdef-outline --name-IDs='*'
_FACE = Path(__file__).parent / "fonts" / "DejaVuSans-subset.ttf"


@lru_cache(maxsize=64)
def font(size: float) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels; it has the characters of ASCII and the micro sign U+00B5."""
    return ImageFont.truetype(str(_FACE), size)
