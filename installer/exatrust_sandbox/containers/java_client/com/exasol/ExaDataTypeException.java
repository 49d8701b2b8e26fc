package com.exasol;

/** A value does not fit the type of its column, or the type that was asked for. */
public class ExaDataTypeException extends Exception {
    private static final long serialVersionUID = 1L;

    public ExaDataTypeException(String message) {
        super(message);
    }
}
