"""One workload on machines: size, compare, simulate, cost and train."""
