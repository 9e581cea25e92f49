"""``python -m p2peval``: the same as the ``p2peval`` script."""

from __future__ import annotations

if __name__ == "__main__":
    from p2peval.cli.main import main

    main()
