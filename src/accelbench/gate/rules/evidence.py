"""Whether the evidence is whole, somebody's, and enough to do it again."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator

from accelbench.backends.identity import adapter_sha256
from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.submission import Entry, Submission

LOCK = "requirements.lock"
ADAPTER = "adapter"
_PINNED = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?\s*(==\s*[\w.!+-]+|@\s*https?://\S+)\s*(;[^#]*)?", re.ASCII)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?=\s|$)")


@rule(
    "AB401",
    "error",
    Text(
        "Each bundle verifies: every file is what the report says, nothing was changed, added or removed.",
        "每个证据包均通过核验：每个文件与报告一致，没有更改、增加或删除。",
    ),
    Text("Pack the report again from the folder that the run made.", "用运行生成的文件夹重新打包。"),
)
def verifies(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        for fault in entry.faults:
            if fault.part not in ("signature", "lock", "adapter"):
                yield Found(entry.path, Text(fault.problem, fault.problem), fault.path)


@rule(
    "AB402",
    "error",
    Text("Each bundle is signed, and every signature is good.", "每个证据包均已签名，且签名全部有效。"),
    Text(
        "Sign with `accelbench report sign`, or submit with `--key`.",
        "用 `accelbench report sign` 签名，或在提交时使用 `--key`。",
    ),
)
def signed(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        bad = [fault for fault in entry.faults if fault.part == "signature"]
        for fault in bad:
            yield Found(entry.path, Text(fault.problem, fault.problem), fault.path)
        if not bad and not entry.signed_by:
            yield Found(entry.path, Text("is not signed", "没有签名"), "signatures")


@rule(
    "AB403",
    "error",
    Text("One key signed all of the submission.", "整个提交由同一密钥签名。"),
    Text("Sign every bundle with the vendor's key.", "用厂商的密钥为每个证据包签名。"),
)
def one_signer(submission: Submission) -> Iterator[Found]:
    common: set[str] | None = None
    for entry in submission.entries:
        own = {signer.fingerprint for signer in entry.signed_by}
        if own and common is not None and not common & own:
            yield Found(
                entry.path, Text("is signed by another key than the first", "签名密钥与第一个不同"), "signatures"
            )
        elif own:
            common = own & common if common is not None else own


@rule(
    "AB404",
    "error",
    Text(
        "The environment's lock is in the bundle, with a version and a sha256 for every package; a system's own "
        "environment names its packages and what its probes say.",
        "证据包中有环境锁文件，每个包都有版本和 sha256；系统自带环境则列出软件包和探针结果。",
    ),
    Text(
        "Lock every package with its hashes (`pip-compile --generate-hashes`).",
        "锁定每个包及其哈希（`pip-compile --generate-hashes`）。",
    ),
)
def locked(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        for fault in entry.faults:
            if fault.part == "lock":
                yield Found(entry.path, Text(fault.problem, fault.problem), fault.path)
        for problem in _lock_problems(entry):
            yield Found(entry.path, problem, LOCK)


@rule(
    "AB405",
    "error",
    Text(
        "The environment can be made from its lock (looked at with `--install` alone).",
        "可以由锁文件建立环境（仅在使用 `--install` 时检查）。",
    ),
    Text(
        "Lock packages that an index offers to everybody, or publish the wheels and lock their addresses.",
        "锁定公共索引提供的包，或公开发布 wheel 并锁定其地址。",
    ),
)
def installs(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        if entry.installation is not None:
            yield Found(entry.path, Text(entry.installation, entry.installation), LOCK)


@rule(
    "AB406",
    "error",
    Text("The command that made the report is told.", "写明生成报告的命令。"),
    Text("Make the report with `accelbench run`.", "用 `accelbench run` 生成报告。"),
)
def command(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        words = entry.report.command
        if len(words) < 3 or words[1] != "run":
            told = " ".join(words) or "nothing"
            yield Found(entry.path, Text(f"the command is {told!a:.80}", f"命令为 {told!a:.80}"), "command")


@rule(
    "AB407",
    "error",
    Text(
        "What the backend's probes ask for is told: driver, SDK, firmware.", "后端探针的查询均有结果：驱动、SDK、固件。"
    ),
    Text(
        "Run where the probes' commands work, or correct them in `backend.toml`.",
        "在探针命令可用的机器上运行，或在 `backend.toml` 中改正。",
    ),
)
def probed(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        environment = entry.report.environment
        for name, told in (environment.probes if environment else {}).items():
            if not told or told.startswith("failed:"):
                what = told or "nothing"
                yield Found(
                    entry.path, Text(f"probe {name}: {what}", f"探针 {name}：{what}"), f"environment.probes.{name}"
                )


@rule(
    "AB408",
    "error",
    Text(
        "The chain from the task's model to what the stack ran has no gap: each file names the one it was made from.",
        "从任务模型到实际运行文件的链条没有缺口：每个文件写明其来源。",
    ),
    Text("Evaluate again: the chain is kept by `accelbench run`.", "重新评测：链条由 `accelbench run` 记录。"),
)
def custody(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        known: set[str] = set()
        chain = entry.report.chain
        for position, made in enumerate(chain):
            if position and made.parent not in known:
                yield Found(
                    entry.path, Text(f"{made.name} has no origin", f"{made.name} 没有来源"), f"chain[{position}]"
                )
            known.add(made.sha256)
        first = entry.report.builds[0].artifacts if entry.report.builds else ()
        for made in first:
            if made.parent not in known:
                yield Found(entry.path, Text(f"{made.name} has no origin", f"{made.name} 没有来源"), "builds[0]")


@rule(
    "AB409",
    "error",
    Text("The adapter's source is in the bundle, and is what ran.", "证据包中有适配器源代码，且即为实际运行的代码。"),
    Text("Evaluate with this accelbench, which keeps it.", "用当前版本的 accelbench 评测，它会保存源代码。"),
)
def adapter(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        environment, folder = entry.report.environment, entry.folder / ADAPTER
        faults = [fault for fault in entry.faults if fault.part == "adapter"]
        for fault in faults:
            yield Found(entry.path, Text(fault.problem, fault.problem), fault.path)
        if not (folder / "adapter.py").is_file():
            yield Found(entry.path, Text("there is no adapter", "没有适配器"), ADAPTER)
        elif environment and not faults and adapter_sha256(folder) != environment.adapter_sha256:
            yield Found(entry.path, Text("is another adapter than the one that ran", "与实际运行的适配器不同"), ADAPTER)


@rule(
    "AB410",
    "warning",
    Text("No package is left unlocked for the host to choose its build.", "没有因主机而异、未锁定的软件包。"),
    Text("Lock the build that ran, or say in a README which one it was.", "锁定实际使用的版本，或在 README 中说明。"),
)
def all_locked(submission: Submission) -> Iterator[Found]:
    for entry in submission.done:
        path = entry.folder / ADAPTER / "backend.toml"
        if not path.is_file():
            continue
        free = tomllib.loads(path.read_text(encoding="utf-8")).get("environment", {}).get("unlocked", [])
        if free:
            names = ", ".join(map(str, free))
            yield Found(entry.path, Text(f"unlocked: {names}", f"未锁定：{names}"), f"{ADAPTER}/backend.toml")


@rule(
    "AB411",
    "note",
    Text("The key that signed is in the keyring of whoever checks.", "签名密钥在检查者的密钥环中。"),
    Text(
        "Compare the fingerprint with the one that the vendor tells elsewhere, then `accelbench key trust`.",
        "与厂商另行公布的指纹比对，然后 `accelbench key trust`。",
    ),
)
def known_key(submission: Submission) -> Iterator[Found]:
    strangers = {
        signer.fingerprint: entry.path
        for entry in reversed(submission.entries)
        for signer in entry.signed_by
        if signer.name is None
    }
    for key, path in strangers.items():
        yield Found(path, Text(f"nobody known here has the key {key}", f"此处无人拥有密钥 {key}"), "signatures")


def _lock_problems(entry: Entry) -> Iterator[Text]:
    environment, path = entry.report.environment, entry.folder / LOCK
    if environment is None:
        yield Text("the environment is not told", "未写明环境")
        return
    if environment.kind == "system":
        if not environment.packages or not environment.probes:
            yield Text("a system environment without packages or probes", "系统环境没有列出软件包或探针")
        return
    if not path.is_file():
        yield Text("there is no lock", "没有锁文件")
        return
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != environment.lock_sha256:
        yield Text("is another lock than the environment was made from", "与建立环境所用的锁文件不同")
    lines = requirements(data.decode("utf-8"))
    if not lines:
        yield Text("locks nothing", "没有锁定任何包")
    for line in lines:
        name = line.split()[0][:60]
        if not _PINNED.match(line):
            yield Text(f"{name} has no exact version", f"{name} 没有确切版本")
        elif not _HASH.search(line):
            yield Text(f"{name} has no sha256", f"{name} 没有 sha256")


def requirements(text: str) -> list[str]:
    """The requirements of a lock, one line each, without comments; options of the whole file are left out."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("--")]
