package com.exasol;

import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;
import java.util.Map;

/** A column of a script, and the kind in which its values reach a script. */
final class ExaColumn {
    private static final int INT32_DIGITS = 9;
    private static final int INT64_DIGITS = 18;

    final String name;
    final String sqlType;
    final Kind kind;
    final long precision;
    final long scale;
    final long length;

    /** The client's word for a type, and the class that stands for it. */
    enum Kind {
        INT32(Integer.class),
        INT64(Long.class),
        NUMERIC(BigDecimal.class),
        DOUBLE(Double.class),
        STRING(String.class),
        BOOLEAN(Boolean.class),
        DATE(Date.class),
        TIMESTAMP(Timestamp.class);

        final Class<?> type;

        Kind(Class<?> type) {
            this.type = type;
        }
    }

    ExaColumn(Map<?, ?> sent) {
        name = (String) sent.get("name");
        sqlType = (String) sent.get("sql_type");
        long digits = number(sent.get("precision"));
        long places = number(sent.get("scale"));
        kind = kind((String) sent.get("type_name"), digits, places);
        boolean decimal = kind.ordinal() <= Kind.NUMERIC.ordinal();
        precision = decimal ? digits : 0;
        scale = kind == Kind.NUMERIC ? places : 0;
        length = kind == Kind.STRING ? number(sent.get("length")) : 0;
    }

    private static long number(Object value) {
        return value == null ? 0 : Long.parseLong((String) value);
    }

    private static Kind kind(String family, long digits, long places) {
        switch (family) {
            case "DECIMAL":
                if (places > 0 || digits > INT64_DIGITS) {
                    return Kind.NUMERIC;
                }
                return digits > INT32_DIGITS ? Kind.INT64 : Kind.INT32;
            case "DOUBLE":
            case "BOOLEAN":
            case "DATE":
            case "TIMESTAMP":
                return Kind.valueOf(family);
            default:
                return Kind.STRING;
        }
    }

    /** A value as the database sent it, in the class of the column. */
    Object read(Object sent) {
        if (sent == null || sent instanceof Boolean) {
            return sent;
        }
        String text = (String) sent;
        switch (kind) {
            case INT32:
                return Integer.valueOf(text);
            case INT64:
                return Long.valueOf(text);
            case NUMERIC:
                return new BigDecimal(text);
            case DOUBLE:
                return Double.valueOf(text);
            case DATE:
                return Date.valueOf(text);
            case TIMESTAMP:
                return Timestamp.valueOf(text);
            default:
                return text;
        }
    }
}
