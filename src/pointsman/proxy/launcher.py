"""The few instructions between fork and Envoy, run as a script with PARENT_PID PROGRAM ARGUMENT….

They cannot be a `preexec_fn`: gRPC has threads in the parent, and Python code between fork and exec
in a process with threads may deadlock. A script of its own starts in about 15 ms, then becomes
Envoy. It is run by path with `python -I -S`, so it imports nothing but the standard library.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tie this process to its parent, widen its limits and become the program."""
    parent = int(sys.argv[1])
    _die_with_parent()
    if os.getppid() != parent:  # it died before the tie was made, so no signal will come
        os._exit(1)
    _allow_all_descriptors()
    # Python ignores SIGPIPE, and what is ignored stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execv(sys.argv[2], sys.argv[2:])
    except OSError as error:
        sys.stderr.write(f"cannot run {sys.argv[2]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127)


def _die_with_parent() -> None:
    # SIGKILL rather than SIGTERM: nobody is left to follow up on a program that does not obey.
    # The signal comes when the *thread* that started us ends, which is the event loop's.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _allow_all_descriptors() -> None:
    # A proxy needs two descriptors a request; the customary soft limit of 1,024 is for select().
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
