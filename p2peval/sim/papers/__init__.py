"""What others' papers report, played again: one module for each, and a page in ``simulations/papers``.

A paper is a module of this room with ``PAPER`` (a ``paper.Paper``) and ``points()`` (the ``paper.Point``s that it is
made of); its name stands in ``NAMES``. All the rest, from processes to the figure, is ``playing`` and ``figure``.
"""

from __future__ import annotations

NAMES: tuple[str, ...] = ("eigentrust", "gossipsub", "meritrank", "sarmenta", "skademlia")
"""Modules of this room that are papers, by name; also the words of ``sim paper``."""
