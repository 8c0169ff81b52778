"""One call after the other, each on a connection of its own: what Tintri's get_reco.py asks, in its order.

It uses `requests` without a session; `http.client` costs less. `python -m benchmarks.sequential URL USER PASSWORD`.
"""

import json
import sys
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

_JSON = {"Content-Type": "application/json"}


class Sequential:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self.cookie: dict[str, str] = {}
        """The header of the session."""

    def run(self, user: str, password: str) -> list[Any]:
        self._call("GET", "/info")
        self.log_in(user, password)
        found = self.read_all()
        self.log_out()
        return found

    def log_in(self, user: str, password: str) -> None:
        credentials = {"username": user, "password": password, "fullApiVersion": "v310.51"}
        type_id = "com.tintri.api.rest.vcommon.dto.rbac.RestApiCredentials"
        self._call("POST", "/v310/session/login", {"typeId": type_id, **credentials})

    def read_all(self) -> list[Any]:
        """Every pool's current recommendation."""
        return [
            self._call("GET", f"/v310/vmstorePool/{pool['uuid']['uuid']}/recommendation/current")
            for pool in self.pools()
        ]

    def pools(self) -> list[Any]:
        return list(self._call("GET", "/v310/vmstorePool")["items"])

    def log_out(self) -> None:
        self._call("POST", "/v310/session/logout", None)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection(self._host, self._port)
        content = None if method == "GET" else json.dumps(body)
        connection.request(method, f"/api{path}", content, self.cookie | _JSON)
        response = connection.getresponse()
        text = response.read()
        if cookie := response.headers.get("Set-Cookie"):
            self.cookie = {"Cookie": cookie.partition(";")[0]}
        connection.close()
        return json.loads(text) if text else None


if __name__ == "__main__":
    print(json.dumps(Sequential(sys.argv[1]).run(*sys.argv[2:])))
