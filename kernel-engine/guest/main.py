"""The first and only program of the emulated machine. It does what the host asks for over the port, and powers off."""

import os
import sys

sys.path.insert(0, "/agent")

import system
from port import HostGone, Port


def set_up():
    for kind, target in (("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")):
        system.mount(kind, target, kind)


def serve():
    from failure import Failure
    from work import Work

    port = Port()
    port.send({"ready": os.uname().release})
    work = Work(port)
    while True:
        request = port.receive()
        try:
            answer, payload = work.do(request)
            port.send({"did": request["do"], **answer}, payload)
        except Failure as failure:
            port.send({"failed": failure.message()})
        except HostGone:
            raise
        except Exception as error:
            port.send({"failed": {"what": "agent", "detail": f"{error!r} {' '.join(places_of(error))}"}})


def places_of(error):
    """Where an error was raised, innermost last."""
    frame = error.__traceback__
    while frame is not None:
        yield f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
        frame = frame.tb_next


set_up()
try:
    serve()
except HostGone:
    pass
system.power_off()
