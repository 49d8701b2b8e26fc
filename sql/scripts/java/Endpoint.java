package com.exasol;

/**
 * What the arguments name: ('host:port'), (host, port) or (host, port, options). {@code problem}
 * says what is wrong with them; one option is known here, {@code timeout=} in seconds.
 */
final class Endpoint {
    private static final int TIMEOUT = 10_000;
    private static final int MAX_TIMEOUT = 120;
    private static final int MAX_PORT = 65_535;

    String given;
    String host;
    int port;
    String options;
    int timeout = TIMEOUT;
    String problem;

    private Endpoint() {}

    static Endpoint of(ExaMetadata meta, ExaIterator row) throws Exception {
        int count = (int) meta.getInputColumnCount();
        Endpoint endpoint = new Endpoint();
        endpoint.given = row.getString(0);
        endpoint.options = count > 2 ? row.getString(2) : null;
        try {
            endpoint.read(count > 1 ? row.getString(1) : null, count);
        } catch (IllegalArgumentException wrong) {
            endpoint.problem = wrong.getMessage();
        }
        return endpoint;
    }

    private void read(String number, int count) {
        if (count > 3) {
            throw new IllegalArgumentException(count + " arguments given, 1 to 3 expected");
        }
        if (given == null || given.trim().isEmpty()) {
            throw new IllegalArgumentException("the host is missing");
        }
        String text = given.trim();
        int colon = text.lastIndexOf(':');
        if (number == null && colon < 1) {
            throw new IllegalArgumentException("there is no port; write 'host:port'");
        }
        String name = number == null ? text.substring(0, colon) : text;
        port = port(number == null ? text.substring(colon + 1) : number);
        host = name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1)
                : name;
        if (!host.matches("[A-Za-z0-9_.:%-]{1,253}")) {
            throw new IllegalArgumentException("this is not a host name, or not in ASCII");
        }
        if (number == null) {
            given = host;
        }
        if (options != null) {
            readOptions();
        }
    }

    private static int port(String text) {
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) < 1
                || Integer.parseInt(text) > MAX_PORT) {
            throw new IllegalArgumentException("the port must be a number from 1 to 65535");
        }
        return Integer.parseInt(text);
    }

    private void readOptions() {
        for (String option : options.trim().split("\\s+")) {
            if (!option.matches("timeout=[0-9]{1,3}")) {
                throw new IllegalArgumentException(
                        "Java's script knows one option, timeout=SECONDS; use CHECK_ENDPOINT of a"
                                + " Python container for others");
            }
            int seconds = Integer.parseInt(option.substring("timeout=".length()));
            if (seconds < 1 || seconds > MAX_TIMEOUT) {
                throw new IllegalArgumentException("timeout must be 1 to " + MAX_TIMEOUT);
            }
            timeout = seconds * 1000;
        }
    }
}
