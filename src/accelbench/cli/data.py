"""Options that put real data in the place of a task's own samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from accelbench.errors import UsageError
from accelbench.zoo.real import DOWNLOAD, Asked

_OPTIONS = (
    click.option(
        "--data", help=f"Real data to judge a TASK on: a folder or file, or `{DOWNLOAD}` where that is possible."
    ),
    click.option("--samples", type=click.IntRange(min=1), help="So many of the real data's items. Default: all."),
    click.option(
        "--tokenizer", help=f"The model's tokenizer.json or vocab.txt, for data that are text; or `{DOWNLOAD}`."
    ),
    click.option("--stages", is_flag=True, help="Time loading, pre- and postprocessing of the real data as well."),
)


def data_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command these options; it gets what they ask for as ``data`` (None: nothing), and ``stages``."""

    @wraps(command)
    def collected(data: str | None, samples: int | None, tokenizer: str | None, stages: bool, **words: Any) -> int:
        given = {"--samples": samples, "--tokenizer": tokenizer, "--stages": stages or None}
        lonely = [name for name, value in given.items() if value is not None]
        if data is None and lonely:
            raise UsageError(f"{lonely[0]} is about real data, which --data names")
        asked = None if data is None else Asked(data, samples, tokenizer)
        return command(data=asked, stages=stages, **words)

    for option in reversed(_OPTIONS):
        collected = option(collected)
    return collected
