"""`python -m tryon` is `tryon`."""

from tryon.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
