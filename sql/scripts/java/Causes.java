package com.exasol;

import java.io.EOFException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.InvalidAlgorithmParameterException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLException;

/**
 * From Java's exceptions to the findings of exatrust. Where an exception leaves the cause open, the
 * finding says no more than that: HANDSHAKE_FAILED, VERIFY_ERROR or ALERT.
 */
final class Causes {
    private Causes() {}

    static String finding(Throwable error, X509Certificate[] received) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            String found = named(each, received);
            if (found != null) {
                return found;
            }
        }
        return received.length > 0 && isAboutTrust(error) ? "VERIFY_ERROR" : "HANDSHAKE_FAILED";
    }

    /** The innermost message tells more than those around it. */
    static String text(Throwable error) {
        StringBuilder text = new StringBuilder(error.toString());
        for (Throwable each = error.getCause(); each != null; each = each.getCause()) {
            if (each.getMessage() != null && text.indexOf(each.getMessage()) < 0) {
                text.append("; caused by ").append(each);
            }
        }
        return text.toString();
    }

    private static boolean isAboutTrust(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof CertificateException || each instanceof CertPathValidatorException) {
                return true;
            }
        }
        return false;
    }

    private static String named(Throwable error, X509Certificate[] received) {
        String text = String.valueOf(error.getMessage());
        if (error instanceof UnknownHostException) {
            return "DNS";
        }
        if (error instanceof NoRouteToHostException) {
            return "UNREACHABLE";
        }
        if (error instanceof ConnectException) {
            return text.contains("refused") ? "REFUSED" : "UNREACHABLE";
        }
        if (error instanceof SocketTimeoutException) {
            return "TIMEOUT";
        }
        if (error instanceof EOFException || error instanceof SocketException) {
            return "CLOSED";
        }
        if (error instanceof InvalidAlgorithmParameterException) {
            return text.contains("must be non-empty") ? "TRUST_STORE_EMPTY" : null;
        }
        if (error instanceof SSLException && error.getCause() == null) {
            return ofHandshake(text);
        }
        return ofCertificates(error, text, received);
    }

    private static String ofHandshake(String text) {
        if (text.contains("Unsupported or unrecognized SSL message")) {
            return "NOT_TLS";
        }
        if (text.contains("fatal alert: protocol_version")
                || text.contains("is not accepted by client preferences")) {
            return "PROTOCOL_VERSION";
        }
        if (text.contains("fatal alert: unrecognized_name")) {
            return "UNRECOGNIZED_NAME";
        }
        if (text.contains("fatal alert: certificate_required")) {
            return "CLIENT_CERT_REQUIRED";
        }
        return text.contains("fatal alert") ? "ALERT" : null;
    }

    private static String ofCertificates(
            Throwable error, String text, X509Certificate[] received) {
        if (error instanceof CertificateExpiredException) {
            return "EXPIRED";
        }
        if (error instanceof CertificateNotYetValidException) {
            return "NOT_YET_VALID";
        }
        if (error instanceof CertPathBuilderException) {
            return isAlone(received) ? "SELF_SIGNED" : "CA_NOT_IN_TRUSTSTORE";
        }
        if (error instanceof CertPathValidatorException) {
            return ofPath((CertPathValidatorException) error, text);
        }
        boolean aboutName =
                text.startsWith("No subject alternative")
                        || text.startsWith("No name matching")
                        || text.startsWith("Illegal given domain name");
        return error instanceof CertificateException && aboutName ? "HOST_MISMATCH" : null;
    }

    private static String ofPath(CertPathValidatorException error, String text) {
        if (error.getReason() == BasicReason.EXPIRED) {
            return "EXPIRED";
        }
        if (error.getReason() == BasicReason.NOT_YET_VALID) {
            return "NOT_YET_VALID";
        }
        if (error.getReason() == BasicReason.INVALID_SIGNATURE) {
            return "BAD_SIGNATURE";
        }
        if (error.getReason() == BasicReason.ALGORITHM_CONSTRAINED) {
            return text.contains("keysize") ? "WEAK_KEY" : "WEAK_SIGNATURE";
        }
        return null;
    }

    /** Whether the server sent one certificate, which is its own issuer. */
    private static boolean isAlone(X509Certificate[] received) {
        return received.length == 1
                && received[0].getSubjectX500Principal().equals(
                        received[0].getIssuerX500Principal());
    }
}
