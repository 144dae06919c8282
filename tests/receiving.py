"""A receiver of webhooks on this machine that does what a test says: takes, refuses, hangs, or sends elsewhere."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cy1vZi13ZWJob29rcw=="
WAIT = 30.0  # no test waits so long but one that fails


class Got(NamedTuple):
    """One attempt as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """What came, and how it was answered; `answer` gives the status of an attempt by its number from 0."""

    def __init__(self, answer: Callable[[int], int]) -> None:
        self.answer = answer
        self.attempts: list[Got] = []
        self.taken: list[Got] = []
        self.headers: dict[str, str] = {}
        self.released = threading.Event()  # status 0 hangs until then
        self._changed = threading.Condition()

    def heard(self, got: Got) -> int:
        with self._changed:
            status = self.answer(len(self.attempts))
            self.attempts.append(got)
            if 200 <= status < 300:
                self.taken.append(got)
            self._changed.notify_all()
        return status

    def until(self, said: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(said, WAIT), [got.id for got in self.taken]

    def ids(self) -> list[str]:
        return [got.id for got in self.taken]


@contextmanager
def receiving(answer: Callable[[int], int] = lambda n: 204, port: int = 0) -> Iterator[tuple[Receiver, str]]:
    """A receiver and its address."""
    receiver = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.heard(Got(headers, body))
            if status == 0:
                receiver.released.wait(WAIT)
                status = 204
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *words: Any) -> None:  # the sender hung up
            pass

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver, f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
