"""A wire to a PostgreSQL server that is cut at a chosen word, as a network is.

`cut`: what happens at the next COMMIT of a client: it never arrives (`before`), it arrives and its
answer does not (`after`), or it arrives some time after the client was cut off (`late`). With
`down` nobody can connect any more. Or nothing is cut, and the server says nothing more: COMMIT
arrives (`mute`), or once `resume` is set (`hung`); with `down` nobody else is answered either.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

NAME = ".s.PGSQL.5432"


class Wire:
    """Listens on a socket in `folder` and forwards to the server of `url`."""

    def __init__(self, url: str, folder: Path) -> None:
        self._server = f"{parse_qs(urlsplit(url).query)['host'][0]}/{NAME}"
        self.url = url.partition("?")[0] + f"?host={folder}"
        self.cut = ""
        self.word = b"COMMIT\0"
        self.down = False
        self.resume = threading.Event()
        self.cuts = 0
        self.silent = False
        self._kept: list[socket.socket] = []
        self._mute: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/{NAME}")
        self._listener.listen(20)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.down = True
        self._listener.close()
        self.resume.set()
        for client in self._kept:
            _end(client)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                if self.silent:
                    self._kept.append(client)  # as of a process that is stopped: never answered
                else:
                    client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._back, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if self.cut and self.word in data:
                    self._cut(client, server, data)
                    return
                server.sendall(data)
        _end(server)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        how, self.cut = self.cut, ""
        self.cuts += 1
        if how.endswith("down"):
            self.down, how = True, how.removesuffix("-down")
        if how in ("mute", "hung"):
            self._hang(client, server, data, how)
            return
        _end(client)
        if how == "late":
            time.sleep(0.7)
        if how != "before":
            server.sendall(data)
            time.sleep(0.2)
        _end(server)

    def _hang(self, client: socket.socket, server: socket.socket, data: bytes, how: str) -> None:
        """The client's words wait in the server; what the server says does not come back."""
        self._mute.add(server)
        self.silent = True
        if how == "hung":
            self.resume.wait(20)
        server.sendall(data)
        with contextlib.suppress(OSError):
            while client.recv(1 << 16):  # until the client goes by itself
                pass
        time.sleep(0.2)
        _end(server)
        _end(client)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if server not in self._mute:
                    client.sendall(data)
            if server in self._mute:
                return
        _end(client)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
