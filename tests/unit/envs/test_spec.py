import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.envs.stub import ADAPTER, OPTIONS, TOML, stub

from accelbench.envs import options, spec
from accelbench.envs.tables import BackendTable
from accelbench.errors import UsageError

MORE_OPTIONS = (
    OPTIONS
    + """
[options.warm]
type = "bool"
text = "warm"
default = true

[options.steps]
type = "int"
text = "steps"
default = 3
needs = { mode = ["exact"], warm = ["true"] }
"""
)

OF_SOME_PRECISIONS = """
[options.ranges]
type = "str"
text = "ranges"
needs = { precision = ["fp32", "int8"] }
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCELBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ACCELBENCH_BACKENDS", raising=False)
    return tmp_path / "home"


def with_precisions(tmp_path: Path) -> BackendTable:
    """The stub's table with more precisions, and the options above."""
    table = stub(tmp_path / "stub").table.model_dump(exclude={"precisions", "options"})
    declared = tomllib.loads(MORE_OPTIONS + OF_SOME_PRECISIONS)
    return BackendTable.model_validate({**table, **declared, "precisions": ["fp32", "bf16", "int8"]})


def test_the_shipped_backends_are_found_and_well_formed() -> None:
    found = spec.backends()
    assert set(found) >= {"null", "onnxruntime", "openvino", "mnn", "onnxruntime-openvino"}
    assert all(name == backend.folder.name and spec.is_shipped(backend) for name, backend in found.items())
    assert all((backend.folder / "README.md").is_file() for backend in found.values())
    for backend in (backend for backend in found.values() if backend.table.environment.kind == "venv"):
        assert backend.lock_sha256 is not None
        assert "--hash=sha256:" in backend.lock.read_text()
        assert "index-url" not in backend.lock.read_text()


def test_backends_for_absent_hardware_say_so_and_need_more_than_a_python() -> None:
    found = {name: backend for name, backend in spec.backends().items() if backend.table.environment.kind == "system"}
    assert set(found) == {"onnxruntime-gpu", "ascend", "gaudi"}
    for backend in found.values():
        assert backend.table.untested
        assert backend.table.environment.packages
        assert {"driver"} < set(backend.table.environment.probes)
        assert "**Untested on hardware.**" in (backend.folder / "README.md").read_text(encoding="utf-8")
    one, other = ((found[name].folder / "ort_session.py").read_bytes() for name in ("onnxruntime-gpu", "ascend"))
    assert one == other, "a folder stands alone, but what both need is one text"


def test_a_folder_imports_nothing_of_another_nor_of_itself_as_shipped() -> None:
    """In a deployable it is a copy that runs."""
    for backend in spec.backends().values():
        for file in backend.folder.glob("*.py"):
            assert set(re.findall(r"accelbench\.backends\.(\w+)", file.read_text(encoding="utf-8"))) <= {"protocol"}, (
                file
            )


def test_backends_from_outside_are_found(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path / "one")
    two = stub(tmp_path / "two")
    (two.folder / "backend.toml").write_text((two.folder / "backend.toml").read_text().replace('"stub"', '"other"'))
    monkeypatch.setenv("ACCELBENCH_BACKENDS", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    assert {"stub", "other"} <= set(spec.backends())
    assert spec.find("other").folder == tmp_path / "two"
    half_made = home / "backends" / ".stub.xyz"
    half_made.mkdir(parents=True)
    (half_made / "backend.toml").write_text("")
    assert "stub" in spec.backends()


def test_two_of_the_same_name_are_told_to_who_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path / "one")
    stub(tmp_path / "two")
    monkeypatch.setenv("ACCELBENCH_BACKENDS", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    with pytest.raises(UsageError, match=r"one and .*two both are 'stub': remove one"):
        spec.find("stub")
    known, broken = spec.survey()
    assert "stub" not in known
    assert [each.folder for each in broken] == [tmp_path / "one", tmp_path / "two"]
    assert spec.find("onnxruntime").name == "onnxruntime"


def test_a_folder_that_is_listed_twice_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELBENCH_BACKENDS", os.pathsep.join([str(stub(tmp_path / "one").folder)] * 2))
    assert spec.find("stub").folder == tmp_path / "one"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda folder: (folder / "backend.toml").unlink(), "backend.toml cannot be read"),
        (lambda folder: (folder / "adapter.py").unlink(), "has no adapter.py"),
        (lambda folder: (folder / "backend.toml").write_bytes(b""), "backend.toml: name: "),
        (lambda folder: (folder / "backend.toml").write_bytes(b"\xff\xfe"), "backend.toml cannot be read"),
    ],
)
def test_a_broken_folder_stops_only_who_names_it(home: Path, spoil: Callable[[Path], object], problem: str) -> None:
    folder = home / "backends" / "half"
    folder.parent.mkdir(parents=True)
    spoil(stub(folder).folder)
    known, (broken,) = spec.survey()
    assert {"onnxruntime", "null"} <= set(known)
    assert (broken.name, broken.folder) == ("half", folder)
    assert problem in broken.problem
    with pytest.raises(UsageError, match=f"backend 'half' cannot be used: .*{problem}"):
        spec.find("half")
    with pytest.raises(UsageError, match=r"no backend is called 'haaf'.*; broken are half: see"):
        spec.find("haaf")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UsageError,
        match=r"no backend is called 'onnxruntim' \(did you mean onnxruntime or onnxruntime-gpu\?\); known are",
    ):
        spec.find("onnxruntim")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('name = "stub"', 'name = "Stub!"', "name"),
        ('name = "stub"', "", "name"),
        ('precisions = ["fp32"]', "precisions = []", "precisions"),
        ('version = "1"', "version = 1", "version"),
        ('kind = "system"', 'kind = "container"', "environment.kind"),
        ('kind = "system"', 'kind = "system"\nshell = "sh"', "environment.shell"),
        ('kind = "system"', 'kind = "system"\nprobes = {v = []}', "environment.probes.v"),
        ('title = "Stub"', 'title = "Stub"\ncolour = "red"', "colour"),
        ('kind = "system"', 'kind = "venv"', "requirements.lock"),
        ('kind = "system"', 'kind = "system"\npackages = "sdk"', "environment.packages"),
        ('kind = "system"', 'kind = "system"\nunlocked = ["heavy"]', "environment.unlocked"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_field(tmp_path: Path, old: str, new: str, field: str) -> None:
    text = TOML.format(python="python3")
    assert old in text
    (tmp_path / "backend.toml").write_text(text.replace(old, new))
    (tmp_path / "adapter.py").write_text(ADAPTER)
    with pytest.raises(UsageError) as caught:
        spec.read(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert field in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["backend.toml", "adapter.py"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    backend = stub(tmp_path / "stub")
    (backend.folder / missing).unlink()
    with pytest.raises(UsageError, match=missing):
        spec.read(backend.folder)


def test_text_that_is_not_toml(tmp_path: Path) -> None:
    backend = stub(tmp_path / "stub")
    (backend.folder / "backend.toml").write_text("name = ")
    with pytest.raises(UsageError, match="is not TOML"):
        spec.read(backend.folder)


def test_options_are_checked_and_filled_up(tmp_path: Path) -> None:
    backend = stub(tmp_path / "stub", more=MORE_OPTIONS)
    assert backend.options({}) == {"scale": "0.5", "mode": "fast", "warm": "true"}
    given = {"threads": "4", "scale": "2", "mode": "exact", "warm": "False"}
    assert backend.options(given) == {
        "threads": "4",
        "scale": "2.0",
        "mode": "exact",
        "warm": "false",
    }


def test_an_option_that_needs_another_is_there_where_that_holds(tmp_path: Path) -> None:
    table = with_precisions(tmp_path)
    assert "steps" not in options.resolved(table, {}, ["fp32"])[0]
    assert options.resolved(table, {"mode": "exact"}, ["fp32"])[0]["steps"] == "3"
    assert options.resolved(table, {"mode": "exact", "steps": "7"}, ["fp32"])[0]["steps"] == "7"
    found = options.resolved(table, {"ranges": "wide"}, ["fp32", "bf16", "int8"])
    assert [values.get("ranges") for values in found] == ["wide", None, "wide"]


@pytest.mark.parametrize(
    ("given", "precision", "text"),
    [
        ({"steps": "7"}, "fp32", "option steps of backend stub needs mode to be exact; it is fast"),
        ({"steps": "7", "mode": "exact", "warm": "false"}, "fp32", "needs warm to be true; it is false"),
        ({"ranges": "wide"}, "bf16", "option ranges of backend stub needs precision to be fp32 or int8; it is bf16"),
    ],
)
def test_an_option_whose_needs_do_not_hold_is_refused(
    tmp_path: Path, given: dict[str, str], precision: str, text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        options.resolved(with_precisions(tmp_path), given, [precision])


@pytest.mark.parametrize(
    ("needs", "text"),
    [
        ('later = ["1"]', "option early needs later, which is neither precision nor an option above it"),
        ('precision = ["int4"]', "option early needs precision to be int4; it has fp32"),
        ("precision = []", "options.early.needs.precision"),
    ],
)
def test_needs_that_cannot_be(tmp_path: Path, needs: str, text: str) -> None:
    declared = '[options.{}]\ntype = "int"\ntext = "t"\n'
    with pytest.raises(UsageError, match=text) as caught:
        stub(tmp_path / "stub", more=declared.format("early") + f"needs = {{ {needs} }}\n" + declared.format("later"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("threads", "0", r"it takes int in \[1, 8\]"),
        ("threads", "2.5", "it takes int"),
        ("scale", "much", "it takes float"),
        ("mode", "slow", "it takes one of fast, exact"),
        ("warm", "yes", "it takes true or false"),
        ("thread", "2", r"has no option 'thread' \(did you mean threads\?\)"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, name: str, value: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        stub(tmp_path / "stub", more=MORE_OPTIONS).options({name: value})
