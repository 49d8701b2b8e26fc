"""Logging in: the password comes encrypted with an RSA key that the server made.

Exasol WebSocket API v3, command `login`: the client asks for a protocol version, gets the key as
PKCS#1 PEM and as modulus and exponent, and answers with user, password (PKCS #1 v1.5 padding,
Base64), attributes and whether it wants compression.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from exatrust_sandbox.database import attributes
from exatrust_sandbox.database.attributes import Settings
from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.ports import EnginePort, SessionPort

KEY_BITS = 2048
FAILED_CODE = "08004"
FAILED_TEXT = "Connection exception - authentication failed."
NEWEST_PROTOCOL = 3
MAX_IDENTIFIER = 128
MAX_VARCHAR = 2_000_000


def login_failed() -> SqlError:
    """The one answer to every failed login: it does not say what was wrong."""
    return SqlError(FAILED_TEXT, FAILED_CODE)


class LoginKey:
    """The server's key for passwords; made once for a server's life."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)

    def describe(self) -> dict[str, Any]:
        """The `responseData` of the command `login`."""
        public = self._key.public_key()
        numbers = public.public_numbers()
        pem = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
        ).decode()
        return {
            "publicKeyPem": pem,
            "publicKeyModulus": f"{numbers.n:X}",
            "publicKeyExponent": f"{numbers.e:X}",
        }

    def decrypt(self, password: str) -> str:
        """The password in clear; raises SqlError 08004 for anything that is not one."""
        try:
            encrypted = base64.b64decode(password, validate=True)
            return self._key.decrypt(encrypted, padding.PKCS1v15()).decode()
        except (binascii.Error, ValueError):
            raise login_failed() from None


@dataclass(frozen=True)
class Database:
    """What a login is told about the database."""

    release_version: str
    name: str
    max_message: int


class LoginDialogue:
    """The two requests of a login. `session` is there once both have succeeded."""

    def __init__(
        self, engine: EnginePort, key: LoginKey, database: Database, settings: Settings
    ) -> None:
        self._engine = engine
        self._key = key
        self._database = database
        self._settings = settings
        self._protocol_version: int | None = None
        self.session: SessionPort | None = None
        self.failures = 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The `responseData` for a request; raises SqlError."""
        if "command" in request:
            return self._begin(request)
        if self._protocol_version is None:
            raise SqlError("the login command must come first", FAILED_CODE)
        try:
            return self._finish(request, self._protocol_version)
        except Exception:
            self.failures += 1
            raise

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        command = request["command"]
        if command == "loginToken":
            raise SqlError("OpenID login is not supported by this stand-in", "0A000")
        if command != "login":
            raise SqlError(f"{str(command)[:100]} is not possible before login", FAILED_CODE)
        version = request.get("protocolVersion")
        if type(version) is not int or version < 1:
            raise SqlError("protocolVersion must be a number of 1 or more", FAILED_CODE)
        self._protocol_version = min(version, NEWEST_PROTOCOL)
        return self._key.describe()

    def _finish(self, request: dict[str, Any], version: int) -> dict[str, Any]:
        user, password = request.get("username"), request.get("password")
        if not isinstance(user, str) or not isinstance(password, str):
            raise login_failed()
        if not self._engine.authenticate(user, self._key.decrypt(password)):
            raise login_failed()
        session = self._engine.open_session(user, str(request.get("clientName", ""))[:200])
        try:
            attributes.write(session, self._settings, request.get("attributes", {}))
        except Exception:
            session.close()
            raise
        self._settings.compression = request.get("useCompression") is True
        self.session = session
        return self._describe(session, version)

    def _describe(self, session: SessionPort, version: int) -> dict[str, Any]:
        return {
            "sessionId": session.id,
            "protocolVersion": version,
            "releaseVersion": self._database.release_version,
            "databaseName": self._database.name,
            "productName": "EXASolution",
            "maxDataMessageSize": self._database.max_message,
            "maxIdentifierLength": MAX_IDENTIFIER,
            "maxVarcharLength": MAX_VARCHAR,
            "identifierQuoteString": '"',
            "timeZone": attributes.FIXED["timezone"],
            "timeZoneBehavior": attributes.FIXED["timeZoneBehavior"],
        }
