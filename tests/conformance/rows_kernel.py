"""Attacks on the kernel and on other processes."""

from dataclasses import replace

from tests.conformance.attack import SYSTEM_CALLS, Attack, python, system_call, wins
from tests.conformance.refusals import HIDDEN, NO_ACCESS, NO_SIGNAL, NOT_PERMITTED

_BUFFER = "ctypes.create_string_buffer(512)"
# The kernel looks at the arguments only after it has looked at the right to call: then the attack got through.
_WRONG_ARGUMENTS = "(errno.EINVAL, errno.ENOEXEC)"
_NOT_BUILT_IN, _NO_SUCH_CALL = "this machine's kernel is built without it", "Function not implemented"
# PTRACE_SEIZE: unlike PTRACE_ATTACH it does not stop the process.
_SEIZE = "0x4206"


def _refused(*attacks: Attack) -> tuple[Attack, ...]:
    """The same, each refused as not permitted unless it says otherwise."""
    return tuple(one if one.refusal else replace(one, refusal=NOT_PERMITTED) for one in attacks)


def _gets_to_its_arguments(
    name: str, x86_64: int, aarch64: int, arguments: str, no_control: str = ""
) -> Attack:
    """A call that would do harm, with arguments that make it do nothing."""
    call = f"call({x86_64}, {aarch64}, {arguments})"
    code = (
        "import errno",
        SYSTEM_CALLS,
        f"try:\n    {call}\nexcept OSError as no:\n    if no.errno not in {_WRONG_ARGUMENTS}:\n        raise",
    )
    return Attack(name, (python(*code),), no_control=no_control, no_control_says=_NO_SUCH_CALL)


PROCESSES = _refused(
    Attack("a signal to a process outside", (wins("kill -9 @victim@"),), refusal=NO_SIGNAL),
    Attack("a signal to the supervisor", (wins("kill -0 @supervisor@"),), refusal=NO_SIGNAL),
    Attack("tracing a process outside", (python(SYSTEM_CALLS, f"call(101, 117, {_SEIZE}, @victim@, 0, 0)"),)),
    Attack(
        "tracing the supervisor", (python(SYSTEM_CALLS, f"call(101, 117, {_SEIZE}, @supervisor@, 0, 0)"),)
    ),
    Attack(
        "reading the supervisor's memory by call",
        (
            python(
                "import contextlib",
                SYSTEM_CALLS,
                f"here = {_BUFFER}",
                "part = (ctypes.c_size_t * 2)(ctypes.addressof(here), 8)",
                "first = 4096",
                "with contextlib.suppress(OSError):\n"
                "    first = int(open('/proc/@supervisor@/maps').readline().partition('-')[0], 16)",
                "there = (ctypes.c_size_t * 2)(first, 8)",
                "call(310, 270, @supervisor@, part, 1, there, 1, 0)",
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
        refusal=NO_SIGNAL,
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
        refusal=HIDDEN,
    ),
)

_MOUNT = "call(165, 40, b'none', here, b'tmpfs', 0, None)"
_BIND = "call(165, 40, here, here, None, 4096, None)"
NAMESPACES = _refused(
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
        refusal="Function not implemented",
    ),
    Attack(
        "mounting",
        (wins('mount -t tmpfs none "$TMPDIR"', 'mount --bind / "$TMPDIR"'),),
        refusal="must be superuser to use mount",
    ),
    Attack(
        "mounting by call",
        (python("import os, tempfile", SYSTEM_CALLS, "here = tempfile.mkdtemp().encode()", _MOUNT),),
    ),
    Attack("remounting", (wins("mount -o remount,rw /"),), refusal="must be superuser to use mount"),
    Attack("unmounting by call", (python(SYSTEM_CALLS, "call(166, 39, b'/proc', 2)"),)),
    Attack(
        "another root by pivot_root",
        (
            python(
                "import contextlib, os",
                SYSTEM_CALLS,
                # The new root has to be a mount.
                f"here = os.getcwd().encode()\nwith contextlib.suppress(PermissionError):\n    {_BIND}",
                "os.chdir(here)",
                "call(155, 41, b'.', b'.')",
            ),
        ),
    ),
    Attack("another root by chroot", (python("import os", "os.chroot('.')"),)),
)

CALLS = _refused(
    Attack("a key for the keyring", (system_call(248, 217, "b'user', b'@mark@', b'x', 1, -3"),)),
    Attack("the session's keyring", (system_call(250, 219, "0, -3, 1"),)),
    Attack("a key of somebody else", (system_call(249, 218, "b'user', b'@mark@', None, -3"),)),
    # Memory that such a program and others share: to make it takes the same right.
    Attack(
        "a program for the kernel",
        (python("import struct", SYSTEM_CALLS, "call(321, 280, 0, struct.pack('<4I', 2, 4, 4, 1), 16)"),),
    ),
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
            python(
                "import struct, tempfile",
                SYSTEM_CALLS,
                "handle = ctypes.create_string_buffer(struct.pack('<Ii', 128, 0) + bytes(128))",
                "os.chdir(tempfile.gettempdir())",
                "libc.name_to_handle_at(-100, b'.', handle, ctypes.byref(ctypes.c_int()), 0)",
                "call(304, 265, -100, handle, 0)",
            ),
        ),
    ),
    _gets_to_its_arguments("another kernel", 246, 104, "0, 0, None, 0x80000000", _NOT_BUILT_IN),
    _gets_to_its_arguments("a kernel module", 175, 105, "b'x', 1, b''", _NOT_BUILT_IN),
    Attack("another personality", (system_call(135, 92, "0x0040000"),)),
    # No command has this number.
    _gets_to_its_arguments("stopping the machine", 169, 142, "0xfee1dead, 672274793, 1, 0"),
    # To the time that it is.
    Attack(
        "the clock", (python("import time", "time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns())"),)
    ),
    Attack(
        "typing into a terminal",
        (
            python(
                "import contextlib, fcntl, os",
                "terminal = 0",
                "with contextlib.suppress(OSError):\n"
                "    os.fork() and os._exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
                "    os.setsid()\n"
                "    terminal = os.open(os.ttyname(os.openpty()[1]), os.O_RDWR)",
                "fcntl.ioctl(terminal, 0x5412, b'x')",
            ),
        ),
    ),
    Attack("the machine's name", (python("import socket", "socket.sethostname('@mark@')"),)),
    Attack(
        "programs that become root",
        (wins("@becomes_root@ @root_only@", "env LD_PRELOAD=libc.so.6 @becomes_root@ @root_only@"),),
        refusal=NO_ACCESS,
        control_as_user=True,
    ),
    Attack(
        "programs with a capability",
        (wins("@reads_all@ @root_only@"),),
        refusal=f"{NO_ACCESS}|{NOT_PERMITTED}",
        control_as_user=True,
    ),
)
