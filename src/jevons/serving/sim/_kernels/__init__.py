"""Numba kernels of the simulator: state, closed forms over steps, cache blocks, the engine, and what drives it."""
