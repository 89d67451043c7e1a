"""The planner page: a local service with the library's functions, and the page that asks it.

`jevons.serve` starts it; nothing here is imported before. The service listens on this machine alone unless it is told
otherwise, asks nothing of a network, and writes nothing outside a folder of its own that is removed at the end.
"""

__all__: list[str] = []
