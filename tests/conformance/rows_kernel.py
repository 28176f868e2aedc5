"""Attacks on the kernel and on other processes."""

from tests.conformance.attack import SYSTEM_CALLS, Attack, python, system_call, wins

_BUFFER = "ctypes.create_string_buffer(512)"

PROCESSES = (
    Attack("a signal to a process outside", (wins("kill -9 @victim@"),)),
    Attack("a signal to the supervisor", (wins("kill -0 @supervisor@"),)),
    Attack("tracing a process outside", (python(SYSTEM_CALLS, "call(101, 117, 16, @victim@, 0, 0)"),)),
    Attack("tracing the supervisor", (python(SYSTEM_CALLS, "call(101, 117, 16, @supervisor@, 0, 0)"),)),
    Attack(
        "reading the supervisor's memory by call",
        (
            python(
                SYSTEM_CALLS,
                f"here = {_BUFFER}",
                "part = (ctypes.c_size_t * 2)(ctypes.addressof(here), 8)",
                "call(310, 270, @supervisor@, part, 1, part, 1, 0)",
            ),
        ),
    ),
    Attack(
        "a descriptor of the supervisor's",
        (
            python(
                "import os", SYSTEM_CALLS, "one = os.pidfd_open(@supervisor@)", "call(438, 438, one, 0, 0)"
            ),
        ),
    ),
    Attack(
        "entering the supervisor's namespaces",
        (
            python(
                SYSTEM_CALLS,
                "one = os.open('/proc/@supervisor@/ns/net', os.O_RDONLY)",
                "call(308, 268, one, 0)",
            ),
        ),
    ),
)

NAMESPACES = (
    Attack("a new user namespace", (wins("unshare -Ur true"),)),
    Attack("a new mount namespace", (wins("unshare -m true"),)),
    Attack("a new network", (wins("unshare -n true"),)),
    Attack("a mount in a namespace of its own", (wins('unshare -Urm mount -t tmpfs none "$TMPDIR"'),)),
    Attack(
        "a new namespace by the newer call",
        (
            python(
                SYSTEM_CALLS,
                "import struct",
                "made = struct.pack('<11Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)",
                "call(435, 435, made, 88) or os._exit(0)",
            ),
        ),
    ),
    Attack("mounting", (wins('mount -t tmpfs none "$TMPDIR"', 'mount --bind / "$TMPDIR"'),)),
    Attack("remounting", (wins("mount -o remount,rw /", "mount -o remount,rw,bind /usr", "umount -l /usr"),)),
    Attack("another root by pivot_root", (system_call(155, 41, "b'.', b'.'"),)),
    Attack("another root by chroot", (python("import os", "os.chroot('.')"),)),
)

CALLS = (
    Attack("a key for the keyring", (system_call(248, 217, "b'user', b'@mark@', b'x', 1, -3"),)),
    Attack("the session's keyring", (system_call(250, 219, "0, -3, 1"),)),
    Attack("a key of somebody else", (system_call(249, 218, "b'user', b'@mark@', None, -3"),)),
    Attack("a program for the kernel", (system_call(321, 280, f"5, {_BUFFER}, 72"),)),
    Attack(
        "counting the kernel's events",
        (
            system_call(
                298, 241, "ctypes.create_string_buffer(b'\\1\\0\\0\\0\\x80' + bytes(123), 128), -1, 0, -1, 0"
            ),
        ),
    ),
    Attack("calls by ring", (system_call(425, 425, f"1, {_BUFFER}"),)),
    Attack("page faults in user space", (system_call(323, 282, "1"),)),
    Attack(
        "a file by its handle",
        (
            system_call(
                304, 265, "-100, ctypes.create_string_buffer(b'\\x08\\0\\0\\0\\1\\0\\0\\0' + bytes(8)), 0"
            ),
        ),
    ),
    Attack("another kernel", (system_call(246, 104, "0, 0, 0, 0"),)),
    Attack("a kernel module", (system_call(175, 105, "b'x', 1, b''"),)),
    Attack("another personality", (system_call(135, 92, "0x0040000"),)),
    Attack("stopping the machine", (system_call(169, 142, "0xfee1dead, 672274793, 0, 0"),)),
    Attack("the clock", (wins('date -s "$(date)"'),)),
    Attack("typing into a terminal", (python("import fcntl", "fcntl.ioctl(0, 0x5412, b'x')"),)),
    Attack("the machine's name", (python("import socket", "socket.sethostname('@mark@')"),)),
    Attack(
        "programs that become root",
        (
            wins(
                "timeout 5 su -c id </dev/null",
                "LD_PRELOAD=libc.so.6 timeout 5 su -c id </dev/null",
                "timeout 5 sudo -n id",
                "timeout 5 mount /dev/shm /mnt",
                "timeout 5 newgrp root </dev/null",
            ),
        ),
    ),
)
