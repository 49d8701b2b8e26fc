package com.exasol;

/** A connection does not exist, or the script may not use it. */
public class ExaConnectionAccessException extends Exception {
    private static final long serialVersionUID = 1L;

    public ExaConnectionAccessException(String message) {
        super(message);
    }
}
