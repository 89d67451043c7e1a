"""`python -m jevons`, the same as `jevons`."""

from jevons.cli import main

if __name__ == "__main__":
    main()
