"""Which certificates of a truststore could close a chain: what OpenSSL would look at. Pure.

OpenSSL looks an issuer up by its name, so that nothing else of a truststore matters to a chain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from exatrust_udf.certificate import Certificate


def candidates(
    received: Sequence[Certificate | None],
    certificates: Sequence[Certificate],
    without: Collection[Certificate],
) -> list[Certificate]:
    """The certificates of a truststore that may be in a path from the received ones upwards.

    `without` are those of the truststore that shall be gone. A received certificate that the
    truststore holds itself may be an anchor, too.
    """
    by_name = defaultdict(list)
    for cert in certificates:
        if cert not in without:
            by_name[cert.subject_der].append(cert)
    names = [name for c in received if c is not None for name in (c.subject_der, c.issuer_der)]
    found: dict[Certificate, None] = {}
    while names:
        for cert in by_name.pop(names.pop(), ()):
            found[cert] = None
            names.append(cert.issuer_der)
    return list(found)
