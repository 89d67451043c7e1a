"""The array type that every stage passes: float64 of any shape; docstrings name the axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
