from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import NoReturn

import pytest

from accelbench.report.privacy import REDACTED, Identity, here, private_facts, scrub

WHO = Identity(cwd="/home/mei/lab/bench", home="/home/mei", user="mei", host="node7.example.org")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/mei/lab/bench/out/model.xml", "<cwd>/out/model.xml"),
        ("read /home/mei/.cache/x, '/home/mei'", "read <home>/.cache/x, '<home>'"),
        ("/home/meiling/x /home/mei-old", "/home/meiling/x /home/<user>-old"),
        ("by mei@node7 and MEI@node7.example.org", "by <user>@<host> and <user>@<host>"),
        ("/data/mei/weights", "/data/<user>/weights"),
        ("meitner, node77, premei", "meitner, node77, premei"),
        ("", ""),
    ],
)
def test_folders_and_names_are_taken_out(text: str, expected: str) -> None:
    assert scrub(text, WHO) == expected
    assert scrub(expected, WHO) == expected


def test_values_of_variables_are_taken_out() -> None:
    variables = (
        ("DATA_ROOT", "/srv/vault"),
        ("HTTPS_PROXY", "http://mei:word@proxy:80"),
        ("HF_TOKEN", "t0k3n"),
        ("LANG", "en_GB.UTF-8"),
        ("WORKERS", "16000000"),
        ("SHORT", "abc"),
        ("HERE", "/home/mei"),
    )
    who = Identity("/home/mei/lab", "/home/mei", "mei", "node7", variables)
    text = "open /srv/vault/x by http://mei:word@proxy:80 with t0k3n; en_GB.UTF-8 16000000 abc /home/mei/y"
    expected = "open <$DATA_ROOT>/x by <$HTTPS_PROXY> with <$HF_TOKEN>; en_GB.UTF-8 16000000 abc <home>/y"
    assert scrub(text, who) == expected
    assert scrub(expected, who) == expected
    assert scrub("--data /srv/vault --key t0k3n", who.typed) == "--data /srv/vault --key <$HF_TOKEN>"


def test_a_name_that_is_a_mark_does_not_spoil_the_marks() -> None:
    odd = Identity(cwd="/w", home="/h", user="home", host="cwd")
    assert scrub("/h/a /w/b home cwd", odd) == "<home>/a <cwd>/b <user> <host>"


def test_names_of_nobody_and_absent_facts_change_nothing() -> None:
    nobody = Identity(cwd="/", home="", user="root", host="localhost")
    assert scrub("root of / at localhost", nobody) == "root of / at localhost"


def test_a_folder_reached_through_a_link_is_found_in_both_spellings(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    who = Identity(cwd=str(tmp_path / "link"), home="", user="", host="")
    assert scrub(f"{tmp_path}/link/a {tmp_path}/real/a", who) == "<cwd>/a <cwd>/a"


def test_here_is_this_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somewhere")
    assert (here().cwd, here().home) == (os.path.realpath(tmp_path), "/somewhere")


def test_a_user_without_a_name_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> NoReturn:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert here().user == ""


def test_private_facts_keep_no_secrets() -> None:
    variables = {"PATH": "/bin", "HF_TOKEN": "abc", "AWS_SECRET_ACCESS_KEY": "def"}
    facts = private_facts(["/opt/bin/accelbench", "run"], WHO, variables)
    assert facts["command"] == ["/opt/bin/accelbench", "run"]
    assert facts["environment"] == {"AWS_SECRET_ACCESS_KEY": REDACTED, "HF_TOKEN": REDACTED, "PATH": "/bin"}
