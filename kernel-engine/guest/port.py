"""Messages to and from the host over a virtio port: one line of JSON each, and after it as many bytes as "bytes" says."""

import _json
import os
import time
import types

DEVICE = "/dev/vport0p1"
CHUNK = 65536

# The json package would load 30 modules, half a second in an emulated machine. This is what it is made of.
_scan = _json.make_scanner(
    types.SimpleNamespace(
        strict=True,
        object_hook=None,
        object_pairs_hook=None,
        parse_float=float,
        parse_int=int,
        parse_constant=None,
        memo={},
    )
)
_encode = _json.c_make_encoder if hasattr(_json, "c_make_encoder") else _json.make_encoder
_iterencode = _encode(None, None, _json.encode_basestring_ascii, None, ":", ",", False, False, False)


class HostGone(Exception):
    """The host closed its side: there is nobody to work for."""


class Port:
    def __init__(self):
        for _ in range(1000):
            if os.path.exists(DEVICE):
                break
            time.sleep(0.01)
        self._fd = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
        self._buffer = bytearray()

    def receive(self):
        """The next message, its line alone."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._more()
        line = self._buffer[:end].decode()
        del self._buffer[: end + 1]
        return _scan(line, 0)[0]

    def payload(self, length):
        """The bytes after the line, piece by piece."""
        while length > 0:
            if not self._buffer:
                self._more()
            if len(self._buffer) <= length:
                piece, self._buffer = self._buffer, bytearray()
            else:
                piece = self._buffer[:length]
                del self._buffer[:length]
            length -= len(piece)
            yield piece

    def send(self, message, payload=b""):
        if payload:
            message["bytes"] = len(payload)
        view = memoryview("".join(_iterencode(message, 0)).encode() + b"\n")
        self._write(view)
        if payload:
            self._write(memoryview(payload))

    def _write(self, view):
        while view:
            view = view[os.write(self._fd, view) :]

    def _more(self):
        piece = os.read(self._fd, CHUNK)
        if not piece:
            raise HostGone()
        self._buffer += piece
