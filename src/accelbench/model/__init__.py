"""The nouns of accelbench: frozen records that every floor shares.

They hold what happened; whatever can be computed (percentiles, verdicts, validity, cost) is computed from them when
they are read. Times are integer nanoseconds in columns and seconds in fields that end in ``_s``; sizes end in
``_bytes``. ``None`` means *not known* or *not measured*, never zero.

This package runs inside vendors' environments too: standard library only, Python 3.9 syntax.
"""

from accelbench.model.compiled import Artifact, Build, Compiled, Contents, Coverage, OpTime, Placement
from accelbench.model.measured import Audit, Compliance, Integrity, LoadGen, Measurement, StopReason
from accelbench.model.plan import Plan, Purpose, Scenario, Stop
from accelbench.model.quality import DriftSums, Quality, Score, Verdict
from accelbench.model.report import (
    REPORT_SCHEMA,
    DatasetFacts,
    Effort,
    Environment,
    Harness,
    Host,
    Report,
    Stage,
    Status,
    TaskFacts,
    Weights,
)
from accelbench.model.reproduction import REPRODUCTION_SCHEMA, Judged, Outputs, Reproduced, Reproduction
from accelbench.model.strict import STRICT
from accelbench.model.target import DeviceInfo, Target
from accelbench.model.task import (
    Dataset,
    Dim,
    Domain,
    Metric,
    RealData,
    Task,
    TensorSpec,
    Tier,
    Tolerance,
    WeightSource,
)

__all__ = [
    "REPORT_SCHEMA",
    "REPRODUCTION_SCHEMA",
    "STRICT",
    "Artifact",
    "Audit",
    "Build",
    "Compiled",
    "Compliance",
    "Contents",
    "Coverage",
    "Dataset",
    "DatasetFacts",
    "DeviceInfo",
    "Dim",
    "Domain",
    "DriftSums",
    "Effort",
    "Environment",
    "Harness",
    "Host",
    "Integrity",
    "Judged",
    "LoadGen",
    "Measurement",
    "Metric",
    "OpTime",
    "Outputs",
    "Placement",
    "Plan",
    "Purpose",
    "Quality",
    "RealData",
    "Report",
    "Reproduced",
    "Reproduction",
    "Scenario",
    "Score",
    "Stage",
    "Status",
    "Stop",
    "StopReason",
    "Target",
    "Task",
    "TaskFacts",
    "TensorSpec",
    "Tier",
    "Tolerance",
    "Verdict",
    "WeightSource",
    "Weights",
]
