"""The errors that accelbench raises on purpose.

Each says what happened, where, and what to do, in one line. The command line prints the line and exits with
``exit_code``; a report stores it as its reason.
"""

from __future__ import annotations


class AccelbenchError(Exception):
    """Base of every error that is raised on purpose. Its text is one line for a person."""

    exit_code = 1


class UsageError(AccelbenchError):
    """The request cannot be served as it was put: unknown name, bad file, missing environment."""

    exit_code = 2


class NotHere(UsageError):
    """A task that this machine cannot run as it is: of a whole tier, it is left out."""


class TooLarge(NotHere):
    """A task needs more memory or disk than this machine has."""


class NoWeights(NotHere):
    """A task's weights are not on this machine."""


class Unsupported(AccelbenchError):
    """A stack says that it cannot take this model, precision or device. A finding, not a failure.

    Raised by a backend's adapter; the text names the operator, shape, type or precision that stopped it.
    """


class WorkerError(AccelbenchError):
    """A worker process ended its step badly.

    ``kind`` is ``raised`` (the vendor's code raised), ``crashed`` (the process died), ``hung`` (past its time limit),
    ``memory`` (past its memory limit) or ``protocol`` (it answered nonsense).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
