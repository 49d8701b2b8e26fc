"""Every kind of finding exatrust can report about an endpoint, declared once.

A finding's id is the stable name that SQL checks key on. OpenSSL's verify codes are not stable:
some changed their number between 1.1.1 and 3.x, so rows carry code, text and OpenSSL version.
"""

from __future__ import annotations

from dataclasses import dataclass

ERROR = "ERROR"
WARNING = "WARNING"
INFO = "INFO"

_CONFIRM = "Confirm its SHA-256 with the owner by another channel"


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of finding: its default severity, what it means, what to do, OpenSSL's codes.

    `codes` are those of OpenSSL 3.x (X509_V_ERR_...) that lead to this finding alone; code 20, say,
    stands for three of them and belongs to none. `certainty` says in the documentation when the
    finding is certain and when only likely, where both occur.
    """

    id: str
    severity: str
    cause: str
    action: str
    codes: tuple[int, ...] = ()
    certainty: str = ""


_ALL = (
    # Trust: who vouches for the server.
    Kind(
        "TRUST_STORE_EMPTY",
        ERROR,
        "The truststore has no certificate that OpenSSL loads, so no server can be trusted.",
        "The file is missing, empty or damaged: check its path, and what is said about it. For the "
        "shared bundle run `exatrust status`, then `exatrust install`.",
    ),
    Kind(
        "CA_NOT_IN_TRUSTSTORE",
        ERROR,
        "The CA that signed the server's chain is not in this truststore.",
        f"{_CONFIRM}, then add it: `exatrust install --ca FILE`.",
        (19,),
        "Certain where the chain comes up to a certificate whose issuer is unknown. Only possible, "
        "with severity WARNING and a cause that says `Possibly`, where the unknown issuer is not "
        "called a root, and the server sends its own certificate alone or the truststore has a CA "
        "of that issuer's organisation: then MISSING_INTERMEDIATE is the likely cause.",
    ),
    Kind(
        "SELF_SIGNED",
        ERROR,
        "The server's certificate is signed by itself and is not in this truststore.",
        "Give the server a certificate from a CA that the truststore holds. "
        f"To trust this one certificate instead: {_CONFIRM[0].lower()}{_CONFIRM[1:]}, "
        "then add it: `exatrust install --ca FILE`.",
        (18,),
    ),
    Kind(
        "MISSING_INTERMEDIATE",
        ERROR,
        "The server does not send an intermediate certificate between its own and the CA's root.",
        "Let the server send its complete chain (leaf, then every intermediate).",
        certainty="Certain where another server or a truststore has the certificate that is left "
        "out: the cause names it as `Missing`. Only likely, and the cause says `Probably`, where "
        "nobody has it: then the issuer may also be a root that is not in the truststore.",
    ),
    Kind(
        "INTERMEDIATE_USED_AS_ANCHOR",
        ERROR,
        "The truststore holds an intermediate certificate, but not the root above it.",
        f"Add the root of that intermediate to the truststore. {_CONFIRM} first.",
    ),
    Kind(
        "DISTRUSTED_ROOT",
        ERROR,
        "The chain ends in a CA that was removed from trust on purpose.",
        "Give the server a certificate from another CA; the reason of the removal is in the "
        "release's manifest.",
        (27, 28),
    ),
    Kind(
        "MITM_PROXY_SUSPECT",
        WARNING,
        "A public host presents a certificate of a private CA: a proxy may be intercepting TLS.",
        "Ask the network team whether they inspect TLS on this route, and for their CA's SHA-256.",
    ),
    # Names and dates.
    Kind(
        "HOST_MISMATCH",
        ERROR,
        "The certificate was not issued for the name asked for.",
        "Connect by a name in the certificate, or have it issued for this name too.",
        (62, 64),
    ),
    Kind(
        "NAME_ONLY_IN_CN",
        WARNING,
        "The name is only in the subject's CN, which many clients ignore (RFC 6125).",
        "Have the certificate issued again with the name in subjectAltName.",
    ),
    Kind(
        "EXPIRED",
        ERROR,
        "A certificate of the chain is out of date.",
        "Have this certificate renewed and installed on the server.",
        (10,),
    ),
    Kind(
        "NOT_YET_VALID",
        ERROR,
        "A certificate of the chain is not valid yet.",
        "Wait until it is valid, or have it issued again; check the clocks of both machines.",
        (9,),
    ),
    Kind(
        "ANCHOR_EXPIRED",
        ERROR,
        "The root in the truststore is out of date.",
        "Replace the root by its successor, and have the server's chain issued under that one. "
        f"{_CONFIRM} first.",
    ),
    Kind(
        "EXPIRES_SOON",
        WARNING,
        "A certificate of the chain is about to run out.",
        "Have this certificate renewed before that day.",
        certainty="That is within 30 days, or within the last third of its life if that is less.",
    ),
    Kind(
        "CLOCK_SKEW_SUSPECT",
        WARNING,
        "The dates suggest that this machine's clock is wrong.",
        "Compare its clock with a time server before renewing anything.",
    ),
    # What the certificates are allowed to do, and how strong they are.
    Kind(
        "WEAK_KEY",
        ERROR,
        "A public key is shorter than OpenSSL's security level allows.",
        "Have the certificate issued again with a stronger key (RSA 2048 bits or more, or EC).",
        (66, 67),
    ),
    Kind(
        "WEAK_SIGNATURE",
        ERROR,
        "A certificate is signed with a digest too weak for OpenSSL's security level.",
        "Have the certificate issued again with SHA-256 or better.",
        (68, 76),
    ),
    Kind(
        "BAD_SIGNATURE",
        ERROR,
        "A signature does not belong to the key of the certificate above it.",
        "Check for a mix-up of two CAs with the same name, or a damaged file on the server; "
        "if neither is the case, treat it as an attack.",
        (4, 6, 7, 24, 77, 78),
    ),
    Kind(
        "NAME_CONSTRAINT",
        ERROR,
        "A CA of the chain may not issue certificates for a name in the certificate.",
        "Have the certificate issued for permitted names only, or by another CA.",
        (47, 48, 49, 51, 52, 53),
    ),
    Kind(
        "PATH_LENGTH",
        ERROR,
        "There are more intermediates below a CA than it allows.",
        "Have the intermediate issued with a larger path length, or the leaf one level higher.",
        (25,),
    ),
    Kind(
        "BAD_PURPOSE",
        ERROR,
        "A certificate is not allowed to be used for this purpose.",
        "Have the certificate issued for TLS servers (extended key usage serverAuth).",
        (26,),
    ),
    Kind(
        "ISSUER_IS_NOT_A_CA",
        ERROR,
        "A certificate signs others without being a CA that may do so.",
        "Have the chain issued by a CA certificate (CA:TRUE, key usage keyCertSign).",
        (32, 37, 79),
    ),
    Kind(
        "RFC5280_VIOLATION",
        ERROR,
        "A certificate breaks a rule of RFC 5280, which Python 3.13 and later enforce.",
        "Have the certificate issued again according to RFC 5280.",
        (80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94),
    ),
    Kind(
        "STRICT_313_WILL_FAIL",
        WARNING,
        "Trusted now, but Python 3.13 and later will refuse this chain.",
        "Have the certificate issued again before the language container moves to Python 3.13.",
    ),
    Kind(
        "UNKNOWN_CRITICAL_EXTENSION",
        ERROR,
        "A certificate has a critical extension that OpenSSL does not know.",
        "Have the certificate issued without it; a client must not ignore it (RFC 5280 4.2).",
        (34,),
    ),
    Kind(
        "BAD_CERTIFICATE",
        ERROR,
        "A certificate of the chain is malformed.",
        "Have the certificate issued again; check for a damaged file on the server.",
        (13, 14, 41, 42),
    ),
    Kind(
        "REVOKED",
        ERROR,
        "The CA has revoked a certificate of the chain.",
        "Do not use this server until it has a new certificate; ask its owner why.",
        (23,),
    ),
    Kind(
        "REVOCATION_UNKNOWN",
        ERROR,
        "A revocation list was asked for, but it does not answer for a certificate of the chain.",
        "Supply a current revocation list (CRL) of the CA named here.",
        (3, 5, 8, 11, 12, 15, 16, 33, 35, 36, 44, 54),
    ),
    Kind(
        "CRL_UNREADABLE",
        ERROR,
        "A revocation list that was asked for could not be read.",
        "Check the path after crl= (as UDFs see it: /buckets/...; for `exatrust probe` on this "
        "machine), and that the file is a revocation list, PEM or DER.",
        certainty="With severity WARNING where the other lists answer for every certificate.",
    ),
    Kind(
        "CHAIN_TOO_LONG",
        ERROR,
        "The chain is longer than OpenSSL follows.",
        "Let the server send only the certificates between its own and the root.",
        (22, 55),
    ),
    Kind(
        "VERIFY_ERROR",
        ERROR,
        "OpenSSL refuses the chain for a reason without a finding of its own.",
        "Read the verify text and look the code up in OpenSSL's documentation.",
    ),
    Kind(
        "KEY_UNPROVED",
        ERROR,
        "The certificates are trusted, but the handshake ended before the server proved that it "
        "has their key.",
        "Judge this truststore on its own: give it alone, to `exatrust probe` with --ca.",
    ),
    Kind(
        "WRONG_KEY",
        ERROR,
        "The server does not have the key of the certificate that it sends: its signature in the "
        "handshake is wrong.",
        "Check on the server that certificate and key belong together. If they do, something else "
        "answered in its place: treat it as an attack.",
    ),
    Kind(
        "VERDICT_UNKNOWN",
        WARNING,
        "This truststore could not be judged: OpenSSL's library is out of reach here.",
        "Only the connection's own truststore was judged, and only its first error is known.",
    ),
    # Observations: the connection may well be trusted.
    Kind(
        "CHAIN_ORDER",
        INFO,
        "The server sends its chain out of order; OpenSSL accepts that, others may not.",
        "Let the server send the leaf first, then each issuer (RFC 5246 7.4.2).",
    ),
    Kind(
        "EXTRA_ROOT_SENT",
        INFO,
        "The server sends a root, which clients ignore: they use their own.",
        "Nothing has to be done; leaving it out saves bytes in every handshake.",
    ),
    Kind(
        "EXTRA_CERTIFICATE",
        INFO,
        "The server sends certificates twice, or some that do not belong to its chain.",
        "Let the server send only the certificates between its own and the root.",
    ),
    # Before or beside TLS.
    Kind(
        "BAD_INPUT",
        ERROR,
        "The arguments do not describe an endpoint.",
        "Give 'host:port', or (host, port), or (host, port, 'key=value ...').",
    ),
    Kind(
        "DNS",
        ERROR,
        "The name could not be resolved on this machine.",
        "Check the spelling, and the DNS servers of this machine.",
    ),
    Kind(
        "REFUSED",
        ERROR,
        "Nothing listens on this port, or a firewall rejects the connection.",
        "Check the port and that the service runs; then the firewall between this machine and the "
        "host.",
    ),
    Kind(
        "UNREACHABLE",
        ERROR,
        "There is no network route from this machine to the host.",
        "Check routing and firewall between this machine and the host.",
    ),
    Kind(
        "TIMEOUT",
        ERROR,
        "No answer in time.",
        "Check firewall and load of the host; raise timeout= if it is only slow.",
    ),
    Kind(
        "CLOSED",
        ERROR,
        "The server closed the connection before the handshake was over.",
        "Look into the server's log; a load balancer without a backend does this, too.",
    ),
    Kind(
        "PROXY_REFUSED",
        ERROR,
        "The HTTP proxy did not open a tunnel.",
        "Ask the proxy's administrators to allow CONNECT to this host and port.",
    ),
    Kind(
        "UPGRADE_REFUSED",
        ERROR,
        "The server does not offer TLS in the protocol given.",
        "Enable TLS on the server, or use the port and protocol= on which it speaks TLS.",
    ),
    Kind(
        "TURNED_AWAY",
        ERROR,
        "The server turns this client away before TLS.",
        "Read its words. It may be overloaded, or not serve this machine: look into its log, and "
        "try again later.",
    ),
    Kind(
        "PLAINTEXT_INJECTED",
        ERROR,
        "Bytes came in plain after both sides had agreed on TLS: who obeys them obeys anybody on "
        "the way (CVE-2011-0411).",
        "Find out what sends them: the server itself, or something between. Treat it as an attack "
        "until that is known.",
    ),
    Kind(
        "NOT_TLS",
        ERROR,
        "What answers on this port does not speak TLS.",
        "Use the service's TLS port, or protocol= for one that starts without TLS.",
    ),
    Kind(
        "PROTOCOL_VERSION",
        ERROR,
        "Server and client have no TLS version in common.",
        "Enable TLS 1.2 or 1.3 on the server.",
    ),
    Kind(
        "NO_CIPHER",
        ERROR,
        "Server and client could not agree on algorithms.",
        "Enable a modern cipher suite on the server (ECDHE with AES-GCM or ChaCha20).",
    ),
    Kind(
        "UNRECOGNIZED_NAME",
        ERROR,
        "The server serves no site by the name sent (SNI).",
        "Check the name, or give the one the server knows with sni=.",
    ),
    Kind(
        "CLIENT_CERT_REQUIRED",
        ERROR,
        "The server wants a client certificate.",
        "Use a client certificate in the UDF (SSLContext.load_cert_chain); trust itself is fine "
        "unless another finding says otherwise.",
    ),
    Kind(
        "ALERT",
        ERROR,
        "The server ended the handshake with an alert.",
        "Look into the server's log for the reason.",
    ),
    Kind(
        "CHAIN_TOO_LARGE",
        ERROR,
        "The server sends more than OpenSSL's limit of 100 kB for the certificates of a handshake, "
        "so none of them was judged.",
        "Let the server send its own certificate and the intermediates above it, not a whole "
        "bundle of CAs; have a certificate with thousands of names split into several.",
    ),
    Kind(
        "RELEASE_DAMAGED",
        ERROR,
        "The release's code is missing or altered where it should run, so nothing was checked.",
        "Run `exatrust status`, then `exatrust install`.",
    ),
    Kind(
        "HANDSHAKE_FAILED",
        ERROR,
        "The handshake failed for a reason that is not about trust.",
        "Read the cause; look into the server's log.",
    ),
    # What HTTPS_GET, HTTPS_REQUEST and HTTPS_JSON say beside the above.
    Kind(
        "HTTP_BAD_REQUEST",
        ERROR,
        "The arguments do not describe an HTTPS request, so nothing was sent.",
        "Correct the argument that the cause names.",
    ),
    Kind(
        "HTTP_HOST_NOT_ALLOWED",
        ERROR,
        "No row of the table ALLOWED_HOST allows this host and port.",
        "Ask the administrators of exatrust for a row in ALLOWED_HOST; `exatrust install` brings "
        "it into the scripts.",
    ),
    Kind(
        "HTTP_ADDRESS_NOT_ALLOWED",
        ERROR,
        "The host's address is one that ALLOWED_HOST does not allow for it.",
        "If the host is meant, ask the administrators of exatrust for a row in ALLOWED_HOST with "
        "ADDRESSES that include it; `exatrust install` brings it into the scripts.",
    ),
    Kind(
        "HTTP_CREDENTIALS",
        ERROR,
        "The credentials cannot be used, so nothing was sent.",
        "Check the CONNECTION: its name (in upper case, unless it was created in quotes), access "
        "to it (GRANT ACCESS ON CONNECTION), its address, user and password.",
    ),
    Kind(
        "HTTP_REDIRECT",
        ERROR,
        "The server sends the client on to where this request does not go.",
        "Check the address, then use the final one; redirects go to https only, and only requests "
        "that change nothing go on to another host.",
    ),
    Kind(
        "HTTP_STATUS",
        ERROR,
        "The server answered that it did not do what was asked.",
        "Read status and body; for 401 and 403 check the credentials.",
    ),
    Kind(
        "HTTP_INCOMPLETE",
        ERROR,
        "The server closed the connection before its answer was complete.",
        "Try again; look into the server's log.",
    ),
    Kind(
        "HTTP_MALFORMED",
        ERROR,
        "What the server answers is not HTTP/1.1.",
        "Check that the port serves HTTPS.",
    ),
    Kind(
        "HTTP_TOO_LARGE",
        ERROR,
        "The answer is larger than a column: 2,000,000 characters.",
        "Ask the service for less, page by page.",
        certainty="With severity WARNING where the beginning is in BODY.",
    ),
    Kind(
        "HTTP_BODY_ENCODING",
        ERROR,
        "The body is packed in a way that was not asked for, or is damaged.",
        "Give the option gzip=yes if the server insists on gzip.",
    ),
    Kind(
        "HTTP_BODY_NOT_TEXT",
        ERROR,
        "The body is no text that a column can hold.",
        "Ask the service for text (JSON, CSV, XML), and for a charset that it names.",
    ),
    Kind(
        "HTTP_BODY_NOT_JSON",
        ERROR,
        "The body is no JSON document.",
        "Look at it with HTTPS_REQUEST.",
    ),
    Kind(
        "HTTP_JSON_NOTHING_THERE",
        WARNING,
        "The document has nothing at this pointer.",
        "Look at the document: without a pointer HTTPS_JSON gives all of it.",
    ),
)

KINDS: dict[str, Kind] = {kind.id: kind for kind in _ALL}

BY_CODE: dict[int, Kind] = {code: kind for kind in _ALL for code in kind.codes}
