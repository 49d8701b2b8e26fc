package com.exasol;

/** A script cannot be compiled, or has no class to run. */
public class ExaCompilationException extends Exception {
    private static final long serialVersionUID = 1L;

    public ExaCompilationException(String message) {
        super(message);
    }
}
