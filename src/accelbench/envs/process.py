"""The worker process: started with an explicit environment, watched while it works, ended with all that it started.

``python -I <package>/worker/boot.py`` of the backend's interpreter becomes a keeper that forks the worker; boot.py
says how that ties their lives to ours. Its standard input is the host's hold on it. accelbench is not installed in
the backend's environment: boot.py makes the package importable from the folder that it lies in, alone.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from accelbench import worker as inside
from accelbench.errors import WorkerError
from accelbench.worker.wire import Inbox, Message, send

POLL_S = 0.25
"""How often the worker's memory is looked at while it works."""

END_S = 10.0
"""How long the keeper may take to end everything, before it is killed itself."""

LOG_BYTES = 1 << 20
"""What is kept of each of the worker's two output files, from their end."""

TAIL_BYTES = 4096
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""All that a worker gets of the host's variables, unless its backend.toml names more."""


class Process:
    """A worker process that answers one message at a time."""

    def __init__(
        self, python: Path, adapter: Path, variables: Mapping[str, str], logs: Path, memory_bytes: int
    ) -> None:
        """Start it in a scratch folder, which is also its place for temporary files. Its standard output and error go
        to ``stdout.txt`` and ``stderr.txt`` in the folder ``logs``."""
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = (logs / "stdout.txt", logs / "stderr.txt")
        self.memory_bytes = memory_bytes
        self._scratch = tempfile.TemporaryDirectory(prefix="accelbench-", ignore_cleanup_errors=True)
        asks, self._requests = os.pipe()
        self._replies, answers = os.pipe()
        try:
            with self.logs[0].open("ab") as out, self.logs[1].open("ab") as err:
                self._process = subprocess.Popen(
                    [
                        python,
                        "-I",
                        Path(inside.__path__[0]) / "boot.py",
                        adapter,
                        str(asks),
                        str(answers),
                        self._scratch.name,
                    ],
                    stdin=subprocess.PIPE,
                    stdout=out,
                    stderr=err,
                    env={**variables, "TMPDIR": self._scratch.name},
                    cwd=self._scratch.name,
                    pass_fds=(asks, answers),
                    start_new_session=True,
                )
        except OSError as error:
            self._scratch.cleanup()
            self._close_pipes()
            raise WorkerError("crashed", f"the worker could not be started: {error}") from error
        finally:
            os.close(asks)
            os.close(answers)
        os.set_blocking(self._replies, False)

    def ask(self, message: Message, timeout_s: float, look: Callable[[], None] | None = None) -> Message:
        """Send a message and wait for the answer; ``look`` is called every POLL_S meanwhile. Raises WorkerError
        ``hung``, ``crashed``, ``memory`` or ``protocol``; after any of these the process has been ended."""
        verb = message["verb"]
        if self._process.returncode is not None:
            raise WorkerError("crashed", f"the worker has ended already; {verb} cannot be done")
        deadline = time.monotonic() + timeout_s
        try:
            send(self._requests, message)
            return self._await(verb, deadline, timeout_s, look)
        except BrokenPipeError:
            raise self._crashed(verb) from None
        except BaseException:
            self.end()
            raise

    def _await(self, verb: str, deadline: float, timeout_s: float, look: Callable[[], None] | None) -> Message:
        inbox = Inbox()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerError("hung", f"{verb} did not end within {timeout_s:g} s; the worker was ended")
            ready, _, _ = select.select([self._replies], [], [], min(POLL_S, left))
            if ready:
                piece = os.read(self._replies, 1 << 16)
                if not piece:
                    raise self._crashed(verb)
                answer = inbox.feed(piece)
                if answer is not None:
                    return answer
                continue
            if look is not None:
                look()
            used = resident_bytes(self._process.pid)
            if used > self.memory_bytes:
                raise WorkerError(
                    "memory",
                    f"{verb} used {used / 2**30:.2f} GiB of memory, more than the limit of "
                    f"{self.memory_bytes / 2**30:.2f} GiB; the worker was ended",
                )

    @property
    def pid(self) -> int:
        """Of the keeper, the parent of the worker's process tree."""
        return self._process.pid

    def _crashed(self, verb: str) -> WorkerError:
        self.end()
        code = self._process.returncode
        how = f"exit code {code}"
        if code > 128 or code < 0:
            number = code - 128 if code > 0 else -code
            how = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
            if number == signal.SIGKILL:
                how += ": perhaps the system ran out of memory"
        tail = " | ".join(self.tail()[-3:])
        return WorkerError("crashed", f"the worker died in {verb} ({how})" + (f"; stderr ends: {tail}" if tail else ""))

    def tail(self) -> list[str]:
        """The last lines that the worker wrote to its standard error."""
        with self.logs[1].open("rb") as handle:
            handle.seek(max(0, self.logs[1].stat().st_size - TAIL_BYTES))
            text = handle.read().decode("utf-8", errors="replace")
        return [line.strip()[:300] for line in text.splitlines() if line.strip()]

    def end(self) -> None:
        """End the worker and everything that it started, and wait until it is gone. Does nothing the second time."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._close_pipes()
        self._scratch.cleanup()
        for log in self.logs:
            _keep_end(log)

    def _close_pipes(self) -> None:
        os.close(self._requests)
        os.close(self._replies)


def variables(inherit: Sequence[str], declared: Mapping[str, str]) -> dict[str, str]:
    """The worker's whole environment: a few of the host's variables, those in ``inherit``, and the ``declared``."""
    kept = {name: os.environ[name] for name in (*INHERITED, *inherit) if name in os.environ}
    return {**kept, **declared}


def memory_limit_bytes() -> int:
    """85 % of this machine's memory."""
    return int(0.85 * os.sysconf("SC_PHYS_PAGES") * PAGE_BYTES)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; 0 for one that has gone."""
    total = 0
    try:
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(resident_bytes(int(child)) for child in children.read_text().split())
    except OSError:
        return total
    return total


def _keep_end(log: Path) -> None:
    size = log.stat().st_size
    if size <= LOG_BYTES:
        return
    with log.open("rb") as handle:
        handle.seek(size - LOG_BYTES)
        end = handle.read()
    log.write_bytes(f"[{size - LOG_BYTES} bytes left out]\n".encode() + end)
