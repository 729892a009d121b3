"""What is said of a picture."""

import numpy as np
from tests.directions.scenes import wires

from graticule.directions.measure import measure_directions
from graticule.directions.words import COHERENCY, CONVENTION, MEANINGS, sentences


def test_the_verdict_comes_first() -> None:
    aligned = sentences(measure_directions(wires(30, share=0.8)))
    assert aligned[0].startswith("The preferred direction is ")
    assert "of the visible structure" in aligned[1]
    none = sentences(measure_directions(wires(0, share=0.0, seed=3, n=60)))
    assert none[0].startswith("No preferred direction: S is ")
    empty = sentences(measure_directions(np.full((64, 64), 5, np.float32)))
    assert len(empty) == 1
    assert "No structure stands out of the noise" in empty[0]
    crossed = sentences(measure_directions(wires([20.0, 110.0], n=120)))
    assert any("cross" in text or "second direction" in text for text in crossed)
    assert any(
        text.startswith("Along 30.0°: a share of ") for text in sentences(measure_directions(wires(30), along=30))
    )


def test_what_every_reader_is_told() -> None:
    assert "counter-clockwise from the horizontal" in CONVENTION
    assert "does not measure alignment" in COHERENCY
    assert "volume" in MEANINGS["share"]
    assert "Hermans" in MEANINGS["order"]
