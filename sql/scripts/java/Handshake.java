package com.exasol;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXCertPathBuilderResult;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** One handshake, verified as HTTPS is: the chain by a truststore, and the host's name. */
final class Handshake {
    private final Truststore store;

    InetAddress address;
    boolean connected;
    boolean trusted;
    String version;
    String cipher;
    X509Certificate[] received = {};
    X509Certificate anchor;
    Throwable error;

    private Handshake(Truststore store) {
        this.store = store;
    }

    /** Never throws for what a server does: `error` has it. The timeout, in ms, is for each step. */
    static Handshake with(Truststore store, String host, int port, int timeout) {
        Handshake handshake = new Handshake(store);
        try (Socket socket = handshake.connect(host, port, timeout)) {
            socket.setSoTimeout(timeout);
            handshake.shake(socket, host, port);
        } catch (IOException | GeneralSecurityException | RuntimeException failed) {
            handshake.error = failed;
        }
        return handshake;
    }

    private Socket connect(String host, int port, int timeout) throws IOException {
        IOException last = null;
        for (InetAddress each : InetAddress.getAllByName(host)) {
            Socket socket = new Socket();
            try {
                address = each;
                socket.connect(new InetSocketAddress(each, port), timeout);
                connected = true;
                return socket;
            } catch (IOException failed) {
                socket.close();
                last = failed;
            }
        }
        throw last;
    }

    private void shake(Socket socket, String host, int port)
            throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Remembering(store.manager)}, null);
        try (SSLSocket tls =
                (SSLSocket) context.getSocketFactory().createSocket(socket, host, port, true)) {
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            trusted = true;
            version = tls.getSession().getProtocol();
            cipher = tls.getSession().getCipherSuite();
            anchor = findAnchor();
        }
    }

    /** The end of a path that Java builds from what the server sent, as the handshake did. */
    private X509Certificate findAnchor() throws GeneralSecurityException {
        X509CertSelector target = new X509CertSelector();
        target.setCertificate(received[0]);
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate each : store.manager.getAcceptedIssuers()) {
            anchors.add(new TrustAnchor(each, null));
        }
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, target);
        parameters.setRevocationEnabled(false); // as the trust manager's default is
        parameters.addCertStore(
                CertStore.getInstance(
                        "Collection", new CollectionCertStoreParameters(Arrays.asList(received))));
        PKIXCertPathBuilderResult path =
                (PKIXCertPathBuilderResult) CertPathBuilder.getInstance("PKIX").build(parameters);
        return path.getTrustAnchor().getTrustedCert();
    }

    /** Java's own trust manager; what the server sent is kept before it decides. */
    private final class Remembering extends X509ExtendedTrustManager {
        private final X509ExtendedTrustManager judge;

        Remembering(X509ExtendedTrustManager judge) {
            this.judge = judge;
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            received = chain.clone();
            judge.checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            received = chain.clone();
            judge.checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            throw new CertificateException("without a connection no name can be checked");
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            judge.checkClientTrusted(chain, type, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            judge.checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            judge.checkClientTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return judge.getAcceptedIssuers();
        }
    }
}
