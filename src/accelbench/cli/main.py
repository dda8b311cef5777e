"""The command ``accelbench``: one module per verb; errors end here as one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import click
import numpy.random  # noqa: F401 - were it imported later, its modules would swallow a Ctrl-C that comes meanwhile

from accelbench import __version__
from accelbench.cli.lazy import LazyGroup
from accelbench.errors import AccelbenchError

USAGE = 2
INTERRUPTED = 130

VERBS = {
    "run": "run:run",
    "zoo": "zoo:zoo",
    "backend": "backend:backend",
    "report": "report:report",
    "key": "key:key",
    "compare": "compare:compare",
    "diff": "diff:diff",
    "store": "store:store",
    "query": "query:query",
    "convert": "convert:convert",
    "reproduce": "reproduce:reproduce",
    "check": "check:check",
    "submit": "submit:submit",
    "repository": "submit:repository",
    "profile": "profile:profile",
    "hardware": "hardware:hardware",
    "board": "board:board",
    "advise": "advise:advise",
    "import": "import_:import_",
    "self-test": "selftest:selftest",
}


@click.group(
    cls=LazyGroup, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="accelbench")
def accelbench() -> None:
    """Which AI accelerator, judged by results: compile, accuracy, numerical drift, speed and cost.

    Start with `accelbench zoo list` and `accelbench backend list`, then `accelbench run TASK -b BACKEND --quick`.
    """


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line and exit with its code: 0 done, 1 something failed or left its tolerance, 2 bad usage."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = accelbench.main(standalone_mode=False)
    except click.UsageError as error:
        hint = f" (see: {error.ctx.command_path} --help)" if error.ctx else ""
        code = _complain(f"{error.format_message()}{hint}", USAGE)
    except click.ClickException as error:
        code = _complain(error.format_message(), USAGE)
    except AccelbenchError as error:
        code = _complain(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _complain("interrupted; what was finished is kept", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _complain(f"the system refused something: {error}", 1)
    sys.exit(code)


def _complain(text: str, code: int) -> int:
    line = " ".join(text.split())
    print(f"accelbench: {line}", file=sys.stderr)  # noqa: T201 - the one place that speaks to a person without a table
    return code
