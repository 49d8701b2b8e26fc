package com.exasol;

import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;

/** What a column takes of a value that a script emits, and what it refuses. */
final class ExaEmitted {
    private ExaEmitted() {}

    /** The value as the database reads it. */
    static String text(ExaColumn column, Object value) throws ExaDataTypeException {
        if (value instanceof Byte || value instanceof Short || value instanceof Integer) {
            return number(column, (Number) value, "1108");
        }
        if (value instanceof Long) {
            return number(column, (Number) value, "1109");
        }
        if (value instanceof Float || value instanceof Double) {
            return number(column, (Number) value, "1110");
        }
        if (value instanceof BigDecimal) {
            return number(column, (Number) value, "1111");
        }
        if (value instanceof Boolean) {
            return only(ExaColumn.Kind.BOOLEAN, column, value, "1112");
        }
        if (value instanceof String) {
            String text = only(ExaColumn.Kind.STRING, column, value, "1114");
            int end = text.indexOf('\0');
            return end < 0 ? text : text.substring(0, end);
        }
        if (value instanceof Date) {
            return only(ExaColumn.Kind.DATE, column, value, "1115");
        }
        if (value instanceof Timestamp) {
            return only(ExaColumn.Kind.TIMESTAMP, column, value, "1116");
        }
        throw new ExaDataTypeException(
                String.format(
                        "E-UDF-CL-SL-JAVA-1117: emit column '%s' is of unsupported type %s",
                        column.name, value.getClass().getCanonicalName()));
    }

    private static String only(ExaColumn.Kind kind, ExaColumn column, Object value, String code)
            throws ExaDataTypeException {
        if (column.kind != kind) {
            throw refused(column, value, code);
        }
        return value.toString();
    }

    private static String number(ExaColumn column, Number value, String code)
            throws ExaDataTypeException {
        switch (column.kind) {
            case INT32:
                checkInteger(value, column.name);
                return value instanceof BigDecimal
                        ? "" + ((BigDecimal) value).intValueExact()
                        : "" + value.intValue();
            case INT64:
                checkLong(value, column.name);
                return value instanceof BigDecimal
                        ? "" + ((BigDecimal) value).longValueExact()
                        : "" + value.longValue();
            case NUMERIC:
                return value.toString();
            case DOUBLE:
                return "" + value.doubleValue();
            default:
                throw refused(column, value, code);
        }
    }

    private static ExaDataTypeException refused(ExaColumn column, Object value, String code) {
        return new ExaDataTypeException(
                String.format(
                        "E-UDF-CL-SL-JAVA-%s: emit column '%s' is of type %s but data given have"
                                + " type %s",
                        code,
                        column.name,
                        column.kind,
                        value.getClass().getCanonicalName()));
    }

    static void checkInteger(Object value, String name) throws ExaDataTypeException {
        if (value instanceof Long) {
            limits((Long) value, (Long) value, Integer.MIN_VALUE, Integer.MAX_VALUE, name, 1143);
        } else if (value instanceof Float) {
            whole((Float) value, value, Integer.MIN_VALUE, Integer.MAX_VALUE, name, 1145);
        } else if (value instanceof Double) {
            whole((Double) value, value, Integer.MIN_VALUE, Integer.MAX_VALUE, name, 1148);
        }
    }

    static void checkLong(Object value, String name) throws ExaDataTypeException {
        if (value instanceof Float) {
            whole((Float) value, value, Long.MIN_VALUE, Long.MAX_VALUE, name, 1151);
        } else if (value instanceof Double) {
            whole((Double) value, value, Long.MIN_VALUE, Long.MAX_VALUE, name, 1154);
        }
    }

    private static void whole(
            double value, Object shown, long least, long most, String name, int code)
            throws ExaDataTypeException {
        limits(value, shown, least, most, name, code);
        if (value != Math.floor(value)) {
            throw new ExaDataTypeException(
                    String.format(
                            "E-UDF-CL-SL-JAVA-%d: emit column '%s' has a non-integer value of %s",
                            code + 2, name, shown));
        }
    }

    private static void limits(
            double value, Object shown, long least, long most, String name, int code)
            throws ExaDataTypeException {
        if (value > most || value < least) {
            boolean over = value > most;
            throw new ExaDataTypeException(
                    String.format(
                            "E-UDF-CL-SL-JAVA-%d: emit column '%s' has value of %s but column can"
                                    + " only have %s value of %d",
                            over ? code : code + 1,
                            name,
                            shown,
                            over ? "maximum" : "minimum",
                            over ? most : least));
        }
    }
}
