"""How large a process has been."""

from pathlib import Path


def peak_mb(pid: int) -> float:
    """A process's largest resident size so far in MB (VmHWM of proc_pid_status(5)); 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
