"""What would stop a run later is told in a line before its first job, and what is fine is told nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spatial_adversarial.data.sources import pieces
from spatial_adversarial.planning import preflight as module
from spatial_adversarial.planning.plan import Job
from spatial_adversarial.planning.preflight import (
    disk_warning,
    mirror_fault,
    missing_archives,
    preflight,
    unwritable,
)
from spatial_adversarial.records.reading import read
from spatial_adversarial.runner import device as device_module
from spatial_adversarial.runner.device import pick_device
from spatial_adversarial.runner.gpu_build import Gpu, listed_gpus, runs_on, why_unusable

ROOT = Path(__file__).parents[1]
H100, V100 = Gpu("NVIDIA H100", "580.65.06", "9.0"), Gpu("Tesla V100", "580.65.06", "7.0")
CPU = {"version": "2.12.0+cpu", "cuda": None, "architectures": [], "available": False}
CU130 = {
    "version": "2.12.0+cu130",
    "cuda": "13.0",
    "architectures": ["sm_75", "sm_80", "sm_90", "sm_120"],
    "available": True,
}


@pytest.mark.parametrize(
    ("gpu", "build", "told"),
    [
        (H100, CU130, None),
        (H100, CPU, "PyTorch 2.12.0+cpu is a build without CUDA: install a CUDA build, or set device: cpu"),
        (Gpu("NVIDIA A100", "535.104", "8.0"), CU130, "needs driver 580 or newer, but 535.104 is installed"),
        (Gpu("NVIDIA A100", "535.104", "8.0"), CU130 | {"cuda": "12.8"}, None),
        (V100, CU130, "none of which runs on Tesla V100 (sm_70)"),
        (
            H100,
            CU130 | {"architectures": [], "available": False},
            "PyTorch 2.12.0+cu130 (CUDA 13.0) finds no GPU",
        ),
    ],
)
def test_a_build_that_cannot_use_the_gpu_is_told_with_the_reason(gpu, build, told):
    found = why_unusable([gpu], build)
    print(found)
    assert found is None if told is None else told in found and "\n" not in found


@pytest.mark.parametrize(
    ("architectures", "capability", "runs"),
    [
        (["sm_80"], "8.6", True),  # the same major version
        (["sm_86"], "8.0", False),
        (["sm_80"], "9.0", False),
        (["sm_80", "compute_80"], "9.0", True),  # PTX is compiled for what is newer
        (["sm_75", "sm_120"], "12.0", True),
        (["sm_90a"], "9.0", True),
    ],
)
def test_code_runs_on_its_major_version(architectures, capability, runs):
    assert runs_on(architectures, capability) is runs


@pytest.fixture
def gpu_on_path(tmp_path, monkeypatch) -> Path:
    """An nvidia-smi that lists an H100, first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tool = folder / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 580.65.06, 9.0'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_gpus_are_those_that_nvidia_smi_lists(gpu_on_path, monkeypatch):
    assert listed_gpus() == [Gpu("NVIDIA H100 80GB HBM3", "580.65.06", "9.0")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert listed_gpus() == []


def test_without_a_gpu_torch_is_not_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "torch_build", lambda: pytest.fail("torch was imported"))
    config = {"device": "auto", "results": str(tmp_path), "data": str(tmp_path), "data_mirror": None}
    found = preflight(config, {}, [Job("train", (), 1.0)], [], here=True)
    assert (found.faults, found.warnings) == ([], [])


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_job_on_a_cpu_beside_a_gpu_is_refused(gpu_on_path, device, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device_module, "torch_build", lambda: CPU)
    with pytest.raises(RuntimeError, match=f"config: device: {device}: .*H100"):
        pick_device(device, 1)
    assert pick_device("cpu", 1).type == "cpu"


def test_snakemake_refuses_it_before_the_first_job(gpu_on_path, tmp_path):
    """The torch that jobs would import is a build without CUDA: a package of that name says so."""
    torch = tmp_path / "library/torch"
    torch.mkdir(parents=True)
    (torch / "__init__.py").write_text(
        "class version: cuda = None\nclass cuda:\n"
        "    get_arch_list = staticmethod(lambda: [])\n    is_available = staticmethod(lambda: False)\n"
        "__version__ = '2.12.0+cpu'\n"
    )
    (tmp_path / "mine.yaml").write_text("device: auto\nstand_ins: {mnist: digits}\npapers: [invariance]\n")
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "1"]
    command += ["--configfile", "mine.yaml", "--", "results/figures/invariance/fig1.pdf"]
    environment = os.environ | {"PYTHONPATH": str(torch.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    lines = [line for line in said.splitlines() if "nvidia-smi lists" in line]
    print(lines)
    assert done.returncode != 0 and len(lines) == 1, said
    assert "NVIDIA H100 80GB HBM3, but PyTorch 2.12.0+cpu is a build without CUDA" in lines[0]
    assert (
        "Traceback" not in said
        and not list(tmp_path.glob("results/logs/*/*"))
        and not (tmp_path / "data").exists()
    )


def test_disk_that_does_not_hold_the_plan(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 3e9})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda place: usage)
    jobs = [Job("train", (), 1, 2e8), Job("evaluate", (), 1, 1e9), Job("other", (), 0, float("nan"))]
    assert disk_warning(str(tmp_path / "results"), jobs) is None  # 1.2 GB and twice three weights
    told = disk_warning(str(tmp_path / "results"), [*jobs, Job("other", (), 0, 2e9)])
    assert "4.4 GB" in told and "3.0 GB are free" in told


def test_folders_that_cannot_be_written(tmp_path, monkeypatch):
    assert unwritable(str(tmp_path / "new/results")) is None
    (tmp_path / "file").touch()
    assert f"{tmp_path / 'file'} is not a folder" in unwritable(str(tmp_path / "file/results"))
    monkeypatch.setattr(module.os, "access", lambda place, mode: False)
    assert f"{tmp_path} is read-only" in unwritable(str(tmp_path / "results"))


def test_mirrors(tmp_path):
    registry = {"cifar10": {"checksums": {"cifar-10-python.tar.gz": "md5:1"}}, "digits": {}}
    assert mirror_fault(None) is None and mirror_fault(str(tmp_path)) is None
    assert "nowhere is not a folder" in mirror_fault("nowhere")
    assert missing_archives(None, registry, ["cifar10"]) == []
    (told,) = missing_archives(str(tmp_path), registry, ["cifar10", "digits"])
    assert "no file of cifar10 (cifar-10-python.tar.gz" in told
    (tmp_path / "cifar-10-python.tar.gz").touch()
    assert missing_archives(str(tmp_path), registry, ["cifar10"]) == []


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar100", "tiny_imagenet"])
def test_a_mirror_of_extracted_files_is_one(tmp_path, name):
    """The names that torchvision gives what lies in its archives."""
    registry = read(ROOT / "figures/registry.yaml")["data"]
    mirror = tmp_path / "mirror"
    for piece in pieces(registry[name]):
        for member in piece.members:
            (mirror / member).parent.mkdir(parents=True, exist_ok=True)
            (mirror / member).touch()
    assert missing_archives(str(mirror), registry, [name]) == []
