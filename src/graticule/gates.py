"""The verdict on synthetic images, their gate: its words, and what is said where it was not passed.

An image is accepted where it is no copy and a model was seen to gain from such images.
"""

from collections.abc import Mapping

from graticule.plain_text import plural

ACCEPTED, NO_GAIN, NOT_TESTED, REFUSED = "accepted", "no gain shown", "use not tested", "refused"
GATES = (ACCEPTED, NO_GAIN, NOT_TESTED, REFUSED)
# how images that were never tested are counted
NO_GATE = "no gate"


def unproven_words(gates: Mapping[str, int]) -> str | None:
    """A sentence on synthetic training images that no gate accepted; None where all were accepted.

    Parameters
    ----------
    gates : mapping of str to int
        From `gates_of`, of the images that trained.
    """
    doubtful = unproven(gates)
    if not doubtful:
        return None
    return (
        f"{plural(sum(doubtful.values()), 'synthetic image')} that no gate accepted ({listed(doubtful)}) trained this "
        "model, allowed by --allow-unproven. That a model gains from such images is not shown."
    )


def unproven(gates: Mapping[str, int]) -> dict[str, int]:
    """Those of `graticule.split.gate.gates_of` that no gate accepted, without refused ones, which train nowhere."""
    return {word: n for word, n in gates.items() if n and word not in (ACCEPTED, REFUSED)}


def listed(gates: Mapping[str, int]) -> str:
    """What a gate said, with the numbers of images."""
    return ", ".join(f"{word}: {n:,}" for word, n in gates.items())
