"""Small documents in the forms that others publish, with figures of nobody's."""

from typing import Any


def report(**changes: Any) -> dict[str, Any]:
    """A general report of ByteMLPerf."""
    document: dict[str, Any] = {
        "Model": "BERT-TORCH-FP32",
        "Backend": "HPU",
        "Host Info": "Acme(R) CPU @ 1.00GHz",
        "Dataset": "OPEN_SQUAD",
        "Instance Count": 1,
        "Device Count": 1,
        "Graph Compile": {
            "Compile Duration": 3e-05,
            "Compile Precision": "BF16",
            "Subgraph Coverage": 100,
            "Optimizations": {},
        },
        "Accuracy": {
            "Data Percent": 100,
            "Exact Match": 70.5,
            "F1 Score": 80.25,
            "Mean Diff": 0.0125,
            "Std Diff": 0.025,
            "Max Diff": 3.5,
            "Max Rel-Diff": 2558872.0,
            "Mean Rel-Diff": 0.0075,
            "Diff Dist": "bert.png",
        },
        "Performance": [
            {"BS": 1, "QPS": 500, "AVG Latency": 2.0, "P99 Latency": 2.25},
            {"BS": 4, "QPS": 1000.5, "AVG Latency": 4.0, "P99 Latency": 4.5},
        ],
    }
    return document | changes


def hardware() -> dict[str, Any]:
    """A hardware specification of ByteMLPerf."""
    return {
        "SKU参数": {"厂商": "Acme", "型号": "One", "用途": "Training/Inference", "照片": None},
        "硬件参数": {"制程(NM)": 7, "尺寸": "FHFL, Dual Slot Card", "接口": "PCIe 5.0x16", "功耗(W/TDP)": "150"},
        "内存参数": {
            "内存层次架构图": "acme/mem.png",
            "内存": {"内存类型": "HBM2e", "内存容量(GB)": 32, "内存带宽(GB/s)": 800.5},
            "一级缓存": {"缓存类型": "-", "缓存容量(MB)": "-", "缓存带宽(TB/s)": None},
            "二级缓存": {"缓存类型": None, "缓存容量(MB)": 40, "缓存带宽(TB/s)": "N/A"},
        },
        "算力参数": {
            "PE层次架构图": None,
            "PE参数": {"算力架构": "同构众核", "并行方式": "SIMT", "通信带宽(GB/s)": None},
            "标量参数": {"标量精度": None, "FP32标量算力(TFLOPS)": 2.5},
            "向量参数": {"向量精度": "FP32", "INT8量算力(TOPS)": 4, "FP32向量算力(TFLOPS)": 8.5},
            "张量参数": {"张量精度": "FP16, FP8", "INT8张量算力(TFLOPS)": 400, "FP16张量算力(TFLOPS)": 200.0},
        },
        "卡间通信参数": {
            "通信方式": "AcmeLink",
            "端口数量": "A:1\nB:2",
            "RDMA协议": "支持",
            "下行带宽(GB/s)": "3*100GbE",
            "上行带宽(GB/s)": 32,
        },
        "数据源": ["https://example.org/one", "https://example.org/two"],
    }


def row(**changes: Any) -> dict[str, Any]:
    """A row of MLPerf's table of results in JSON."""
    return {
        "ID": "v9.0-0001",
        "Submitter": "Acme",
        "Availability": "available",
        "Category": "closed",
        "Suite": "datacenter",
        "System": "Acme Box",
        "Platform": "box_8xH200",
        "UsedModel": "resnet",
        "Model": "resnet",
        "Scenario": "Offline",
        "Accuracy": "ROUGE1: 44.5  TOKENS_PER_SAMPLE: 292.5",
        "Nodes": 1,
        "Processor": "Acme CPU",
        "host_processor_core_count": 32.0,
        "Accelerator": "NVIDIA H200-SXM-141GB",
        "a#": 8.0,
        "Software": "AcmeRT 1.0",
        "Notes": "",
        "compliance": 1,
        "errors": 0,
        "version": "v9.0",
        "inferred": 0,
        "has_power": False,
        "weight_data_types": "fp8",
        "Performance_Result": 1234.5,
        "Performance_Units": "Samples/s",
    } | changes


HEAD = (
    "Organization,Availability,Division,SystemType,SystemName,Platform,Model,MlperfModel,Scenario,Result,Accuracy,"
    "number_of_nodes,host_processor_model_name,accelerator_model_name,accelerators_per_node,framework,version,errors,"
    "inferred,Units,weight_data_types"
)
CSV = HEAD + (
    '\nAcme,available,open,"edge","Acme Box",box,my-resnet,resnet,SingleStream,1.5,acc: 76.0,1,"Acme CPU","N/A","0",'
    '"AcmeRT, 1.0",v9.0,2,1,Latency (ms),"fp32"\n'
)

SYSTEM = {
    "submitter": "Acme",
    "division": "closed",
    "status": "available",
    "system_name": "Acme Box",
    "accelerator_model_name": "NVIDIA H200-SXM-141GB",
    "accelerators_per_node": 8,
    "accelerator_frequency": "",
    "host_processor_model_name": "Acme CPU",
    "host_processor_core_count": 56,
    "cooling": "Air-cooled",
    "framework": "AcmeRT 1.0",
}
