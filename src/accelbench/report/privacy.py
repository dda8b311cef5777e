"""What could identify a person or a machine: taken out of what is shared, kept in a file of its own."""

from __future__ import annotations

import getpass
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

NOBODY = frozenset({"root", "user", "admin", "nobody", "runner", "docker", "ubuntu", "debian", "localhost"})
"""Names that tell nothing of anybody; replacing them would only spoil logs."""

SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE|KEY", re.IGNORECASE)
"""Names of variables whose values are nobody's business."""

TOLD_ELSEWHERE = re.compile(
    r"PATH|SHELL|HOME|USER|LOGNAME|HOSTNAME|PWD|OLDPWD|TERM|COLORTERM|LANG|LANGUAGE|LC_\w+|TZ|_"
)
"""Names of variables whose values are every machine's, or are found as folders and names."""

SHORTEST, SHORTEST_SECRET = 6, 4
"""Values of fewer letters are no one's own: replacing them would only spoil logs."""

REDACTED = "<redacted>"


@dataclass(frozen=True)
class Identity:
    """What to look for: folders of the person and of the work, the names of the user and the host, and environment
    variables."""

    cwd: str
    home: str
    user: str
    host: str
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def typed(self) -> Identity:
        """What to look for in words that a person typed: of the variables those with secrets alone. The words of a
        command are often the values of others, and have to stay to say what was done."""
        return replace(self, variables=tuple(each for each in self.variables if SECRET.search(each[0])))


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
    home = os.path.expanduser("~").removeprefix("~")  # noqa: PTH111
    return Identity(cwd, home, user, platform.node(), tuple(sorted(os.environ.items())))


def scrub(text: str, identity: Identity) -> str:
    """``text`` with the current folder, the home folder, the host name and the user name as ``<cwd>``, ``<home>``,
    ``<host>`` and ``<user>``, and values of variables as ``<$NAME>``. Paths are found also where they are spelled
    through symbolic links; names are found as whole words in any case."""
    for name, value in _telling(identity):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"<${name}>", text)
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


def _telling(identity: Identity) -> list[tuple[str, str]]:
    """The variables whose values say something of this person or machine, the longest first."""
    found = []
    for name, value in identity.variables:
        secret = SECRET.search(name) is not None
        least = SHORTEST_SECRET if secret else SHORTEST
        plain = TOLD_ELSEWHERE.fullmatch(name) or (value.isdecimal() and not secret)
        if len(value) >= least and not plain and value not in (identity.cwd, identity.home):
            found.append((name, value))
    return sorted(found, key=lambda each: len(each[1]), reverse=True)


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
