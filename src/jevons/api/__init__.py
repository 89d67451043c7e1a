"""The functions that `jevons` offers, one file each: what a command does, the function of the same name does."""
