"""Files in and out: the one writer and the one bounded reader."""

from jevons.files.write import FORCE, frame_csv, safe_cell, target_problem, writing

__all__ = ["FORCE", "frame_csv", "safe_cell", "target_problem", "writing"]
