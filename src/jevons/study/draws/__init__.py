"""Monte Carlo: sampling, workers, store and summary."""
