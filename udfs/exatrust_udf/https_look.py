"""Why TLS with an address fails: a second handshake, looked at as CHECK_ENDPOINT does.

So a request and CHECK_ENDPOINT say the same of the same endpoint. It goes to the address that was
connected to, which was checked, and once for each in a call.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from exatrust_udf import rows
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.findings import Finding
from exatrust_udf.https_url import Url
from exatrust_udf.resolver import Address

_MAX_KNOWN = 1000


class Looker:
    """Looks at one endpoint at a time: truststores are opened once, and few endpoints fail."""

    def __init__(self, pin: Mapping[str, str]) -> None:
        self._pin = pin
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int, Address], Finding | None] = {}

    def __call__(self, url: Url, address: Address) -> Finding | None:
        """The primary finding about the shared bundle; None where TLS is in order now."""
        key = (*url.origin, address)
        with self._lock:
            if key not in self._known:
                if len(self._known) >= _MAX_KNOWN:
                    self._known.clear()
                self._known[key] = self._look(Endpoint(*url.origin), address)
            return self._known[key]

    def _look(self, endpoint: Endpoint, address: Address) -> Finding | None:
        from exatrust_udf import diagnosis, endpoint_reports  # most requests need neither

        examined = endpoint_reports.examiner(self._pin).examine(
            [endpoint], rows.utc_now(), resolve=lambda host, port: [address]
        )
        own = next(iter(examined))
        return None if own.trusted else diagnosis.primary(own.findings)
