"""Files in and out: the one writer and the one bounded reader."""

from jevons.files.read import (
    changed_ns,
    check_readable,
    csv_lines,
    is_folder,
    read_bytes,
    read_csv,
    read_json,
    read_text,
)
from jevons.files.write import (
    FORCE,
    Inputs,
    frame_csv,
    keeping_inputs,
    note_input,
    refused,
    safe_cell,
    target_problem,
    writing,
)

__all__ = [
    "FORCE",
    "Inputs",
    "changed_ns",
    "check_readable",
    "csv_lines",
    "frame_csv",
    "is_folder",
    "keeping_inputs",
    "note_input",
    "read_bytes",
    "read_csv",
    "read_json",
    "read_text",
    "refused",
    "safe_cell",
    "target_problem",
    "writing",
]
