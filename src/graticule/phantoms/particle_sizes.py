"""Numbers that are known of a picture of particles: how large they are, and how many are seen."""

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("diameter_px", "diameter_nm", "count")


def particle_sizes(mask: NDArray[np.uint16], pixel_size_nm: float) -> dict[str, str]:
    """Area-weighted diameter of the disc as large as what is seen of a particle, and the number of particles seen.

    Parameters
    ----------
    mask : uint16 array, shape (h, w)
        Particle numbers, 0 elsewhere.
    pixel_size_nm : float

    Returns
    -------
    dict
        `COLUMNS` as text; diameters are empty where no particle is seen.
    """
    areas = np.bincount(mask.ravel())[1:]
    areas = areas[areas > 0].astype(np.float64)
    if not areas.size:
        return dict(zip(COLUMNS, ("", "", "0"), strict=True))
    diameter = float(np.average(2 * np.sqrt(areas / np.pi), weights=areas))
    return dict(zip(COLUMNS, (f"{diameter:.2f}", f"{diameter * pixel_size_nm:.5g}", str(areas.size)), strict=True))
