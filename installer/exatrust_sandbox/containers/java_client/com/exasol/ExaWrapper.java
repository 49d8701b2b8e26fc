package com.exasol;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The program inside a Java container: runs a UDF's class as Exasol's client does.
 *
 * <p>Every error keeps the codes of the phase of the script's life that it happened in.
 */
final class ExaWrapper {
    // What stands before an error while a script runs, and while it cleans up.
    private static final String RUNNING =
            "F-UDF-CL-LIB-1127: F-UDF-CL-SL-JAVA-1002: F-UDF-CL-SL-JAVA-1013: \n";
    private static final String ENDING =
            "F-UDF-CL-LIB-1127: F-UDF-CL-SL-JAVA-1004: F-UDF.CL.SL.JAVA-1164: \n";

    private final ExaChannel channel;
    private final ExaMetadataImpl meta;

    private ExaWrapper(ExaChannel channel, ExaMetadataImpl meta) {
        this.channel = channel;
        this.meta = meta;
    }

    /** `ExaWrapper REQUESTS ANSWERS REPLIES`: three file descriptors. */
    public static void main(String[] arguments) throws IOException {
        ExaChannel channel = new ExaChannel(arguments[0], arguments[1], arguments[2]);
        ExaMetadataImpl meta = new ExaMetadataImpl((Map<?, ?>) channel.receive(), channel);
        ExaWrapper wrapper = new ExaWrapper(channel, meta);
        String failure = wrapper.failure();
        if (failure == null) {
            channel.send("done", "null");
        } else {
            channel.send("error", ExaChannel.quoted(failure));
        }
        System.exit(0); // threads of a script must not keep the machine alive
    }

    private String failure() {
        String phase = RUNNING;
        try {
            run();
            phase = ENDING;
            optional("cleanup", "1081", "Exception during cleanup");
            return null;
        } catch (Throwable error) {
            return phase + error;
        }
    }

    private void run() throws Throwable {
        boolean set = meta.getInputType().equals("SET");
        boolean started = false;
        Object batch;
        while ((batch = channel.receive()) != null) {
            int first = Integer.parseInt((String) ((List<?>) batch).get(0));
            List<?> groups = (List<?>) ((List<?>) batch).get(1);
            for (int i = 0; i < groups.size(); i++) {
                if (set || !started) {
                    optional("init", "1074", "Exception during init");
                    started = true;
                }
                runGroup(new ExaIteratorImpl(meta, channel, (List<?>) groups.get(i), first + i));
            }
        }
    }

    private void runGroup(ExaIteratorImpl rows) throws Throwable {
        Method run =
                scriptClass().getDeclaredMethod("run", ExaMetadata.class, ExaIterator.class);
        boolean set = meta.getInputType().equals("SET");
        boolean emits = meta.getOutputType().equals("EMIT");
        boolean isVoid = run.getReturnType().equals(Void.TYPE);
        if (emits && !isVoid) {
            throw new ExaCompilationException(
                    "F-UDF-CL-SL-JAVA-"
                            + (set ? "1076" : "1078")
                            + ": EMITS requires a void return type for run()");
        }
        if (!emits && isVoid) {
            throw new ExaCompilationException(
                    "F-UDF-CL-SL-JAVA-"
                            + (set ? "1077" : "1079")
                            + ": RETURNS requires a non-void return type for run()");
        }
        rows.setInsideRun(true);
        Object value = called(run, "1080", "Exception during run", meta, rows);
        rows.setInsideRun(false);
        if (!emits) {
            rows.emit(value);
        }
        rows.flush();
    }

    private void optional(String name, String code, String text) throws Throwable {
        Method method;
        try {
            method = scriptClass().getDeclaredMethod(name, ExaMetadata.class);
        } catch (NoSuchMethodException none) {
            return;
        }
        called(method, code, text, meta);
    }

    private static Object called(Method method, String code, String text, Object... arguments)
            throws Throwable {
        try {
            return method.invoke(null, arguments);
        } catch (InvocationTargetException error) {
            throw new ExaUDFException(
                    "F-UDF-CL-SL-JAVA-" + code + ": " + text + " \n" + trace(error.getCause()));
        }
    }

    private Class<?> scriptClass() throws ExaCompilationException {
        String given = System.getProperty("exasol.scriptclass", "").trim();
        String name =
                given.isEmpty() ? "com.exasol." + meta.getScriptName().replace('.', '_') : given;
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException absent) {
            throw new ExaCompilationException(
                    "F-UDF.CL.SL.JAVA-1165: "
                            + (given.isEmpty()
                                    ? "F-UDF.CL.SL.JAVA-1073: The main script class (same name as"
                                            + " the script) cannot be found: "
                                            + name
                                            + ". Please create the class or specify the class via"
                                            + " %scriptclass."
                                    : "F-UDF.CL.SL.JAVA-1072: The main script class defined via"
                                            + " %scriptclass cannot be found: "
                                            + name));
        }
    }

    /** The stack trace without the reflection between this class and the script. */
    private static String trace(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            each.setStackTrace(frames(each));
        }
        StringWriter out = new StringWriter();
        error.printStackTrace(new PrintWriter(out));
        return out.toString().replaceAll("(?m)^\tat ", "");
    }

    private static StackTraceElement[] frames(Throwable error) {
        List<StackTraceElement> kept = new ArrayList<>();
        for (StackTraceElement frame : error.getStackTrace()) {
            String name = frame.getClassName();
            if (!name.startsWith("jdk.internal.reflect") && !name.startsWith("java.lang.reflect")) {
                kept.add(frame);
            }
        }
        return kept.toArray(new StackTraceElement[0]);
    }
}
