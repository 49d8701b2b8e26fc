package com.exasol;

import java.math.BigInteger;

/** What a script can learn of the database, of itself and of its columns, which count from 0. */
public interface ExaMetadata {
    String getDatabaseName();

    String getDatabaseVersion();

    String getScriptLanguage();

    String getScriptName();

    String getScriptSchema();

    String getCurrentUser();

    String getScopeUser();

    String getCurrentSchema();

    String getScriptCode();

    String getSessionId();

    long getStatementId();

    long getNodeCount();

    long getNodeId();

    String getVmId();

    BigInteger getMemoryLimit();

    String getInputType();

    long getInputColumnCount();

    String getInputColumnName(int column) throws ExaIterationException;

    Class<?> getInputColumnType(int column) throws ExaIterationException;

    String getInputColumnSqlType(int column) throws ExaIterationException;

    long getInputColumnPrecision(int column) throws ExaIterationException;

    long getInputColumnScale(int column) throws ExaIterationException;

    long getInputColumnLength(int column) throws ExaIterationException;

    String getOutputType();

    long getOutputColumnCount();

    String getOutputColumnName(int column) throws ExaIterationException;

    Class<?> getOutputColumnType(int column) throws ExaIterationException;

    String getOutputColumnSqlType(int column) throws ExaIterationException;

    long getOutputColumnPrecision(int column) throws ExaIterationException;

    long getOutputColumnScale(int column) throws ExaIterationException;

    long getOutputColumnLength(int column) throws ExaIterationException;

    Class<?> importScript(String name) throws ExaCompilationException, ClassNotFoundException;

    ExaConnectionInformation getConnection(String name) throws ExaConnectionAccessException;
}
