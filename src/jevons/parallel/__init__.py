"""One function over many items: in this process, in others, or on a Ray cluster, with the same results."""

from jevons.parallel.executor import LOCAL, Executor

__all__ = ["LOCAL", "Executor"]
