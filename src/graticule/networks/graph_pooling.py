"""The statistics of feature maps, see `pooling`, as nodes of an ONNX graph."""

import numpy as np

from graticule.arrays import Float32Array
from graticule.networks.graph_writer import GraphWriter
from graticule.networks.pooling import CENTRE_WIDTH, ROOT_STEPS, TRACE_FLOOR


class PooledMaps:
    """Maps of one stage, of shape (N, C, h, w), laid flat, with the centre's weights; any input size.

    Parameters
    ----------
    writer : GraphWriter
    maps : str
        The tensor.
    layer : str
        Name of the stage, which the names of all nodes begin with.
    basis : array, shape (k, C)
        Directions that covariances are taken along, see `pooling.projection`.
    """

    def __init__(self, writer: GraphWriter, maps: str, layer: str, basis: Float32Array) -> None:
        self.writer, self.layer, self.basis = writer, layer, basis
        self.flat = self._node("Reshape", [maps, writer.once("flat.shape", np.array([0, 0, -1]))], "flat")
        self.weights = self._weights(maps)

    def _node(self, kind: str, inputs: list[str], name: str, **attributes: int | list[int]) -> str:
        return self.writer.node(kind, inputs, f"{self.layer}.{name}", **attributes)

    def _weights(self, maps: str) -> str:
        """The Gaussian over the cells of a map, its sum 1, shape (h w, 1)."""
        shape = self._node("Shape", [maps], "shape")
        rows, columns = self._bell(shape, 2, "rows"), self._bell(shape, 3, "columns")
        column = self.writer.once("column", np.array([-1, 1]))
        row = self.writer.once("row", np.array([1, -1]))
        high = self._node("Reshape", [rows, column], "rows.column")
        wide = self._node("Reshape", [columns, row], "columns.row")
        product = self._node("Mul", [high, wide], "cells")
        return self._node("Reshape", [product, column], "centre.weights")

    def _bell(self, shape: str, axis: int, name: str) -> str:
        """A Gaussian over the cells along one side, its sum 1; a single cell has all of it."""
        once = self.writer.once
        length = self._node("Gather", [shape, once(f"axis.{axis}", np.array(axis))], f"{name}.length", axis=0)
        cells = self._node("Range", [once("nought", np.array(0)), length, once("one", np.array(1))], f"{name}.cells")
        cells = self._node("Cast", [cells], f"{name}.float", to=1)
        count = self._node("Cast", [length], f"{name}.count", to=1)
        centres = self._node("Add", [cells, once("half", np.float32(0.5))], f"{name}.centres")
        share = self._node("Div", [centres, count], f"{name}.share")
        offset = self._node("Sub", [share, once("half", np.float32(0.5))], f"{name}.offset")
        squared = self._node("Mul", [offset, offset], f"{name}.squared")
        # the offset is in widths, the Gaussian's width in half widths
        slope = once("centre.slope", np.float32(-2.0 / CENTRE_WIDTH**2))
        bell = self._node("Exp", [self._node("Mul", [squared, slope], f"{name}.exponent")], f"{name}.bell")
        total = self._node("ReduceSum", [bell], f"{name}.total", keepdims=1)
        return self._node("Div", [bell, total], f"{name}.weights")

    def centre(self) -> list[str]:
        """Mean and deviation around the centre, each of shape (N, C)."""
        mean = self._node("MatMul", [self.flat, self.weights], "centre.mean3")
        apart = self._node("Sub", [self.flat, mean], "centre.apart")
        squared = self._node("Mul", [apart, apart], "centre.squared")
        variance = self._node("MatMul", [squared, self.weights], "centre.variance3")
        deviation = self._node("Sqrt", [variance], "centre.deviation3")
        return [
            self._node("Flatten", [mean], "centre.mean", axis=1),
            self._node("Flatten", [deviation], "centre.deviation", axis=1),
        ]

    def covariance(self) -> str:
        """Upper triangle of the root of the covariances, row by row, shape (N, k (k + 1) / 2)."""
        k = len(self.basis)
        basis = self.writer.constant(f"{self.layer}.projection", self.basis)
        maps = self._node("MatMul", [basis, self.flat], "projected")
        mean = self._node("MatMul", [maps, self.weights], "projected.mean")
        apart = self._node("Sub", [maps, mean], "projected.apart")
        across = self._node("Transpose", [apart], "projected.across", perm=[0, 2, 1])
        weighted = self._node("Mul", [across, self.weights], "projected.weighted")
        matrix = self._node("MatMul", [apart, weighted], "covariance.matrix")
        root = self._root(matrix, k)
        laid = self._node("Flatten", [root], "covariance.laid", axis=1)
        rows, columns = np.triu_indices(k)
        return self._node("Gather", [laid, self.writer.once(f"upper.{k}", rows * k + columns)], "covariance", axis=1)

    def _root(self, matrix: str, k: int) -> str:
        """The square root of symmetric matrices (N, k, k) by `ROOT_STEPS` steps of Newton and Schulz's iteration."""
        once = self.writer.once
        identity = once(f"identity.{k}", np.eye(k, dtype=np.float32))
        thrice = once(f"identity.{k}.half3", 1.5 * np.eye(k, dtype=np.float32))
        half = once("half", np.float32(0.5))
        diagonal = self._node("Mul", [matrix, identity], "root.diagonal")
        trace = self._node("ReduceSum", [diagonal, once("last two", np.array([1, 2]))], "root.trace", keepdims=1)
        trace = self._node("Add", [trace, once("tiny", np.float32(TRACE_FLOOR))], "root.positive")
        y = self._node("Div", [matrix, trace], "root.y0")
        z = ""
        for step in range(1, ROOT_STEPS + 1):
            product = self._node("MatMul", [z, y], f"root.zy{step}") if z else y
            halved = self._node("Mul", [product, half], f"root.half{step}")
            factor = self._node("Sub", [thrice, halved], f"root.t{step}")
            y = self._node("MatMul", [y, factor], f"root.y{step}")
            if step < ROOT_STEPS:
                z = self._node("MatMul", [factor, z], f"root.z{step}") if z else factor
        return self._node("Mul", [y, self._node("Sqrt", [trace], "root.scale")], "covariance.root")
