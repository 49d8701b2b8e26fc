package com.exasol;

/** A script failed while it ran; the message holds its stack trace. */
public class ExaUDFException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ExaUDFException(String message) {
        super(message);
    }
}
