"""Every exception p2peval raises on purpose.

Expected outcomes (a late reveal, a timeout, no offers) are values, not exceptions; these are for what
should not happen. Third-party exceptions (libp2p, onnxruntime, sqlite3) are translated in the one
adapter that calls them, so nobody else needs to know their names.
"""

from __future__ import annotations


class P2pevalError(Exception):
    """Base of all; ``code`` is stable for ``--json``, ``hint`` says what to do next."""

    code = "error"
    exit_code = 1
    retryable = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(P2pevalError):
    """A config file, benchmark.toml or argument is wrong; the message names file and key."""

    code = "config"
    exit_code = 2


class UsageError(P2pevalError):
    """The request makes no sense as asked (ambiguous name, wrong combination)."""

    code = "usage"
    exit_code = 2


class NotFoundError(P2pevalError):
    """No such benchmark, task, peer, file or topic."""

    code = "not_found"
    exit_code = 6


class DaemonNotRunningError(P2pevalError):
    """Nothing answers on the local API."""

    code = "daemon_not_running"
    exit_code = 3


class LockedError(P2pevalError):
    """Another process holds this home."""

    code = "locked"
    exit_code = 4
    retryable = True


class VerificationError(P2pevalError):
    """Something claimed did not check out: a hash, a signature, a root, a result."""

    code = "verification_failed"
    exit_code = 5


class DeadlineError(P2pevalError):
    """It took longer than it was allowed to."""

    code = "timeout"
    exit_code = 7
    retryable = True


class NotAuthorisedError(P2pevalError):
    """The local API refused the token."""

    code = "not_authorised"
    exit_code = 8


class ProtocolError(P2pevalError):
    """Base of the two sides of a protocol violation."""

    code = "protocol"


class LocalProtocolError(ProtocolError):
    """We tried to say something that the protocol forbids: a bug of ours."""

    code = "local_protocol"


class RemoteProtocolError(ProtocolError):
    """A peer said something malformed; the message is dropped. ``reason`` is a short counted code."""

    code = "remote_protocol"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class EvaluationError(P2pevalError):
    """A model or dataset cannot be evaluated; ``reason`` is a short stable code."""

    code = "evaluation"

    def __init__(self, reason: str, detail: str = "", *, hint: str = "") -> None:
        super().__init__(detail or reason, hint=hint)
        self.reason = reason


class NetworkError(P2pevalError):
    """A peer is out of reach, or a stream broke."""

    code = "network"
    retryable = True


class StoreError(P2pevalError):
    """The disk or the database refused (full, corrupt, newer schema)."""

    code = "store"
