"""Whether it is known what the results were made on."""

from __future__ import annotations

from collections.abc import Iterator

from accelbench.gate.manifest import MANIFEST
from accelbench.gate.rule import Found, Text, rule
from accelbench.gate.submission import Submission


@rule(
    "AB301",
    "error",
    Text("The device is in the hardware catalogue.", "设备已收录于硬件目录。"),
    Text(
        "Name the id that `accelbench hardware list` shows, or add the device there first.",
        "写明 `accelbench hardware list` 中的标识，或先将设备加入目录。",
    ),
)
def catalogued(submission: Submission) -> Iterator[Found]:
    if submission.manifest is not None and submission.manifest.device.id not in submission.world.devices():
        id_ = submission.manifest.device.id
        yield Found(MANIFEST, Text(f"{id_!r} is in no record", f"没有 {id_!r} 的记录"), "device.id")


@rule(
    "AB302",
    "error",
    Text("The number of devices is told: at least one.", "写明设备数量，至少为一。"),
    Text(f"Set `device.count` in `{MANIFEST}`.", f"在 `{MANIFEST}` 中填写 `device.count`。"),
)
def devices(submission: Submission) -> Iterator[Found]:
    if submission.manifest is not None and submission.manifest.device.count < 1:
        count = submission.manifest.device.count
        yield Found(MANIFEST, Text(f"{count} devices", f"{count} 个设备"), "device.count")


@rule(
    "AB303",
    "error",
    Text(
        "The number of instances is the largest that any timed pass ran.",
        "实例数为各计时过程中同时运行的最大实例数。",
    ),
    Text(
        f"Set `device.instances` in `{MANIFEST}` to the number that is named.",
        f"将 `{MANIFEST}` 中的 `device.instances` 改为所指数值。",
    ),
)
def instances(submission: Submission) -> Iterator[Found]:
    if submission.manifest is None:
        return
    told = submission.manifest.device.instances
    ran = [timed.plan.instances for entry in submission.entries for timed in entry.report.measurements]
    if ran and told != max(ran):
        yield Found(
            MANIFEST,
            Text(f"{told} instances are told, {max(ran)} ran", f"写明 {told} 个实例，实际 {max(ran)} 个"),
            "device.instances",
        )


@rule(
    "AB304",
    "error",
    Text("All reports are of one device and one host.", "所有报告来自同一设备和同一主机。"),
    Text("Submit the reports of each machine on their own.", "每台机器的报告分别提交。"),
)
def one_machine(submission: Submission) -> Iterator[Found]:
    seen = None
    for entry in submission.done:
        device, host = entry.report.device, entry.report.host
        product = submission.world.recognised(device, host) or (device.name if device else None)
        mine = (product, host.cpu, host.machine, host.logical_cpus)
        if device is None:
            yield Found(entry.path, Text("the device is not told", "未写明设备"), "device")
        elif seen is not None and mine != seen:
            told = ", ".join(str(part) for part in mine)
            yield Found(entry.path, Text(f"made on another machine: {told}", f"来自另一台机器：{told}"), "host")
        seen = seen or mine


@rule(
    "AB305",
    "warning",
    Text("The backend was tried on the hardware that it is for.", "后端已在其目标硬件上试用过。"),
    Text("Take `untested` out of `backend.toml` once it was.", "试用之后从 `backend.toml` 中删除 `untested`。"),
)
def tried(submission: Submission) -> Iterator[Found]:
    for entry in submission.entries:
        if entry.report.untested:
            name = entry.report.target.backend
            yield Found(
                entry.path, Text(f"backend {name} says it was never tried", f"后端 {name} 自称从未试用"), "untested"
            )


@rule(
    "AB306",
    "error",
    Text(
        "The device that the runtime tells, where the catalogue knows its name, is the one that is submitted for.",
        "运行时报告的设备若为硬件目录所知，则与提交所写设备一致。",
    ),
    Text("Submit for the device that ran.", "按实际运行的设备提交。"),
)
def recognised(submission: Submission) -> Iterator[Found]:
    if submission.manifest is None:
        return
    told = submission.manifest.device.id
    for entry in submission.done:
        ran = submission.world.recognised(entry.report.device, entry.report.host)
        if ran is not None and ran != told:
            yield Found(entry.path, Text(f"it ran on {ran}, not on {told}", f"实际运行于 {ran}，而非 {told}"), "device")
