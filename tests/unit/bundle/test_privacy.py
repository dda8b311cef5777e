"""What could identify a person or a host is in no byte of a bundle, packed or not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.bundle.rewriting import contents
from tests.unit.report.sample import report

from accelbench.bundle.pack import kept_outputs, pack
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import verify
from accelbench.errors import UsageError
from accelbench.report.privacy import Identity, private_facts, scrub
from accelbench.report.scrubbing import nobodys
from accelbench.report.store import RunDirectory

WHO = Identity(
    cwd="/home/mei/lab",
    home="/home/mei",
    user="mei",
    host="node7.example.org",
    variables=(("HF_TOKEN", "hf_0123456789"), ("DATA_ROOT", "/srv/vault"), ("https_proxy", "http://mei:word@proxy")),
)
TELLING = (b"/home/mei", b"mei", b"node7", b"hf_0123456789", b"/srv/vault", b"word@proxy")
LOG = "mei@node7: /home/mei/lab/x /home/mei/y hf_0123456789 /srv/vault/z via http://mei:word@proxy\n"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A report of somebody whose stack tells everything."""
    run = RunDirectory.create(tmp_path / "run")
    with run.staging() as staging:
        (staging / "stderr.txt").write_text(scrub(LOG, WHO))
        draft = report(bins=2)
        assert draft.device
        assert draft.environment
        (build, *_), (timed, *_) = draft.builds, draft.measurements
        build = replace(build, compiled=replace(build.compiled, settings={"CACHE_DIR": "/home/mei/cache"}))
        draft = replace(
            draft,
            command=("accelbench", "run", "/home/mei/lab/net.onnx", "--token", "hf_0123456789"),
            reasons=(f"raised: {LOG.strip()}",),
            device=replace(draft.device, properties={"socket": "node7"}),
            environment=replace(draft.environment, probes={"driver": "failed: /home/mei/bin/smi"}),
            builds=(build,),
            measurements=(replace(timed, errors=(LOG.strip(),)),),
            quality=None,
        )
        return run.put(nobodys(draft, WHO), staging, private_facts(draft.command, WHO, dict(WHO.variables)))


def test_no_byte_tells_of_anybody(told: Path, tmp_path: Path) -> None:
    path = pack(told, tmp_path)
    everything = path.read_bytes() + b"".join(name.encode() + data for name, data in contents(path).items())
    assert not [word for word in TELLING if word in everything]
    assert b"<home>/bin/smi" in everything
    assert b"<cwd>/net.onnx" in everything


def test_private_facts_go_along_when_asked(told: Path, tmp_path: Path) -> None:
    path = pack(told, tmp_path, private=True)
    facts = json.loads(contents(path)["report/private.json"])
    assert (facts["user"], facts["host"]) == ("mei", "node7.example.org")
    faults = {(each.part, each.problem) for each in verify(Bundle.open(path))}
    assert faults == {("column", "missing, and the report tells of its pass")}


def test_an_adapter_that_names_a_home_folder_is_not_packed_unasked(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run")
    with run.staging() as staging:
        (staging / "adapter").mkdir()
        (staging / "adapter" / "adapter.py").write_text('SDK = "/home/mei/sdk"\n')
        folder = run.put(report(bins=2), staging, private_facts((), WHO, {}))
    with pytest.raises(UsageError, match=r"adapter/adapter.py names your home folder"):
        pack(folder, tmp_path)
    assert pack(folder, tmp_path, private=True).is_file()


def test_outputs_are_packed_where_they_were_kept(stored: Path, kept: Path, tmp_path: Path) -> None:
    assert kept_outputs(stored) == kept
    path = pack(stored, tmp_path, outputs=kept)
    assert {name for name in contents(path) if name.startswith("outputs/")} == {"outputs/0.bin", "outputs/index.json"}
    assert verify(Bundle.open(path)) == ()
    kept.rename(tmp_path / "gone")
    with pytest.raises(UsageError, match="--keep-outputs"):
        kept_outputs(stored)
