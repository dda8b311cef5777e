"""IREE's importer and compiler in one process that keeps both in memory: starting them takes longer than most of what
they do for a small model.

``python -I toolbox_process.py`` reads requests from its standard input, a line of JSON each: a tool's ``name``, its
``words``, a file ``log`` for what the tool prints and the seconds that it may take. A fork of the process carries it
out, so that a tool that crashes takes nothing with it; a line with its exit code, or with the negative number of the
signal that ended it, is the answer. The process ends when nothing has been asked for IDLE_S: it does not lie beside a
model that is being timed. It needs IREE alone.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from iree.compiler import api
from iree.compiler.tools.import_onnx import __main__ as importer

IDLE_S = 1.0


def main() -> None:
    while select.select([sys.stdin], [], [], IDLE_S)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(f"{_forked(json.loads(line))}\n")
        sys.stdout.flush()


def _forked(request: Mapping[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        try:
            _child(request)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _child(request: Mapping[str, Any]) -> None:
    signal.alarm(request["limit_s"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code = 1
    try:
        code = TOOLS[request["name"]](request["words"])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _import(words: Sequence[str]) -> int:
    importer.main(importer.parse_arguments(words))
    return 0


def _compile(words: Sequence[str]) -> int:
    """``SOURCE FLAG… -o MODULE``."""
    source, *flags, _, module = words
    api._initializeGlobalCL("iree-compile", *flags)  # a session's own flags are fewer
    session = api.Session()
    work = session.invocation()
    work.enable_console_diagnostics()
    if not (work.parse_source(api.Source.open_file(session, source)) and work.execute()):
        return 1
    output = api.Output.open_file(module)
    work.output_vm_bytecode(output)
    output.keep()
    output.close()
    return 0


TOOLS = {"iree-import-onnx": _import, "iree-compile": _compile}

if __name__ == "__main__":
    main()
