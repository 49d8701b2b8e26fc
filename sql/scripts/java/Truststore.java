package com.exasol;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A truststore as Java itself loads it; {@code manager} is null where it cannot, and {@code
 * problem} says why.
 */
final class Truststore {
    static final String DEFAULT = "java";
    static final String SHARED_BUNDLE = "shared-bundle";

    final String name;
    final String path;
    final String sha256;
    final X509ExtendedTrustManager manager;
    final String problem;

    private Truststore(
            String name,
            String path,
            String sha256,
            X509ExtendedTrustManager manager,
            String problem) {
        this.name = name;
        this.path = path;
        this.sha256 = sha256;
        this.manager = manager;
        this.problem = problem;
    }

    /** Every certificate it trusts, in an order that depends on nothing else. */
    X509Certificate[] anchors() {
        X509Certificate[] found =
                manager == null ? new X509Certificate[0] : manager.getAcceptedIssuers();
        Arrays.sort(found, Comparator.comparing(Truststore::sha256));
        return found;
    }

    /** What a connection verifies with where a script says nothing (JSSE Reference Guide). */
    static Truststore ofJava() {
        String path = defaultPath();
        try {
            byte[] content = Files.readAllBytes(Path.of(path));
            String problem =
                    manager(null).getAcceptedIssuers().length == 0
                            ? path + ": Java finds no certificate that it would trust"
                            : null;
            return new Truststore(DEFAULT, path, sha256(content), manager(null), problem);
        } catch (IOException | GeneralSecurityException error) {
            return new Truststore(DEFAULT, path, null, null, path + ": " + error);
        }
    }

    /** Where Java looks, in this order: a file that is not there is passed over without a word. */
    private static String defaultPath() {
        String given = System.getProperty("javax.net.ssl.trustStore", "");
        String directory = System.getProperty("java.home") + "/lib/security/";
        for (String path : new String[] {given, directory + "jssecacerts"}) {
            if (new File(path).isFile()) {
                return path;
            }
        }
        return directory + "cacerts";
    }

    /** The release's truststore: the bytes that are loaded are those whose digest was compared. */
    static Truststore ofRelease(Map<String, String> pin, long node) {
        String path = pin.get("directory") + "/" + pin.get("truststore");
        try {
            byte[] content = Files.readAllBytes(Path.of(path));
            String found = sha256(content);
            if (!found.equals(pin.get("truststore_sha256"))) {
                return lost(pin, node, path, "was altered", "SHA-256 " + found);
            }
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(
                    new ByteArrayInputStream(content), pin.get("truststore_password").toCharArray());
            return new Truststore(SHARED_BUNDLE, path, found, manager(store), null);
        } catch (IOException | GeneralSecurityException error) {
            return lost(pin, node, path, "cannot be read", error.toString());
        }
    }

    private static Truststore lost(
            Map<String, String> pin, long node, String path, String what, String found) {
        String problem =
                String.format(
                        "exatrust: node %d: %s %s. Expected SHA-256 %s, found: %s. Run `exatrust"
                                + " status`, then `exatrust install`.",
                        node, path, what, pin.get("truststore_sha256"), found);
        return new Truststore(SHARED_BUNDLE, path, null, null, problem);
    }

    private static X509ExtendedTrustManager manager(KeyStore store)
            throws GeneralSecurityException {
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        for (TrustManager each : factory.getTrustManagers()) {
            if (each instanceof X509ExtendedTrustManager) {
                return (X509ExtendedTrustManager) each;
            }
        }
        throw new GeneralSecurityException("this Java has no trust manager that checks names");
    }

    static String sha256(X509Certificate certificate) {
        try {
            return sha256(certificate.getEncoded());
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    static String sha256(byte[] content) throws GeneralSecurityException {
        StringBuilder hex = new StringBuilder();
        for (byte octet : MessageDigest.getInstance("SHA-256").digest(content)) {
            hex.append(String.format("%02x", octet));
        }
        return hex.toString();
    }
}
