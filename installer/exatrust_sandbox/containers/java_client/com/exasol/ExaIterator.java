package com.exasol;

import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;

/** The rows of one call: columns by their number, from 0, or by their name. */
public interface ExaIterator {
    long size() throws ExaIterationException;

    boolean next() throws ExaIterationException;

    void reset() throws ExaIterationException;

    void emit(Object... values) throws ExaIterationException, ExaDataTypeException;

    Integer getInteger(int column) throws ExaIterationException, ExaDataTypeException;

    Integer getInteger(String name) throws ExaIterationException, ExaDataTypeException;

    Long getLong(int column) throws ExaIterationException, ExaDataTypeException;

    Long getLong(String name) throws ExaIterationException, ExaDataTypeException;

    BigDecimal getBigDecimal(int column) throws ExaIterationException, ExaDataTypeException;

    BigDecimal getBigDecimal(String name) throws ExaIterationException, ExaDataTypeException;

    Double getDouble(int column) throws ExaIterationException, ExaDataTypeException;

    Double getDouble(String name) throws ExaIterationException, ExaDataTypeException;

    String getString(int column) throws ExaIterationException, ExaDataTypeException;

    String getString(String name) throws ExaIterationException, ExaDataTypeException;

    Boolean getBoolean(int column) throws ExaIterationException, ExaDataTypeException;

    Boolean getBoolean(String name) throws ExaIterationException, ExaDataTypeException;

    Date getDate(int column) throws ExaIterationException, ExaDataTypeException;

    Date getDate(String name) throws ExaIterationException, ExaDataTypeException;

    Timestamp getTimestamp(int column) throws ExaIterationException, ExaDataTypeException;

    Timestamp getTimestamp(String name) throws ExaIterationException, ExaDataTypeException;

    Object getObject(int column) throws ExaIterationException, ExaDataTypeException;

    Object getObject(String name) throws ExaIterationException, ExaDataTypeException;
}
