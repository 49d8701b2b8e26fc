package com.exasol;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.security.auth.x500.X500Principal;

/** One row for each certificate that Java trusts on this node, by truststore. */
final class ListCertificates {
    private static final int MAX_NAME = 20_000;

    // The first group of each statement that met this virtual machine: one set of rows is enough
    // for a node. The same sample again is the script called once more by the statement.
    private static final Map<String, Long> answered = new HashMap<>();

    private ListCertificates() {}

    static void run(ExaMetadata meta, ExaIterator rows) throws Exception {
        Long sample = rows.getLong(0);
        String statement = meta.getSessionId() + " " + meta.getStatementId();
        Long first = answered.putIfAbsent(statement, sample);
        if (first != null && !first.equals(sample)) {
            return;
        }
        Instant now = Instant.now();
        Truststore bundle = Truststore.ofRelease(Pinned.PIN, meta.getNodeId());
        Set<String> shared =
                Arrays.stream(bundle.anchors()).map(Truststore::sha256).collect(Collectors.toSet());
        for (Truststore store : Arrays.asList(bundle, Truststore.ofJava())) {
            X509Certificate[] anchors = store.anchors();
            for (int i = 0; i < anchors.length; i++) {
                emit(meta, rows, sample, now, store, i + 1, anchors[i], shared);
            }
            if (store.problem != null) {
                rows.emit(
                        sample, meta.getNodeId(), Pinned.PIN.get("alias"),
                        Pinned.PIN.get("release"), Moments.timestamp(now), store.name, store.path,
                        null, null, null, null, null, null, null, null, null, store.problem);
            }
        }
    }

    private static void emit(
            ExaMetadata meta, ExaIterator rows, Long sample, Instant now, Truststore store,
            int position, X509Certificate found, Set<String> shared)
            throws Exception {
        String digest = Truststore.sha256(found);
        rows.emit(
                sample, meta.getNodeId(), Pinned.PIN.get("alias"), Pinned.PIN.get("release"),
                Moments.timestamp(now), store.name, store.path, position,
                name(found.getSubjectX500Principal()), name(found.getIssuerX500Principal()),
                found.getSerialNumber().toString(16), digest, Moments.timestamp(found.getNotBefore()),
                Moments.timestamp(found.getNotAfter()), Moments.days(now, found.getNotAfter()),
                shared.contains(digest), null);
    }

    static String name(X500Principal name) {
        String text = name.getName(X500Principal.RFC2253);
        return text.length() <= MAX_NAME ? text : text.substring(0, MAX_NAME - 1) + "…";
    }
}
