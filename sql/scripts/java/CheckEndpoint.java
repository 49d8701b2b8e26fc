package com.exasol;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** One row for each endpoint and truststore: does a Java client with this truststore accept it? */
final class CheckEndpoint {
    private static final int THREADS = 16;

    private CheckEndpoint() {}

    static void run(ExaMetadata meta, ExaIterator rows) throws Exception {
        Instant now = Instant.now();
        List<Truststore> stores =
                Arrays.asList(
                        Truststore.ofRelease(Pinned.PIN, meta.getNodeId()), Truststore.ofJava());
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            // All at a time, so that the dead do not add up.
            List<Future<Object[]>> found = new ArrayList<>();
            do {
                Endpoint endpoint = Endpoint.of(meta, rows);
                for (Truststore store : stores) {
                    found.add(threads.submit(() -> row(meta, now, endpoint, store)));
                }
            } while (rows.next());
            for (Future<Object[]> each : found) {
                rows.emit(each.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static Object[] row(
            ExaMetadata meta, Instant now, Endpoint endpoint, Truststore store) {
        if (endpoint.problem != null) {
            return values(meta, now, endpoint, store, null, "BAD_INPUT", endpoint.problem);
        }
        if (store.problem != null) {
            return values(meta, now, endpoint, store, null, "TRUST_STORE_EMPTY", store.problem);
        }
        Handshake made = Handshake.with(store, endpoint.host, endpoint.port, endpoint.timeout);
        if (made.trusted) {
            return values(meta, now, endpoint, store, made, null, null);
        }
        String finding = Causes.finding(made.error, made.received);
        return values(meta, now, endpoint, store, made, finding, Causes.text(made.error));
    }

    private static Object[] values(
            ExaMetadata meta,
            Instant now,
            Endpoint endpoint,
            Truststore store,
            Handshake made,
            String finding,
            String text) {
        boolean shook = made != null;
        X509Certificate leaf = shook && made.received.length > 0 ? made.received[0] : null;
        X509Certificate anchor = shook ? made.anchor : null;
        return new Object[] {
            meta.getNodeId(),
            Pinned.PIN.get("alias"),
            Pinned.PIN.get("release"),
            Moments.timestamp(now),
            endpoint.given,
            endpoint.port == 0 ? null : endpoint.port,
            endpoint.options,
            shook && made.address != null ? made.address.getHostAddress() : null,
            store.name,
            store.path,
            store.sha256,
            store.anchors().length,
            shook && made.connected,
            shook && made.trusted,
            finding,
            cut(text, 4000),
            shook ? made.version : null,
            shook ? made.cipher : null,
            leaf == null ? null : cut(leaf.getSubjectX500Principal().getName(), 4000),
            leaf == null ? null : cut(leaf.getIssuerX500Principal().getName(), 4000),
            leaf == null ? null : Truststore.sha256(leaf),
            leaf == null ? null : Moments.timestamp(leaf.getNotBefore()),
            leaf == null ? null : Moments.timestamp(leaf.getNotAfter()),
            leaf == null ? null : Moments.days(now, leaf.getNotAfter()),
            shook ? made.received.length : null,
            anchor == null ? null : cut(anchor.getSubjectX500Principal().getName(), 4000),
            anchor == null ? null : Truststore.sha256(anchor),
            System.getProperty("java.version")
        };
    }

    private static String cut(String text, int length) {
        return text == null || text.length() <= length
                ? text
                : text.substring(0, length - 1) + "…";
    }
}
