"""Whether a picture has a preferred direction at all, held against what noise gives."""

from graticule.arrays import FloatArray, IntArray
from graticule.directions.distribution import moment
from graticule.directions.tiles import LEAST_PER_SIDE, chance_of, in_larger_tiles, tile_numbers

DIRECTION, CROSSED, NONE, EMPTY = "direction", "two directions", "no preferred direction", "no structure"
VERDICTS = (DIRECTION, CROSSED, NONE, EMPTY)
_LEAST_FOURTH = 0.1
MOST_CHANCE = 0.01
LEAST_ORDER = 0.05
_LEAST_TILES = 6
LEAST_USED = 0.002


def is_crossed(tiles: FloatArray) -> bool:
    """Whether tiles agree on two directions at right angles more than chance lets them; S is near 0 then."""
    fourth = abs(complex(moment(tiles.sum(axis=0), 4)))
    return fourth >= _LEAST_FOURTH and chance_of(tiles, 4) < MOST_CHANCE


def verdict(tiles: FloatArray, numbers: IntArray, per_side: int, used: float) -> tuple[str, float]:
    """What can be said of a picture's direction, and how often chance gives as much.

    A direction is named where the order S is at least 0.05, and where tiles that each point anywhere reach it less
    often than 1 in 100, small tiles and ones twice as wide alike. So the answer depends on how many
    independent places there are, not on how many pixels: noise that neighbouring pixels share does not count double.

    Parameters
    ----------
    tiles : float array, shape (T, 180)
        Histograms of directions by tile.
    numbers : int array, shape (r, c)
        Tile of each place.
    per_side : int
        Tiles along the side of a square picture, as they were numbered.
    used : float
        Share of the places that count.

    Returns
    -------
    str
        `DIRECTION`, `NONE`, or `EMPTY`: nothing stands out of the noise.
    float
        The p-value, 0 to 1.
    """
    weight = tiles.sum(axis=1)
    if used < LEAST_USED or (weight > 0).sum() < _LEAST_TILES:
        return EMPTY, 1.0
    coarse = tile_numbers((int(numbers.shape[0]), int(numbers.shape[1])), max(LEAST_PER_SIDE, per_side // 2))
    larger = in_larger_tiles(tiles, numbers, coarse)
    chance = max(chance_of(tiles), chance_of(larger))
    order = abs(complex(moment(tiles.sum(axis=0), 2)))
    return (DIRECTION if chance < MOST_CHANCE and order >= LEAST_ORDER else NONE), chance
