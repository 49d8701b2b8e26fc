package com.exasol;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ExaMetadata of one call. */
final class ExaMetadataImpl implements ExaMetadata {
    final List<ExaColumn> inputs;
    final List<ExaColumn> outputs;
    private final Map<?, ?> request;
    private final Map<?, ?> meta;
    private final ExaChannel channel;
    private final Set<String> imported = new HashSet<>();

    ExaMetadataImpl(Map<?, ?> request, ExaChannel channel) {
        this.request = request;
        this.channel = channel;
        meta = (Map<?, ?>) request.get("meta");
        inputs = columns((List<?>) request.get("inputs"));
        outputs = columns((List<?>) request.get("outputs"));
    }

    private static List<ExaColumn> columns(List<?> sent) {
        List<ExaColumn> columns = new ArrayList<>();
        for (Object column : sent) {
            columns.add(new ExaColumn((Map<?, ?>) column));
        }
        return columns;
    }

    private String text(String key) {
        return (String) meta.get(key);
    }

    private long number(String key) {
        return Long.parseLong(text(key));
    }

    @Override
    public String getDatabaseName() {
        return text("database_name");
    }

    @Override
    public String getDatabaseVersion() {
        return text("database_version");
    }

    @Override
    public String getScriptLanguage() {
        return "Java " + System.getProperty("java.version");
    }

    @Override
    public String getScriptName() {
        return text("script_name");
    }

    @Override
    public String getScriptSchema() {
        return text("script_schema");
    }

    @Override
    public String getCurrentUser() {
        return text("current_user");
    }

    @Override
    public String getScopeUser() {
        return text("scope_user");
    }

    @Override
    public String getCurrentSchema() {
        return text("current_schema");
    }

    @Override
    public String getScriptCode() {
        return text("script_code");
    }

    @Override
    public String getSessionId() {
        return text("session_id");
    }

    @Override
    public long getStatementId() {
        return number("statement_id");
    }

    @Override
    public long getNodeCount() {
        return number("node_count");
    }

    @Override
    public long getNodeId() {
        return number("node_id");
    }

    @Override
    public String getVmId() {
        return text("vm_id");
    }

    @Override
    public BigInteger getMemoryLimit() {
        return new BigInteger(text("memory_limit"));
    }

    @Override
    public String getInputType() {
        return (String) request.get("input_type");
    }

    @Override
    public long getInputColumnCount() {
        return inputs.size();
    }

    @Override
    public String getInputColumnName(int column) throws ExaIterationException {
        return column(inputs, column, "1083").name;
    }

    @Override
    public Class<?> getInputColumnType(int column) throws ExaIterationException {
        return column(inputs, column, "1084").kind.type;
    }

    @Override
    public String getInputColumnSqlType(int column) throws ExaIterationException {
        return column(inputs, column, "1085").sqlType;
    }

    @Override
    public long getInputColumnPrecision(int column) throws ExaIterationException {
        return column(inputs, column, "1086").precision;
    }

    @Override
    public long getInputColumnScale(int column) throws ExaIterationException {
        return column(inputs, column, "1087").scale;
    }

    @Override
    public long getInputColumnLength(int column) throws ExaIterationException {
        return column(inputs, column, "1088").length;
    }

    /** RETURN or EMIT: the real client's words, whatever its documentation says. */
    @Override
    public String getOutputType() {
        return request.get("output_type").equals("RETURNS") ? "RETURN" : "EMIT";
    }

    @Override
    public long getOutputColumnCount() {
        return outputs.size();
    }

    @Override
    public String getOutputColumnName(int column) throws ExaIterationException {
        return column(outputs, column, "1089").name;
    }

    @Override
    public Class<?> getOutputColumnType(int column) throws ExaIterationException {
        return column(outputs, column, "1090").kind.type;
    }

    @Override
    public String getOutputColumnSqlType(int column) throws ExaIterationException {
        return column(outputs, column, "1091").sqlType;
    }

    @Override
    public long getOutputColumnPrecision(int column) throws ExaIterationException {
        return column(outputs, column, "1092").precision;
    }

    @Override
    public long getOutputColumnScale(int column) throws ExaIterationException {
        return column(outputs, column, "1093").scale;
    }

    @Override
    public long getOutputColumnLength(int column) throws ExaIterationException {
        return column(outputs, column, "1094").length;
    }

    private static ExaColumn column(List<ExaColumn> columns, int number, String code)
            throws ExaIterationException {
        if (number < 0 || number >= columns.size()) {
            throw new ExaIterationException(
                    "E-UDF-CL-SL-JAVA-" + code + ": Column number " + number + " does not exist");
        }
        return columns.get(number);
    }

    @Override
    public Class<?> importScript(String name)
            throws ExaCompilationException, ClassNotFoundException {
        if (name == null) {
            throw new ExaCompilationException("F-UDF-CL-SL-JAVA-1095: Script name is null");
        }
        String script = folded(name);
        if (imported.add(script)) {
            ExaCompiler.compile(script, "package com.exasol;\r\n" + scriptText(name), "/tmp");
        }
        return Class.forName("com.exasol." + script);
    }

    private String scriptText(String name) throws ExaCompilationException {
        try {
            return (String) channel.ask("script", name);
        } catch (IOException | IllegalStateException refused) {
            throw new ExaCompilationException("F-UDF-CL-SL-JAVA-1096: " + refused.getMessage());
        }
    }

    @Override
    public ExaConnectionInformation getConnection(String name)
            throws ExaConnectionAccessException {
        if (name == null) {
            throw new ExaConnectionAccessException(
                    "E-UDF-CL-SL-JAVA-1098: Connection name is null");
        }
        try {
            return new Connection((Map<?, ?>) channel.ask("connection", folded(name)));
        } catch (IOException | IllegalStateException refused) {
            throw new ExaConnectionAccessException(
                    "E-UDF-CL-SL-JAVA-1099: " + refused.getMessage());
        }
    }

    /** Unquoted names are upper case, as everywhere. */
    private static String folded(String name) {
        boolean quoted = name.length() > 1 && name.startsWith("\"") && name.endsWith("\"");
        return quoted ? name.substring(1, name.length() - 1) : name.toUpperCase();
    }

    private static final class Connection implements ExaConnectionInformation {
        private final Map<?, ?> sent;

        Connection(Map<?, ?> sent) {
            this.sent = sent;
        }

        @Override
        public ConnectionType getType() {
            return ConnectionType.PASSWORD;
        }

        @Override
        public String getAddress() {
            return (String) sent.get("address");
        }

        @Override
        public String getUser() {
            return (String) sent.get("user");
        }

        @Override
        public String getPassword() {
            return (String) sent.get("password");
        }
    }
}
