from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.unit.report.sample import report as sample

from accelbench import model
from accelbench.errors import AccelbenchError, UsageError
from accelbench.report import codec, store
from accelbench.report.store import RunDirectory

DRAFT = sample(bins=2)


def put(run: RunDirectory, draft: model.Report = DRAFT) -> Path:
    with run.staging() as staging:
        (staging / "columns" / "offline-1").mkdir(parents=True)
        (staging / "columns" / "offline-1" / "0.bin").write_bytes(b"\0" * 16)
        (staging / "worker.log").write_text("compiled\n")
        return run.put(draft, staging, {"user": "mei"})


def edit(file: Path, data: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(data)


def test_a_stored_report_opens_and_verifies(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a" / "out")
    folder = put(run)
    report, found = store.open_report(folder)
    assert found == folder == run.reports / f"resnet50--openvino--bf16--{report.id[:12]}"
    assert set(report.files) == {"columns/offline-1/0.bin", "worker.log"}
    assert replace(report, id="", files={}) == DRAFT
    assert store.open_report(folder / "report.json") == (report, folder)
    assert store.verify(folder) == ()
    assert list(store.reports(run.path)) == [(report, folder)]


def test_files_are_read_only_and_private_facts_lie_outside_the_hash(tmp_path: Path) -> None:
    folder = put(RunDirectory.create(tmp_path / "out"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {"report.json": 0o444, "0.bin": 0o444, "worker.log": 0o444, "private.json": 0o400}
    assert "mei" not in (folder / "report.json").read_text()
    (folder / "private.json").unlink()
    assert store.verify(folder) == ()


def test_verify_names_every_file_that_differs(tmp_path: Path) -> None:
    folder = put(RunDirectory.create(tmp_path / "out"))
    edit(folder / "worker.log", b"compiled!\n")
    (folder / "columns" / "offline-1" / "0.bin").unlink()
    (folder / "more.txt").write_text("")
    assert store.verify(folder) == (
        "more.txt: not named in the report",
        "columns/offline-1/0.bin: missing",
        "worker.log: content differs",
    )


def test_a_link_in_place_of_a_file_is_found(tmp_path: Path) -> None:
    folder = put(RunDirectory.create(tmp_path / "out"))
    (folder / "worker.log").rename(tmp_path / "elsewhere")
    (folder / "worker.log").symlink_to(tmp_path / "elsewhere")
    assert store.verify(folder) == ("worker.log: not a plain file",)


def test_names_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "out")
    outside = replace(DRAFT, files={"../../x": "0" * 64, "/etc/hostname": "0" * 64})
    folder = run.reports / "stranger"
    folder.mkdir()
    (folder / "report.json").write_bytes(codec.encode(codec.identify(outside)))
    assert store.verify(folder) == (
        "../../x: lies outside the report's folder",
        "/etc/hostname: lies outside the report's folder",
    )


def test_an_edited_report_does_not_open(tmp_path: Path) -> None:
    folder = put(RunDirectory.create(tmp_path / "out"))
    data = (folder / "report.json").read_bytes()
    edit(folder / "report.json", data.replace(b'"status":"ok"', b'"status":"failed"'))
    with pytest.raises(AccelbenchError, match=r"report\.json: the content does not match"):
        store.open_report(folder)
    edit(folder / "report.json", data[:-100])
    with pytest.raises(UsageError, match=r"report\.json: not a report in JSON"):
        store.open_report(folder)


def test_a_place_without_a_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no report can be read here \(No such file"):
        store.open_report(tmp_path)
    with pytest.raises(UsageError, match="not a run directory"):
        list(store.reports(tmp_path))


def test_the_same_report_is_never_overwritten(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "out")
    folder = put(run)
    before = (folder / "report.json").stat().st_mtime_ns
    with pytest.raises(UsageError, match="never overwritten"):
        put(run)
    assert (folder / "report.json").stat().st_mtime_ns == before
    assert list(run.reports.iterdir()) == [folder]


def test_a_draft_that_cannot_be_stored_leaves_nothing(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "out")
    with pytest.raises(AccelbenchError, match=r"created: .*string"):
        put(run, replace(DRAFT, created=5))  # type: ignore[arg-type]
    assert not any(run.reports.iterdir())


def test_only_plain_files_are_taken(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "out")
    for name in ("report.json", "link", "folder-link"):
        with run.staging() as staging, pytest.raises(AccelbenchError, match=f"{name} cannot be part of a report"):
            if name == "report.json":
                (staging / name).write_text("")
            else:
                (staging / name).symlink_to(tmp_path)
            run.put(DRAFT, staging, {})


def test_odd_names_make_plain_folders() -> None:
    draft = replace(DRAFT, id="f" * 64, task=replace(DRAFT.task, id="../a b/模型" + "x" * 300))
    name = store.folder_name(draft)
    assert name.startswith("_a_b___xxx")
    assert name.endswith("x--openvino--bf16--ffffffffffff")
    assert len(name) < 200


def test_a_directory_that_holds_anything_is_refused(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path / "run")
    with pytest.raises(UsageError, match="run already holds a run, nothing is overwritten: choose another -o"):
        RunDirectory.create(tmp_path / "run")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "x").write_text("")
    with pytest.raises(UsageError, match="files already holds files"):
        RunDirectory.create(tmp_path / "files")
    with pytest.raises(UsageError, match="x is a file: choose another -o"):
        RunDirectory.create(tmp_path / "files" / "x")
    with pytest.raises(UsageError, match=r"cannot be made \(Not a directory\)"):
        RunDirectory.create(tmp_path / "files" / "x" / "y")
    (tmp_path / "empty").mkdir()
    assert RunDirectory.create(tmp_path / "empty").reports.is_dir()


def test_without_a_path_the_time_names_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.struct_time((2026, 1, 2, 3, 4, 5, 4, 2, 0))
    monkeypatch.setattr(time, "gmtime", lambda: now)
    monkeypatch.chdir(tmp_path)
    made = [RunDirectory.create(None).path for _ in range(3)]
    assert [str(path) for path in made] == [
        "accelbench-results/20260102-030405",
        "accelbench-results/20260102-030405-2",
        "accelbench-results/20260102-030405-3",
    ]


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "no space left on the disk of"), (errno.EROFS, "cannot be written")]
)
def test_a_disk_that_takes_no_more_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    run = RunDirectory.create(tmp_path / "out")

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", lambda *_: refuse())
        with run.staging() as staging, pytest.raises(AccelbenchError, match=said):
            run.put(DRAFT, staging, {})
    assert not any(run.reports.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(AccelbenchError, match=said):
            RunDirectory.create(tmp_path / "other")


WRITERS = """
import os
import sys
from dataclasses import replace
from pathlib import Path
from accelbench.report.store import RunDirectory
from tests.unit.report.sample import report

def write(out):
    print(os.getpid(), flush=True)
    run = RunDirectory.create(out)
    for number in range(10**9):
        with run.staging() as staging:
            (staging / "columns").mkdir()
            (staging / "columns" / "0.bin").write_bytes(bytes(50_000))
            print(run.put(replace(report(2), command=(str(number),)), staging, {}).name, flush=True)

for line in sys.stdin:
    writer = os.fork()
    if not writer:
        write(Path(line.strip()))
    os.waitpid(writer, 0)
    print("ended", flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_reports_only(tmp_path: Path) -> None:
    moments = random.Random(7)
    stored = 0
    command = [sys.executable, "-c", WRITERS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parents[3]) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for attempt in range(30):
            out = tmp_path / str(attempt)
            print(out, file=writers.stdin, flush=True)
            writer, first = int(writers.stdout.readline()), writers.stdout.readline()
            time.sleep(moments.uniform(0, 0.03))
            os.kill(writer, signal.SIGKILL)
            acknowledged = {line.strip() for line in (first, *iter(writers.stdout.readline, "ended\n"))}
            visible = {folder.name: store.verify(folder) for _, folder in store.reports(out)}
            assert acknowledged <= visible.keys()
            assert len(visible) <= len(acknowledged) + 1
            assert not any(visible.values())
            stored += len(visible)
    assert stored > 30
