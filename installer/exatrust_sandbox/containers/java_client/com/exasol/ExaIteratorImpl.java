package com.exasol;

import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.Timestamp;
import java.util.List;

/** ExaIterator over the rows of one group. */
final class ExaIteratorImpl implements ExaIterator {
    private static final int BATCH = 1000;

    private final ExaMetadataImpl meta;
    private final ExaChannel channel;
    private final List<?> rows;
    private final int group;
    private final boolean scalar;
    private final boolean returns;
    private final StringBuilder emitted = new StringBuilder();
    private int position;
    private int pending;
    private boolean insideRun;

    ExaIteratorImpl(ExaMetadataImpl meta, ExaChannel channel, List<?> rows, int group) {
        this.meta = meta;
        this.channel = channel;
        this.rows = rows;
        this.group = group;
        scalar = meta.getInputType().equals("SCALAR");
        returns = meta.getOutputType().equals("RETURN");
    }

    void setInsideRun(boolean inside) {
        insideRun = inside;
    }

    @Override
    public long size() {
        return rows.size();
    }

    @Override
    public boolean next() throws ExaIterationException {
        if (insideRun && scalar) {
            throw new ExaIterationException(
                    "E-UDF-CL-SL-JAVA-1102: next() function is not allowed in scalar context");
        }
        if (position < rows.size()) {
            position++;
        }
        return position < rows.size();
    }

    @Override
    public void reset() throws ExaIterationException {
        if (scalar) {
            throw new ExaIterationException(
                    "E-UDF-CL-SL-JAVA-1104: reset() function is not allowed in scalar context");
        }
        position = 0;
    }

    @Override
    public void emit(Object... values) throws ExaIterationException, ExaDataTypeException {
        if (insideRun && returns) {
            throw new ExaIterationException(
                    "E-UDF-CL-SL-JAVA-1106: emit() function is not allowed in scalar context");
        }
        int count = meta.outputs.size();
        Object[] row = values == null && count == 1 ? new Object[] {null} : values;
        if (row == null || row.length != count) {
            throw new ExaIterationException(
                    String.format(
                            "E-UDF-CL-SL-JAVA-%s: emit() takes exactly %d %s (%d given)",
                            row == null ? "1119" : "1107",
                            count,
                            count > 1 ? "arguments" : "argument",
                            row == null ? 1 : row.length));
        }
        StringBuilder json = new StringBuilder(pending == 0 ? "[" : ",[");
        for (int i = 0; i < count; i++) {
            String text = row[i] == null ? null : ExaEmitted.text(meta.outputs.get(i), row[i]);
            json.append(i == 0 ? "" : ",").append(text == null ? "null" : ExaChannel.quoted(text));
        }
        emitted.append(json).append(']');
        if (++pending == BATCH) {
            flush();
        }
    }

    void flush() throws ExaIterationException {
        if (pending == 0) {
            return;
        }
        try {
            channel.send("rows", "[" + group + ",[" + emitted + "]]");
        } catch (IOException gone) {
            throw new ExaIterationException("F-UDF-CL-SL-JAVA-1120: " + gone.getMessage());
        }
        emitted.setLength(0);
        pending = 0;
    }

    @Override
    public Object getObject(int column) throws ExaIterationException {
        if (column < 0 || column >= meta.inputs.size()) {
            throw new ExaIterationException(
                    "E-UDF-CL-SL-JAVA-1138: Column number " + column + " does not exist");
        }
        if (position >= rows.size()) {
            throw new ExaIterationException("E-UDF-CL-SL-JAVA-1139: Iteration finished");
        }
        return meta.inputs.get(column).read(((List<?>) rows.get(position)).get(column));
    }

    private int column(String name, String code) throws ExaIterationException {
        for (int i = 0; i < meta.inputs.size(); i++) {
            if (meta.inputs.get(i).name.equals(name)) {
                return i;
            }
        }
        throw new ExaIterationException(
                "E-UDF-CL-SL-JAVA-" + code + ": Column with name '" + name + "' does not exist");
    }

    private ExaDataTypeException refused(String code, String method, int column, String wanted) {
        ExaColumn of = meta.inputs.get(column);
        return new ExaDataTypeException(
                String.format(
                        "E-UDF-CL-SL-JAVA-%s: %s cannot convert column '%s' of type %s to %s",
                        code, method, of.name, of.sqlType, wanted));
    }

    @Override
    public Integer getInteger(int column) throws ExaIterationException, ExaDataTypeException {
        Object value = getObject(column);
        if (value == null) {
            return null;
        }
        ExaEmitted.checkInteger(value, meta.inputs.get(column).name);
        if (value instanceof BigDecimal) {
            return ((BigDecimal) value).intValueExact();
        }
        if (value instanceof Number) {
            return ((Number) value).intValue();
        }
        throw refused("1122", "getInteger", column, "an Integer");
    }

    @Override
    public Long getLong(int column) throws ExaIterationException, ExaDataTypeException {
        Object value = getObject(column);
        if (value == null) {
            return null;
        }
        ExaEmitted.checkLong(value, meta.inputs.get(column).name);
        if (value instanceof BigDecimal) {
            return ((BigDecimal) value).longValueExact();
        }
        if (value instanceof Number) {
            return ((Number) value).longValue();
        }
        throw refused("1124", "getLong", column, "a Long");
    }

    @Override
    public BigDecimal getBigDecimal(int column)
            throws ExaIterationException, ExaDataTypeException {
        Object value = getObject(column);
        if (value == null || value instanceof BigDecimal) {
            return (BigDecimal) value;
        }
        if (value instanceof Double) {
            return new BigDecimal((Double) value);
        }
        if (value instanceof Number) {
            return BigDecimal.valueOf(((Number) value).longValue());
        }
        throw refused("1126", "getBigDecimal", column, "a BigDecimal");
    }

    @Override
    public Double getDouble(int column) throws ExaIterationException, ExaDataTypeException {
        Object value = getObject(column);
        if (value == null) {
            return null;
        }
        if (value instanceof Number) {
            return ((Number) value).doubleValue();
        }
        throw refused("1128", "getDouble", column, "a Double");
    }

    @Override
    public String getString(int column) throws ExaIterationException {
        Object value = getObject(column);
        return value == null ? null : value.toString();
    }

    @Override
    public Boolean getBoolean(int column) throws ExaIterationException, ExaDataTypeException {
        return of(Boolean.class, column, "1132", "getBoolean", "a Boolean");
    }

    @Override
    public Date getDate(int column) throws ExaIterationException, ExaDataTypeException {
        return of(Date.class, column, "1134", "getDate", "a Date");
    }

    @Override
    public Timestamp getTimestamp(int column) throws ExaIterationException, ExaDataTypeException {
        return of(Timestamp.class, column, "1136", "getTimestamp", "a Timestamp");
    }

    private <T> T of(Class<T> type, int column, String code, String method, String wanted)
            throws ExaIterationException, ExaDataTypeException {
        Object value = getObject(column);
        if (value != null && !type.isInstance(value)) {
            throw refused(code, method, column, wanted);
        }
        return type.cast(value);
    }

    @Override
    public Integer getInteger(String name) throws ExaIterationException, ExaDataTypeException {
        return getInteger(column(name, "1123"));
    }

    @Override
    public Long getLong(String name) throws ExaIterationException, ExaDataTypeException {
        return getLong(column(name, "1125"));
    }

    @Override
    public BigDecimal getBigDecimal(String name)
            throws ExaIterationException, ExaDataTypeException {
        return getBigDecimal(column(name, "1127"));
    }

    @Override
    public Double getDouble(String name) throws ExaIterationException, ExaDataTypeException {
        return getDouble(column(name, "1129"));
    }

    @Override
    public String getString(String name) throws ExaIterationException {
        return getString(column(name, "1131"));
    }

    @Override
    public Boolean getBoolean(String name) throws ExaIterationException, ExaDataTypeException {
        return getBoolean(column(name, "1133"));
    }

    @Override
    public Date getDate(String name) throws ExaIterationException, ExaDataTypeException {
        return getDate(column(name, "1135"));
    }

    @Override
    public Timestamp getTimestamp(String name) throws ExaIterationException, ExaDataTypeException {
        return getTimestamp(column(name, "1137"));
    }

    @Override
    public Object getObject(String name) throws ExaIterationException {
        return getObject(column(name, "1142"));
    }
}
