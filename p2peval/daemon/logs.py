"""Logging of the daemon: text on a terminal, JSON lines elsewhere; never a secret."""

from __future__ import annotations

import json
import logging
import sys

from p2peval.config import LogConfig

NOISY = ("libp2p", "multiaddr", "anycorn", "httpx")
"""Third parties that log what a stranger's garbage did; only their warnings matter, and libp2p's not even."""


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": record.created, "level": record.levelname.lower(), "room": record.name}
        line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(config: LogConfig) -> None:
    """Log to stderr as ``config`` says."""
    as_text = config.format == "text" or (config.format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s") if as_text else JsonLines()
    )
    logging.basicConfig(level=config.level.upper(), handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL if name == "libp2p" else logging.WARNING)
