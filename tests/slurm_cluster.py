"""A SLURM cluster of one node with four pretend GPUs, started on this machine and removed again without a trace."""

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ETC = Path("/etc/slurm")  # the plugin drops SLURM_CONF before it starts a job's step
FILES = ("slurm.conf", "gres.conf")
PROGRAMS = ("slurmctld", "slurmd", "munged", "mungekey", "sbatch", "srun", "squeue", "scontrol")
GPUS = 4
MADE_HERE = "# made by tests/slurm_cluster.py\n"  # one that a killed test left may be replaced

SLURM_CONF = """\
{made_here}ClusterName=pretend
SlurmctldHost={node}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
GresTypes=gpu
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=2,bf_interval=2
NodeName={node} NodeAddr=127.0.0.1 CPUs=64 RealMemory=256000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=usual Nodes={node} Default=YES PriorityTier=1 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes={node} PriorityTier=2 MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why no cluster can be started here; empty where it can."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"SLURM is not installed: no {missing[0]}"
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return "envs/requirements-slurm.txt is not installed: no executor plugin"
    if os.geteuid():
        return "starting SLURM needs root"
    found = [ETC / name for name in FILES if (ETC / name).exists()]
    present = [str(path) for path in found if not path.read_text().startswith(MADE_HERE)]
    return f"{present[0]} exists already: this machine has a SLURM of its own" if present else ""


class Cluster:
    """A running cluster, as a context manager; jobs go to its partition `usual`, and `urgent` preempts them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Cluster":
        try:
            self._configure()
            self._start("munged", "--foreground", "--force", *self._munge_files())
            wait_for((self.folder / "munge.socket").exists, 60, "munge's socket")
            self.start_controller()
            self._start("slurmd", "-D")
            wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%t"), 120, "the node to be idle")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for name in ("slurmd", "slurmctld", "munged"):
            if name in self.daemons:
                self.stop(name)
        for name in FILES:
            (ETC / name).unlink(missing_ok=True)
        if self.made_etc:
            ETC.rmdir()
        shutil.rmtree(self.folder)

    def _configure(self) -> None:
        self.made_etc = not ETC.exists()
        ETC.mkdir(exist_ok=True)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        for k in range(GPUS):
            os.mknod(self.folder / f"gpu{k}", 0o20666, os.makedev(1, 3))  # like /dev/null
        subprocess.run(["mungekey", "--create", f"--keyfile={self.folder}/munge.key"], check=True)
        text = SLURM_CONF.format(
            folder=self.folder,
            node=socket.gethostname().split(".")[0],
            gpus=GPUS,
            made_here=MADE_HERE,
            controller_port=free_port(),
            node_port=free_port(),
        )
        (ETC / "gres.conf").write_text(f"{MADE_HERE}Name=gpu File={self.folder}/gpu[0-{GPUS - 1}]\n")
        (ETC / "slurm.conf").write_text(text)

    def _munge_files(self) -> list[str]:
        names = {
            "key-file": "key",
            "socket": "socket",
            "pid-file": "pid",
            "log-file": "log",
            "seed-file": "seed",
        }
        return [f"--{option}={self.folder}/munge.{name}" for option, name in names.items()]

    def _start(self, name: str, *arguments: str) -> None:
        with open(self.folder / f"{name}.out", "ab") as out:
            command = [name, *arguments]
            self.daemons[name] = subprocess.Popen(command, stdout=out, stderr=out, preexec_fn=end_with_parent)

    def start_controller(self) -> None:
        """Start slurmctld and wait until it answers."""
        self._start("slurmctld", "-D")
        wait_for(lambda: "UP" in self.ask("scontrol", "ping"), 120, "the controller to answer")

    def stop(self, name: str) -> None:
        """End one of the daemons, and with slurmd all jobs of the node."""
        if name == "slurmd" and self.daemons["slurmctld"].poll() is None:
            self.ask("scancel", "--user=root", "--signal=KILL", "--full")
            self.ask("scancel", "--user=root")
            wait_for(lambda: not self.ask("squeue", "-h"), 120, "the last jobs to end")
        daemon = self.daemons.pop(name)
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def ask(self, *command: str) -> str:
        """What a SLURM command prints; nothing where it fails."""
        return subprocess.run(command, capture_output=True, text=True).stdout

    def jobs(self, state: str) -> list[dict[str, str]]:
        """Each job in a state ("RUNNING", or "all" for those that have ended too), by `scontrol`'s keys."""
        numbers = self.ask("squeue", "-h", "-o", "%A", "-t", state).split()
        told = [self.ask("scontrol", "-d", "-o", "show", "job", number) for number in numbers]
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in told]


def end_with_parent() -> None:
    """Have the kernel end this process when its parent ends, even by SIGKILL."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until a condition holds; TimeoutError, which says for what, after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.2)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
