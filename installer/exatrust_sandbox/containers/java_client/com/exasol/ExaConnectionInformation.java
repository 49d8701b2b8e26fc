package com.exasol;

/** What CREATE CONNECTION says. */
public interface ExaConnectionInformation {
    enum ConnectionType {
        PASSWORD
    }

    ConnectionType getType();

    String getAddress();

    String getUser();

    String getPassword();
}
