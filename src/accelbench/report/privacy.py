"""What could identify a person or a machine: taken out of what is shared, kept in a file of its own."""

from __future__ import annotations

import getpass
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOBODY = frozenset({"root", "user", "admin", "nobody", "runner", "docker", "ubuntu", "debian", "localhost"})
"""Names that tell nothing of anybody; replacing them would only spoil logs."""

SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE|KEY", re.IGNORECASE)
REDACTED = "<redacted>"


@dataclass(frozen=True)
class Identity:
    """What to look for: folders of the person and of the work, and the names of the user and the host."""

    cwd: str
    home: str
    user: str
    host: str


def here() -> Identity:
    """The identity of this process. What cannot be found out is an empty string."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in this container
        user = ""
    try:
        cwd = str(Path.cwd())
    except FileNotFoundError:  # it was removed under us
        cwd = ""
    return Identity(cwd, os.path.expanduser("~").removeprefix("~"), user, platform.node())  # noqa: PTH111


def scrub(text: str, identity: Identity) -> str:
    """``text`` with the current folder, the home folder, the host name and the user name as ``<cwd>``, ``<home>``,
    ``<host>`` and ``<user>``. Paths are found also where they are spelled through symbolic links; names are found as
    whole words in any case."""
    folders = {
        spelled: mark
        for folder, mark in ((identity.home, "<home>"), (identity.cwd, "<cwd>"))
        if folder
        for spelled in (folder, os.path.realpath(folder))
        if spelled != "/"
    }
    for folder in sorted(folders, key=len, reverse=True):
        text = re.sub(re.escape(folder) + r"(?![\w.-])", folders[folder], text)
    names = {identity.host: "<host>", identity.host.split(".")[0]: "<host>", identity.user: "<user>"}
    for name in sorted(names, key=len, reverse=True):
        if name and name.lower() not in NOBODY:
            text = re.sub(rf"(?<![\w<]){re.escape(name)}(?![\w>])", names[name], text, flags=re.IGNORECASE)
    return text


def private_facts(
    command: Sequence[str], identity: Identity, environment: Mapping[str, str]
) -> dict[str, str | list[str] | dict[str, str]]:
    """The facts that stay out of the report and its hash, for the owner of the machine. Variables whose name speaks
    of a secret keep their name only."""
    return {
        "host": identity.host,
        "user": identity.user,
        "home": identity.home,
        "cwd": identity.cwd,
        "python": sys.executable,
        "command": list(command),
        "environment": {
            name: REDACTED if SECRET.search(name) else value for name, value in sorted(environment.items())
        },
    }
