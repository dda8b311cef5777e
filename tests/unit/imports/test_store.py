"""Claims in a store: whole or not at all, unchanged, found again; what is read from folders; bad input."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.imports import documents

from accelbench.errors import AccelbenchError, UsageError
from accelbench.imports import store
from accelbench.imports.find import find, imported, read_bytemlperf, read_mlperf
from accelbench.imports.source import Imported, Origin

JSON = frozenset({".json"})


def write(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def read(path: Path) -> list[Imported]:
    found = find(path, read_bytemlperf, JSON, "report", Origin(url="https://example.org", commit="abc"))
    return [one for _, one in imported(found)]


def test_a_claim_is_stored_once_with_its_source(tmp_path: Path) -> None:
    source = write(tmp_path / "in", "One.json", documents.hardware())
    (one,) = read(source)
    folder, new = store.put(tmp_path / "store", one)
    assert new
    assert folder.parent == tmp_path / "store" / "claims"
    assert (folder / "source" / "One.json").read_bytes() == source.read_bytes()
    assert set(json.loads((folder / "import.json").read_text())) == {"imported", "accelbench"}
    assert 'id = "acme-one"' in (folder / "device.toml").read_text()
    assert store.verify(folder) == ()
    ((claim, where),) = store.claims(tmp_path / "store")
    assert (claim.source.url, claim.source.commit, where) == ("https://example.org", "abc", folder)
    before = (folder / "import.json").stat().st_mtime_ns
    assert store.put(tmp_path / "store", one) == (folder, False)
    assert (folder / "import.json").stat().st_mtime_ns == before


def test_a_change_is_found(tmp_path: Path) -> None:
    (one,) = read(write(tmp_path, "result.json", documents.report()))
    folder, _ = store.put(tmp_path / "store", one)
    kept = folder / "source" / "result.json"
    kept.chmod(0o644)
    kept.write_text(kept.read_text().replace("1000.5", "2000.5"))
    assert store.verify(folder) == ("source/result.json: content differs",)
    kept.unlink()
    assert store.verify(folder) == ("source/result.json: missing",)
    kept.symlink_to(tmp_path / "result.json")
    assert store.verify(folder) == ("source/result.json: missing",)
    claim = folder / "claim.json"
    claim.chmod(0o644)
    claim.write_text(claim.read_text().replace("1000.5", "2000.5"))
    with pytest.raises(AccelbenchError, match="does not match the claim's id"):
        store.open_claim(folder)
    claim.unlink()
    with pytest.raises(UsageError, match="no claim can be read"):
        store.open_claim(folder)


@pytest.mark.parametrize("name", ["../../../secret", "/etc/hostname", "..", "a/b"])
def test_a_source_outside_of_the_folder_is_found(tmp_path: Path, name: str) -> None:
    (one,) = read(write(tmp_path, "result.json", documents.report()))
    hostile = replace(one.claim, source=replace(one.claim.source, name=name))
    folder = tmp_path / "claim"
    folder.mkdir()
    (folder / "claim.json").write_bytes(store.FORM.encode(store.FORM.identify(hostile)))
    assert store.verify(folder) == (f"source/{name}: lies outside the claim's folder",)


def test_a_store_without_claims_has_none(tmp_path: Path) -> None:
    assert list(store.claims(tmp_path)) == []


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (one,) = read(write(tmp_path, "result.json", documents.report()))
    (tmp_path / "store").write_text("")
    with pytest.raises(UsageError, match="--store"):
        store.put(tmp_path / "store", one)


def test_a_folder_is_read_through_and_other_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "STC/bert/result.json", documents.report())
    write(tmp_path, "zoo/One.json", documents.hardware())
    write(tmp_path, "package.json", {"name": "x"})
    found = find(tmp_path, read_bytemlperf, JSON, "report", Origin())
    assert [(each.path.name, each.skipped) for each in found] == [
        ("result.json", False),
        ("package.json", True),
        ("One.json", False),
    ]
    with pytest.raises(UsageError, match=r"package\.json is no report"):
        read(tmp_path / "package.json")
    with pytest.raises(UsageError, match="no report in this folder"):
        find(tmp_path / "zoo", read_mlperf, frozenset({".json"}), "report", Origin())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'{"Model": "a", "Model": "b"}', 'key "Model" stands twice'),
        (b'{"Model": "a"', "not JSON"),
        (b"\xff{}", "not UTF-8"),
        (b'{"Model": "\\ud800", "Backend": "x"}', "surrogate"),
        (b"[" * 100_000, "nested too deeply"),
        (b"", "not JSON"),
    ],
)
def test_bad_files_stop_the_import_before_anything_is_stored(tmp_path: Path, content: bytes, complaint: str) -> None:
    write(tmp_path, "a.json", documents.report())
    (tmp_path / "b.json").write_bytes(content)
    with pytest.raises(UsageError, match=complaint) as caught:
        read(tmp_path)
    assert "b.json" in str(caught.value)


def test_mlperf_files_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "systems/box.json", documents.SYSTEM)
    write(tmp_path, "summary_results.json", [documents.row(), documents.row(Scenario="Server")])
    (tmp_path / "summary.csv").write_text(documents.CSV, encoding="utf-8")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "mlperf_log_summary.txt").write_text("SUT name : x\n", encoding="utf-8")
    (tmp_path / "mlperf_log_trace.json").write_text("[", encoding="utf-8")
    found = find(tmp_path, read_mlperf, frozenset({".json", ".csv", ".txt"}), "result", Origin())
    kinds = [one.claim.source.kind for _, one in imported(found)]
    assert sorted(kinds) == ["mlperf-loadgen", *["mlperf-results"] * 3, "mlperf-system"]
    for _, one in imported(found):
        folder, new = store.put(tmp_path / "store", one)
        assert new
        assert store.verify(folder) == ()


FOR_EVER = """
import sys
from pathlib import Path
from accelbench.imports import store
from accelbench.imports.find import read_bytemlperf
from accelbench.imports.source import Origin
source, into, told = map(Path, sys.argv[1:])
text = source.read_text(encoding="utf-8")
for number in range(10_000):
    source.write_text(text.replace("OPEN_SQUAD", f"set {number}"), encoding="utf-8")
    folder, _ = store.put(into, read_bytemlperf(source, Origin())[0])
    with told.open("a", encoding="utf-8") as file:
        file.write(folder.name + "\\n")
"""


@pytest.mark.parametrize(
    "delay", [0.05, *(pytest.param(delay, marks=pytest.mark.slow) for delay in (0.0, 0.011, 0.023, 0.071, 0.13))]
)
def test_an_import_that_is_killed_leaves_whole_claims(tmp_path: Path, delay: float) -> None:
    source, told = write(tmp_path, "result.json", documents.report()), tmp_path / "told"
    told.write_text("")
    words = [sys.executable, "-c", FOR_EVER, str(source), str(tmp_path / "store"), str(told)]
    with subprocess.Popen(words) as victim:
        while not told.read_text() and victim.poll() is None:
            time.sleep(0.005)
        time.sleep(delay)
        victim.kill()
    found = {folder.name for _, folder in store.claims(tmp_path / "store")}
    assert found
    assert set(told.read_text().splitlines()) <= found
    assert all(store.verify(tmp_path / "store" / "claims" / name) == () for name in found)
