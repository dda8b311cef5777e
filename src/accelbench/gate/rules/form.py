"""Whether a submission is one: where its files lie, and that each can be read."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from accelbench.gate.manifest import MANIFEST, slug
from accelbench.gate.rule import RULES_VERSION, Found, Text, rule
from accelbench.gate.submission import Submission
from accelbench.report.store import PRIVATE

PUBLIC = "results"
_CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+\.\S+")
_HOME = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)[\w.-]+")


@rule(
    "AB101",
    "error",
    Text(
        f"The folder has a `{MANIFEST}` of a known schema, with every field and no other.",
        f"文件夹中有模式版本已知的 `{MANIFEST}`，字段齐全且无多余字段。",
    ),
    Text(
        "Write it with `accelbench submit`, or correct the field that is named.",
        "用 `accelbench submit` 生成，或改正所指字段。",
    ),
)
def manifest(submission: Submission) -> Iterator[Found]:
    if submission.manifest is None:
        told = submission.problem or f"there is no {MANIFEST}"
        yield Found(MANIFEST, Text(told, told))


@rule(
    "AB102",
    "error",
    Text(
        "The submission was made for a version of these rules that exists.",
        "提交所依据的规则版本确实存在。",
    ),
    Text(
        "Name the version that `accelbench check` prints, or use a later accelbench.",
        "写明 `accelbench check` 所示的版本，或使用更新的 accelbench。",
    ),
)
def version(submission: Submission) -> Iterator[Found]:
    if submission.manifest is not None and not 1 <= submission.manifest.rules <= RULES_VERSION:
        asked = submission.manifest.rules
        yield Found(
            MANIFEST,
            Text(
                f"rules of version {asked} are not known here (1 to {RULES_VERSION})",
                f"此处没有版本为 {asked} 的规则（1 至 {RULES_VERSION}）",
            ),
            "rules",
        )


@rule(
    "AB103",
    "error",
    Text("Every bundle can be opened and unpacked.", "每个证据包都能打开并解包。"),
    Text("Pack the report again with `accelbench report pack`.", "用 `accelbench report pack` 重新打包报告。"),
)
def readable(submission: Submission) -> Iterator[Found]:
    for path, problem in submission.unreadable.items():
        yield Found(path, Text(problem, problem))


@rule(
    "AB104",
    "error",
    Text(
        "There is nothing in the folder but the manifest, a README and bundles.",
        "文件夹中除清单、README 和证据包外没有其他文件。",
    ),
    Text("Remove the file; links are never followed.", "删除该文件；链接一律不跟随。"),
)
def nothing_else(submission: Submission) -> Iterator[Found]:
    for path in submission.strange:
        yield Found(path, Text("does not belong to a submission", "不属于提交内容"))


@rule(
    "AB105",
    "error",
    Text(
        "The folder lies at `<vendor>/<device>`, as the manifest names them.",
        "文件夹位于 `<厂商>/<设备>`，与清单中的名称一致。",
    ),
    Text("Move the folder to the place that is named.", "将文件夹移到所指位置。"),
)
def place(submission: Submission) -> Iterator[Found]:
    if submission.manifest is None:
        return
    wanted = slug(submission.manifest.vendor.name), slug(submission.manifest.device.id)
    if submission.place[-2:] != wanted:
        there, right = "/".join(submission.place[-2:]), "/".join(wanted)
        yield Found(MANIFEST, Text(f"it lies at {there}, not at {right}", f"位于 {there}，应为 {right}"))


@rule(
    "AB106",
    "error",
    Text("Each bundle lies in the folder of its task, directly.", "每个证据包直接位于其任务的文件夹中。"),
    Text("Move the bundle to `<task>/` of its own task.", "将证据包移到其任务的 `<任务>/` 文件夹。"),
)
def under_task(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        folder = entry.path.rpartition("/")[0]
        if folder != slug(entry.report.task.id):
            right = slug(entry.report.task.id)
            yield Found(entry.path, Text(f"is of task {right}", f"属于任务 {right}"))


@rule(
    "AB107",
    "error",
    Text("The vendor can be reached: a mail address or a page.", "可以联系到厂商：邮箱或网页。"),
    Text(f"Set `vendor.contact` in `{MANIFEST}`.", f"在 `{MANIFEST}` 中填写 `vendor.contact`。"),
)
def contact(submission: Submission) -> Iterator[Found]:
    told = submission.manifest.vendor.contact if submission.manifest else "a@b.c"
    if not _CONTACT.fullmatch(told):
        yield Found(
            MANIFEST, Text(f"{told!r} is neither address nor page", f"{told!r} 既非邮箱也非网址"), "vendor.contact"
        )


@rule(
    "AB108",
    "error",
    Text(
        "What is under embargo does not lie in the public folder `results`.",
        "禁止公开期内的提交不在公开文件夹 `results` 中。",
    ),
    Text(
        "Keep it in `private/`, which the repository ignores, until the day is over; then take `embargo` out.",
        "到期之前放在仓库忽略的 `private/` 中；到期后删除 `embargo` 字段。",
    ),
)
def embargo(submission: Submission) -> Iterator[Found]:
    day = submission.manifest.embargo if submission.manifest else None
    if day is not None and day >= datetime.date.today() and PUBLIC in submission.place[:-2]:
        yield Found(MANIFEST, Text(f"not public before the end of {day}", f"{day} 结束之前不得公开"), "embargo")


@rule(
    "AB109",
    "error",
    Text("The manifest discloses every bundle once, and no other.", "清单对每个证据包恰好披露一次，且无多余条目。"),
    Text(
        f"Add or remove a `[[reports]]` of `{MANIFEST}`, or submit again.",
        f"在 `{MANIFEST}` 中增删 `[[reports]]`，或重新生成提交。",
    ),
)
def listed(submission: Submission) -> Iterator[Found]:
    if submission.manifest is None:
        return
    told = [each.bundle for each in submission.manifest.reports]
    there = {*(entry.path for entry in submission.entries), *submission.unreadable}
    for path in sorted({path for path in told if told.count(path) > 1}):
        yield Found(path, Text("is disclosed twice", "被披露两次"))
    for path in sorted(there - set(told)):
        yield Found(path, Text("is not disclosed in the manifest", "清单中没有披露"))
    for path in sorted(set(told) - there):
        yield Found(path, Text("is disclosed, but not there", "已披露但不存在"))


@rule(
    "AB110",
    "warning",
    Text("Logs and commands name no home folder.", "日志和命令中没有用户主目录。"),
    Text(
        "Run again with this accelbench, which takes such paths out.",
        "用当前版本的 accelbench 重新运行，它会去除此类路径。",
    ),
)
def nobody(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        texts = {"command": " ".join(entry.report.command)}
        for path in sorted((entry.folder / "logs").rglob("*.txt")):
            texts[path.relative_to(entry.folder).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
        for name, text in texts.items():
            if _HOME.search(text):
                yield Found(entry.path, Text("names somebody's home folder", "出现了某人的主目录"), name)


@rule(
    "AB111",
    "error",
    Text("Private facts stay with the owner of the machine.", "私有信息保留在机器所有者处。"),
    Text("Pack the report without its private file.", "打包报告时不要包含私有文件。"),
)
def nothing_private(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        if (entry.folder / PRIVATE).exists():
            yield Found(entry.path, Text(f"holds {PRIVATE}", f"含有 {PRIVATE}"), PRIVATE)
