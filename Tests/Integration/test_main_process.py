"""Whom a service manager listens to: the main process only (NotifyAccess=main in systemd.exec(5))."""

import socket
import struct

from balancer import ECHO, ROOT, serving

SO_PASSCRED, SCM_CREDENTIALS = 16, 2


class Manager:
    """Hears the main process only, which names the next one."""

    def __init__(self, path):
        self.path, self.main, self.ready = str(path), None, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        self.socket.bind(self.path)

    def hear(self, seconds=10):
        self.socket.settimeout(seconds)
        data, extra, _, _ = self.socket.recvmsg(4096, 256)
        pid = next(struct.unpack("3i", value)[0] for level, kind, value in extra
                   if (level, kind) == (socket.SOL_SOCKET, SCM_CREDENTIALS))
        lines = dict(line.split("=", 1) for line in data.decode().splitlines())
        self.main = self.main or pid
        if pid != self.main:
            return
        if "STATUS" in lines:
            self.ready.append(pid)
        self.main = int(lines.get("MAINPID", pid))


def test_a_balancer_that_is_taken_over_names_its_successor(tmp_path):
    manager = Manager(tmp_path / "notify")
    group = '[group.app]\nwsgi = "echo:application"\nprocesses = 1\n'
    with serving(group, files={"echo.py": ECHO}, keeps_address=True, NOTIFY_SOCKET=manager.path) as balancer:
        first = balancer.pid
        while first not in manager.ready:
            manager.hear()
        balancer.take_over()
        while balancer.pid not in manager.ready:
            manager.hear()
        assert manager.main == balancer.pid != first


def test_the_unit_listens_to_the_balancer_alone():
    assert "\nNotifyAccess=main\n" in (ROOT / "Scripts/mooring.service").read_text()
