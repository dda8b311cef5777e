"""Where a worker process begins: ``python -I boot.py ADAPTER REQUESTS REPLIES SCRATCH`` (two descriptors of
pipes, and the folder that the worker has for temporary files).

The process that runs this script becomes the *keeper*: it forks the worker, waits, and when the host lets go of the
keeper's standard input (also by being killed) or the worker ends, it kills everything that the worker started, removes
SCRATCH, and exits with the worker's exit code, or 128 + the signal that ended it. As a child subreaper (prctl(2)) it
inherits every orphan below it, so that no descendant escapes, whatever group or session it has moved to. Should the
keeper itself be killed, the worker dies with it (PR_SET_PDEATHSIG).

The worker makes the one package ``accelbench`` importable from the folder that this file lies in, and nothing else of
the host's environment. Entries of a declared PYTHONPATH, which ``-I`` ignores, are put on its path.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    adapter, requests, replies = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(waker)
    keeper = os.getpid()
    worker = os.fork()
    if worker == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(wake)
        os.close(waker)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            return 1
        return _work(adapter, requests, replies)
    os.close(requests)
    os.close(replies)
    code = _keep(worker, wake)
    shutil.rmtree(sys.argv[4], ignore_errors=True)
    return code


def _work(adapter: Path, requests: int, replies: int) -> int:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for descriptor in (requests, replies):
        os.set_inheritable(descriptor, False)
    sys.path += [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    package = Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        "accelbench", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        return 1
    module = importlib.util.module_from_spec(spec)
    sys.modules["accelbench"] = module
    spec.loader.exec_module(module)
    importlib.import_module("accelbench.worker.main").serve(adapter, requests, replies)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _keep(worker: int, wake: int) -> int:
    """Wait for the host or the worker to end, then end all that is left. Returns the exit code."""
    status = None
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(wake, select.POLLIN)
    while status is None:
        ready = dict(poll.poll())
        if wake in ready:
            os.read(wake, 512)
            status = _reap(worker)
        if 0 in ready and not os.read(0, 512):
            break
    while True:
        for child in _children():
            os.kill(child, signal.SIGKILL)
        try:
            ended, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if ended == worker:
            status = code
        if ended == 0:
            time.sleep(0.002)
    if status is None:
        return 1
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _reap(worker: int) -> int | None:
    """Collect children that have ended; the worker's wait status when it is one of them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if ended == worker:
            return status
        if ended == 0:
            return None


def _children() -> list[int]:
    own = os.getpid()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after_name[1]) == own and after_name[0] != "Z":
                found.append(int(entry.name))
    return found


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


if __name__ == "__main__":
    sys.exit(main())
