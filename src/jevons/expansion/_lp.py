"""Arrays of columns, rows and entries behind a few names, handed to HiGHS in one call.

Why not linopy here: on the size this stage is planned for (5,000 columns, 1,000 rows) linopy takes about 0.3 s to build
the model and more than a second to import, several times what HiGHS needs to solve it, and a Monte Carlo study solves
thousands. The same model is written in linopy in `_reference`, and a test holds the two to the same optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from jevons.arrays import Array
from jevons.errors import SolverError

Index = NDArray[np.int64]

_TOLERANCE = 1e-9
_OTHER_WAYS: tuple[tuple[str, Any], ...] = (("presolve", "choose"), ("presolve", "off"), ("solver", "ipm"))
"""Options set in turn, each from scratch, where HiGHS stops without a verdict."""


def power_of_two(value: float) -> float:
    """Return the power of two next below *value*, a unit that scales without rounding; 1 where it is not positive."""
    return float(2.0 ** np.floor(np.log2(value))) if np.isfinite(value) and value > 0 else 1.0


class _QuietHighs(highspy.Highs):  # type: ignore[misc]
    """HiGHS without callbacks, whose set-up prints a banner before any option can forbid it."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()
        self.setOptionValue("output_flag", False)


class Basis:
    """Where the simplex method ended, from which it solves a similar program in a fraction of its steps.

    HiGHS's own object, in numbers only where it travels between processes.
    """

    __slots__ = ("highs", "size")

    def __init__(self, highs: Any, size: tuple[int, int]) -> None:
        self.highs = highs
        self.size = size

    def __reduce__(self) -> tuple[Any, tuple[bytes, bytes]]:
        columns, rows = (bytes(map(int, part)) for part in (self.highs.col_status, self.highs.row_status))
        return _basis_of, (columns, rows)


def _basis_of(columns: bytes, rows: bytes) -> Basis:
    basis = highspy.HighsBasis()
    basis.col_status = [_BASIS_STATUS[status] for status in columns]
    basis.row_status = [_BASIS_STATUS[status] for status in rows]
    basis.valid = True
    return Basis(basis, (len(columns), len(rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What HiGHS found, in natural units.

    Parameters
    ----------
    status : str
        ``optimal``, ``infeasible``, ``unbounded`` or ``infeasible or unbounded``.
    objective : float
        Value of the maximum.
    columns : (n,)
        Values of the columns.
    row_gain : (m,)
        Change of the maximum per unit of a row's bound.
    column_gain : (n,)
        Change of the maximum per unit of a column's bound.
    basis : Basis or None
        Where to begin a similar program; None without an optimum.
    """

    status: str
    objective: float
    columns: Array
    row_gain: Array
    column_gain: Array
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Columns, rows and entries of a program, in natural units."""

    lower: Array
    upper: Array
    gain: Array
    lean: Array
    unit: Array
    row_lower: Array
    row_upper: Array
    row_unit: Array
    row: Index
    column: Index
    number: Array


class LinearProgram:
    """A maximisation written in natural units; each column and row carries the unit it is solved in."""

    def __init__(self, objective_unit: float) -> None:
        self._objective_unit = objective_unit
        self._columns: list[tuple[Array, Array, Array, Array, Array]] = []
        self._whole: list[Index] = []
        self._rows: list[tuple[Array, Array, Array]] = []
        self._entries: list[tuple[Index, Index, Array]] = []
        self.column_count = 0
        self.row_count = 0

    def columns(
        self,
        shape: tuple[int, ...],
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        gain: ArrayLike = 0.0,
        lean: ArrayLike = 0.0,
        unit: ArrayLike = 1.0,
        whole: bool = False,
    ) -> Index:
        """Add columns and return their numbers in *shape*; bounds, gains and unit broadcast to it.

        A *lean* counts beside the gain in what is chosen, and not in the objective that is told. Columns that must be
        *whole* are counted in units of one.
        """
        low, high, gains, leans, units = (
            np.broadcast_to(np.asarray(a, float), shape).ravel() for a in (lower, upper, gain, lean, unit)
        )
        self._columns.append((low, high, gains, leans, units))
        numbers = np.arange(self.column_count, self.column_count + low.size).reshape(shape)
        self.column_count += low.size
        if whole:
            self._whole.append(numbers.ravel())
        return numbers

    def rows(
        self, shape: tuple[int, ...], *, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf, unit: ArrayLike = 1.0
    ) -> Index:
        """Add rows and return their numbers in *shape*."""
        parts = tuple(np.broadcast_to(np.asarray(a, float), shape).ravel() for a in (lower, upper, unit))
        self._rows.append((parts[0], parts[1], parts[2]))
        numbers = np.arange(self.row_count, self.row_count + parts[0].size).reshape(shape)
        self.row_count += parts[0].size
        return numbers

    def enter(
        self, rows: ArrayLike, columns: ArrayLike, coefficient: ArrayLike, where: ArrayLike | None = None
    ) -> None:
        """Add coefficients at rows and columns, all broadcast together, where *where* holds."""
        row, column, number = np.broadcast_arrays(np.asarray(rows), np.asarray(columns), np.asarray(coefficient, float))
        keep = number != 0
        if where is not None:
            keep &= np.broadcast_to(np.asarray(where), number.shape)
        self._entries.append((row[keep], column[keep], number[keep]))

    @property
    def objective_unit(self) -> float:
        """Unit in which the objective is solved."""
        return self._objective_unit

    def parts(self) -> Parts:
        """Return what has been added so far."""
        lower, upper, gain, lean, unit = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        row_lower, row_upper, row_unit = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        row, column, number = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        return Parts(
            lower=lower, upper=upper, gain=gain, lean=lean, unit=unit, row_lower=row_lower, row_upper=row_upper,
            row_unit=row_unit, row=row, column=column, number=number,
        )  # fmt: skip

    def drop_gains(self) -> None:
        """Set the gain and the lean of every column so far to zero."""
        self._columns = [
            (lower, upper, np.zeros_like(gain), np.zeros_like(lean), unit)
            for lower, upper, gain, lean, unit in self._columns
        ]

    def solve(self, begin: Basis | None = None) -> Solution:
        """Return the maximum, found by the simplex method on one thread: same program and beginning, same bytes.

        A *begin* of another size is left aside; from any, the maximum is the same. Where HiGHS stops without a verdict,
        it is run again from scratch, without presolving, and by interior points, in this order. Where columns must be
        whole, branch and bound finds them first; they are then held, and gains are those of the linear program around
        them.

        Raises
        ------
        SolverError
            If HiGHS stops without a verdict.
        """
        parts = self.parts()
        solver = self._solver(parts)
        if begin is not None and begin.size == (self.column_count, self.row_count):
            solver.setBasis(begin.highs)
        solver.run()
        for option, value in _OTHER_WAYS:
            if solver.getModelStatus() in _STATUS:
                break
            solver.clearSolver()
            solver.setOptionValue(option, value)
            solver.run()
        if self._whole and solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            self._hold_whole(solver)
        status = _STATUS.get(solver.getModelStatus())
        if status is None:
            word = solver.modelStatusToString(solver.getModelStatus())
            message = (
                f"the planner's linear program: HiGHS stopped with `{word}`, from scratch too. Look for a figure of "
                "the scenario that is far too small or too large."
            )
            raise SolverError(message)
        if status != "optimal":
            empty = np.zeros(0)
            return Solution(status=status, objective=float("nan"), columns=empty, row_gain=empty, column_gain=empty)
        answer = solver.getSolution()
        values = np.clip(np.asarray(answer.col_value) * parts.unit, parts.lower, parts.upper)
        return Solution(
            status=status,
            objective=float(parts.gain @ values),
            columns=values,
            row_gain=-np.asarray(answer.row_dual) * self._objective_unit / parts.row_unit,
            column_gain=-np.asarray(answer.col_dual) * self._objective_unit / parts.unit,
            basis=None if self._whole else Basis(solver.getBasis(), (self.column_count, self.row_count)),
        )

    def _solver(self, parts: Parts) -> _QuietHighs:
        """Return HiGHS with the program in its units, as a minimisation."""
        solver = _QuietHighs()
        for option, value in (
            ("threads", 1),
            ("solver", "simplex"),
            ("primal_feasibility_tolerance", _TOLERANCE),
            ("dual_feasibility_tolerance", _TOLERANCE),
            ("mip_rel_gap", _TOLERANCE),
        ):
            solver.setOptionValue(option, value)
        scaled = parts.number * parts.unit[parts.column] / parts.row_unit[parts.row]
        matrix = sparse.csc_array((scaled, (parts.row, parts.column)), shape=(self.row_count, self.column_count))
        passed = solver.passModel(
            self.column_count,
            self.row_count,
            int(matrix.nnz),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            -(parts.gain + parts.lean) * parts.unit / self._objective_unit,
            parts.lower / parts.unit,
            parts.upper / parts.unit,
            parts.row_lower / parts.row_unit,
            parts.row_upper / parts.row_unit,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            self._integrality(),
        )
        if passed == highspy.HighsStatus.kError:
            message = "HiGHS rejects the program: a coefficient is not a number or lies beyond its range"
            raise SolverError(message)
        return solver

    def _integrality(self) -> NDArray[np.int32]:
        kinds = np.zeros(self.column_count, np.int32)
        if self._whole:
            kinds[np.concatenate(self._whole)] = int(highspy.HighsVarType.kInteger)
        return kinds

    def _hold_whole(self, solver: _QuietHighs) -> None:
        """Hold whole columns at the values found, make them continuous, and solve for the rest."""
        values = np.asarray(solver.getSolution().col_value)
        for column in np.concatenate(self._whole).tolist():
            whole = float(np.round(values[column]))
            solver.changeColIntegrality(column, highspy.HighsVarType.kContinuous)
            solver.changeColBounds(column, whole, whole)
        solver.run()


_BASIS_STATUS = {int(status): status for status in highspy.HighsBasisStatus.__members__.values()}
_STATUS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible or unbounded",
}
