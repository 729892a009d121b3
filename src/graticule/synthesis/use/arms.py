"""Ways to train a classifier of rare classes: those that need no generated image, and those with some.

Generated images have to be better than the best of what costs nothing. So the ways without them are more than plain
training: class weights, repeated rare images, turned and mirrored images, and interpolation between images of a class
(Chawla et al., "SMOTE", 2002), between training images alone.
"""

from dataclasses import dataclass

import numpy as np

from graticule.arrays import Float32Array, FloatArray, IntArray

# generated images of a rare class, by its real ones, and what each weighs
AMOUNTS = (0.5, 1.0, 2.0, 4.0)
WEIGHTS = (0.1, 0.3, 1.0)
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Arm:
    """A way to train.

    Attributes
    ----------
    balanced : bool
        Whether classes weigh the same.
    turned : bool
        Whether turned and mirrored images are further rows.
    repeated, interpolated : bool
        Whether rare images are repeated, or new ones laid between them, up to the number of the commonest class.
    amount : float
        Generated images of each class, by the real ones of the rarest; 0: none.
    weight : float
        What a generated image weighs beside a real one.
    """

    balanced: bool = True
    turned: bool = False
    repeated: bool = False
    interpolated: bool = False
    amount: float = 0.0
    weight: float = 1.0

    @property
    def generated(self) -> bool:
        """Whether generated images train."""
        return self.amount > 0

    @property
    def name(self) -> str:
        """In words."""
        base = [
            "class weights" if self.balanced else "",
            "repeated" if self.repeated else "",
            "interpolated" if self.interpolated else "",
            "turned" if self.turned else "",
            f"generated x {self.amount:g} at weight {self.weight:g}" if self.generated else "",
        ]
        return " + ".join(part for part in base if part) or "plain"


def arms(*, turned: bool) -> list[Arm]:
    """All ways, those without generated images first.

    Parameters
    ----------
    turned : bool
        Whether turned and mirrored images may train.
    """
    without = [Arm(balanced=False), Arm(), Arm(balanced=False, repeated=True), Arm(interpolated=True)]
    bases = [Arm()]
    if turned:
        without += [Arm(balanced=False, turned=True), Arm(turned=True)]
        bases.append(Arm(turned=True))
    made = [
        Arm(turned=base.turned, amount=amount, weight=weight)
        for base in bases
        for amount in AMOUNTS
        for weight in WEIGHTS
    ]
    return without + made


@dataclass(frozen=True)
class WeightedRows:
    """What a classifier is fitted on.

    Attributes
    ----------
    values : float32 array, shape (n, d)
    y : int array, shape (n,)
    weight : float array, shape (n,)
        Of mean 1.
    """

    values: Float32Array
    y: IntArray
    weight: FloatArray


@dataclass(frozen=True)
class UseData:
    """Real images, and the generated ones of each fold.

    Attributes
    ----------
    views : float32 array, shape (v, n, d)
        Features or pixels of the real images; v is 8 with turned and mirrored ones behind them, else 1.
    y : int array, shape (n,)
    fold : int array, shape (n,)
        The fold that each is judged in.
    unit : int array, shape (n,)
        What is drawn together where chance is asked: copies, groups.
    made : list of (float32 array of shape (m, d), int array of shape (m,))
        Of each fold the images of the generator that never saw it, and their classes.
    rare : tuple of int
        The classes that are judged.
    """

    views: Float32Array
    y: IntArray
    fold: IntArray
    unit: IntArray
    made: list[tuple[Float32Array, IntArray]]
    rare: tuple[int, ...]


def rows_of_arm(data: UseData, arm: Arm, fold: int, seed: int) -> WeightedRows:
    """What a way trains on where a fold is judged.

    Parameters
    ----------
    data : UseData
    arm : Arm
    fold : int
    seed : int
    """
    rng = np.random.default_rng((seed, fold))
    train = np.flatnonzero(data.fold != fold)
    counts = np.bincount(data.y[train])
    values, y = [data.views[0, train]], [data.y[train]]
    weight = [np.ones(len(train))]
    if arm.turned:
        for view in data.views[1:]:
            values.append(view[train])
            y.append(data.y[train])
            weight.append(np.ones(len(train)))
    for k in range(len(counts)):
        own = train[data.y[train] == k]
        lacking = int(counts.max()) - len(own)
        if lacking and len(own) and (arm.repeated or arm.interpolated):
            drawn = data.views[0, rng.choice(own, lacking)]
            if arm.interpolated and len(own) > 1:
                drawn = _between(data.views[0, own], drawn, rng)
            values.append(drawn)
            y.append(np.full(lacking, k))
            weight.append(np.ones(lacking))
    if arm.generated:
        made, classes = data.made[fold]
        each = round(arm.amount * min(int(counts[k]) for k in data.rare))
        for k in np.unique(classes):
            own = np.flatnonzero(classes == k)
            taken = rng.permutation(own)[:each]
            values.append(made[taken])
            y.append(np.full(len(taken), k))
            weight.append(np.full(len(taken), arm.weight * (len(data.views) if arm.turned else 1)))
    return _balanced(np.concatenate(values), np.concatenate(y).astype(np.int64), np.concatenate(weight), arm.balanced)


def _balanced(values: Float32Array, y: IntArray, weight: FloatArray, balanced: bool) -> WeightedRows:
    if balanced:
        total = np.bincount(y, weight)
        present = total > 0
        weight = weight * (weight.sum() / (present.sum() * total))[y]
    return WeightedRows(values, y, weight / weight.mean())


def _between(own: Float32Array, drawn: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Points between each drawn image and one of its nearest of the same class."""
    squares = ((drawn[:, None] - own) ** 2).sum(2) if own.size * len(drawn) < 5e7 else None
    if squares is None:
        squares = (drawn**2).sum(1)[:, None] + (own**2).sum(1) - 2 * drawn @ own.T
    k = min(_NEIGHBOURS, len(own) - 1)
    near = np.argsort(squares, axis=1)[:, 1 : k + 1]
    other = own[near[np.arange(len(drawn)), rng.integers(k, size=len(drawn))]]
    return np.asarray(drawn + rng.random((len(drawn), 1)) * (other - drawn), np.float32)
