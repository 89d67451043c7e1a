"""One pass of the chain, from operating points to the fixed point and the verdict."""
