package com.exasol;

/** A script walked, read or emitted rows in a way that its kind does not allow. */
public class ExaIterationException extends Exception {
    private static final long serialVersionUID = 1L;

    public ExaIterationException(String message) {
        super(message);
    }
}
