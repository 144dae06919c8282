"""A language server spoken to over its standard streams, as an editor does."""

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import IO, Any

PATIENCE_S = 60.0


class LanguageServer:
    """One running server; every wait ends after a while with an error."""

    def __init__(self, command: list[str], settings: dict[str, Any], root: Path) -> None:
        self.settings = settings
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
        )
        assert self.process.stdin and self.process.stdout
        self._to: IO[bytes] = self.process.stdin
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True)
        self._reader.start()
        self._asked = 0
        self._marks: dict[str, list[dict[str, Any]]] = {}
        capabilities = {
            "textDocument": {"completion": {"completionItem": {"snippetSupport": False}}, "publishDiagnostics": {}},
            "workspace": {"configuration": True},
        }
        self.ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": capabilities})
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": settings})

    def marks(self, path: Path) -> list[dict[str, Any]]:
        """Open a file; what the server marks in it, once it has looked."""
        self.open(path)
        uri = path.as_uri()
        while uri not in self._marks:
            self._take()
        return self._marks[uri]

    def open(self, path: Path) -> None:
        """Open a file as an editor does."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": path.read_text("utf-8")}
        self._marks.pop(path.as_uri(), None)
        self.tell("textDocument/didOpen", {"textDocument": document})

    def completions(self, path: Path, line: int, column: int) -> dict[str, Any]:
        """What is offered at a place of an open file, counted from 1: label -> the item."""
        found = self.ask("textDocument/completion", _at(path, line, column))
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: item for item in items or []}

    def hover(self, path: Path, line: int, column: int) -> str:
        """What is shown at a place of an open file."""
        found = self.ask("textDocument/hover", _at(path, line, column))
        return "" if found is None else str(found["contents"]["value"])

    def ask(self, method: str, params: Any) -> Any:
        """The answer to a request."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        while True:
            message = self._take()
            if message.get("id") == self._asked and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def tell(self, method: str, params: Any) -> None:
        """Send a notice, which has no answer."""
        self._send({"method": method, "params": params})

    def close(self) -> None:
        """End the server and wait until it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def _take(self) -> dict[str, Any]:
        message = self._heard.get(timeout=PATIENCE_S)
        assert message is not None, f"the language server ended with {self.process.wait(PATIENCE_S)}"
        if message.get("method") == "textDocument/publishDiagnostics":
            self._marks[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    def _answer(self, request: dict[str, Any]) -> Any:
        if request["method"] != "workspace/configuration":
            return None
        return [self.settings.get(item.get("section"), {}) for item in request["params"]["items"]]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._to.flush()

    def _listen(self, stream: IO[bytes]) -> None:
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self._heard.put(json.loads(stream.read(length)))
        self._heard.put(None)


def _at(path: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line - 1, "character": column - 1}}
