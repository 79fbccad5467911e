"""A Slurm of one node that lives as long as a test: its own munge, controller, node daemon, ports and folders."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

# RequeueExit: only what has asked for it is started again by Slurm; a crash is not, as at most sites. cred_expire: for how
# long at least a task that is started again has to wait.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=200000
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs
ReturnToService=2
KillWait=5
RequeueExit=75
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NEEDED = ("slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "scancel", "scontrol", "munged")


def why_not():
    """Why a private Slurm cannot be started here; empty when it can."""
    missing = [name for name in NEEDED if program(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "only root can start a Slurm of its own"
    try:
        pwd.getpwnam("munge")
    except KeyError:
        return "there is no user munge"
    return ""


def program(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def end_with_parent():
    """A daemon ends also when the test is killed and cannot clean up."""
    parent_death_signal = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


class PrivateSlurm:
    """start() and, whatever became of it, stop()."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = []
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}

    def start(self):
        self.folder.chmod(0o755)  # the munge user has to get in
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self.start_munge()
        controller_port, node_port = free_ports(2)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], folder=self.folder, controller_port=controller_port, node_port=node_port))
        self.daemon("slurmctld", "-D")
        self.daemon("slurmd", "-D", "-N", "node")
        self.wait_for("an idle node", lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))

    def start_munge(self):
        user = pwd.getpwnam("munge")
        folder = self.folder / "munge"
        folder.mkdir(mode=0o755)
        key = folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for path in (folder, key):
            os.chown(path, user.pw_uid, user.pw_gid)
        files = [f"--{name}-file={folder / name}" for name in ("key", "pid", "log", "seed")]
        self.daemon("munged", "--foreground", f"--socket={folder / 'socket'}", *files, user=user.pw_uid, group=user.pw_gid,
                    extra_groups=[])
        self.wait_for("munge", (folder / "socket").exists)

    def daemon(self, name, *words, **identity):
        with open(self.folder / f"{name}.out", "wb") as log:
            self.daemons.append((name, subprocess.Popen(
                [program(name), *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", preexec_fn=end_with_parent,
                env={**os.environ, **self.environment}, **identity)))

    def ask(self, name, *words):
        """Standard output; empty when the controller does not answer."""
        return subprocess.run([program(name), *words], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, **self.environment}).stdout

    def wait_for(self, what, is_true, limit_s=60):
        end = time.monotonic() + limit_s
        while not is_true():
            dead = [name for name, daemon in self.daemons if daemon.poll() is not None]
            if dead or time.monotonic() > end:
                raise RuntimeError(f"no {what} ({'ended: ' + dead[0] if dead else f'after {limit_s} s'})\n{self.logs()}")
            time.sleep(0.1)

    def logs(self):
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-2000:]}" for path in sorted(self.folder.glob("*.out")))

    def queue(self):
        return self.ask("squeue", "--noheader", "--array", "--format=%i %j %t").splitlines()

    def stop(self):
        if len(self.daemons) == 3 and self.queue():
            self.ask("scancel", "--user=root")
            end = time.monotonic() + 15
            while self.queue() and time.monotonic() < end:
                time.sleep(0.2)
        for _, daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons = []
