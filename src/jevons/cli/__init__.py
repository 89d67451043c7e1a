"""The command line: `jevons COMMAND …`. Tables for people, `--json` for programs, `--out` for files.

Exit codes: 0 done, 1 a defect of the program, 2 wrong input, 3 no feasible answer, 130 interrupted.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys

TYPE_CHECKING = False  # what is loaded here comes before an interruption is taken
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interruption at any moment, loading included, ends it with a line."""
    came: list[int] = []

    def interrupted(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        try:
            signal.signal(signal.SIGINT, interrupted)
            sys.unraisablehook = _unraised
        except ValueError:  # in another thread than the main one
            pass
    try:
        from jevons.cli.app import main as run

        run()
    except KeyboardInterrupt as stop:
        _leave(stop)
    except SystemExit as stop:
        if stop.code != _INTERRUPTED:
            raise
        _leave()
    except Exception:
        if came:  # compiled code may make an error of its own of an interruption
            _leave()
        raise
    finally:
        atexit.register(_finish)


def _unraised(problem: sys.UnraisableHookArgs) -> None:
    """End at an interruption that no caller gets, as one within a callback of the compiler; say any other problem."""
    if issubclass(problem.exc_type, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(problem)


def _finish() -> None:
    """Take no interruption any more: one while Python ends would make a finished answer a killed command."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave(stop: KeyboardInterrupt | None = None) -> NoReturn:
    """Say that the command was interrupted, and end.

    At once: after an interruption within code that was made from text, as dataclasses are, Python would end itself by
    the signal whatever is asked for. What the interrupted frames hold is let go before, so that worker processes end
    without a word.
    """
    import contextlib

    if stop is not None:
        import traceback

        with contextlib.suppress(ValueError):
            _finish()
        traceback.clear_frames(stop.__traceback__)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write("interrupted\n")
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(_INTERRUPTED)
