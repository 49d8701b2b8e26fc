package com.exasol;

import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Compiles a script's text. */
final class ExaCompiler {
    private ExaCompiler() {}

    /** Write the classes of a text below a directory. */
    static void compile(String name, String code, String directory)
            throws ExaCompilationException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        List<String> options = Arrays.asList("-d", directory);
        boolean done =
                compiler.getTask(
                                said,
                                null,
                                null,
                                options,
                                null,
                                Collections.singletonList(new Source(name, code)))
                        .call();
        if (!done) {
            throw new ExaCompilationException("F-UDF.CL.SL.JAVA-1158: " + said);
        }
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String code;

        Source(String name, String code) {
            super(URI.create("string:///" + name + Kind.SOURCE.extension), Kind.SOURCE);
            this.code = code;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return code;
        }
    }

    /** `ExaCompiler NAME DIRECTORY` with the text on standard input; says why it cannot. */
    public static void main(String[] arguments) throws Exception {
        String code = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        try {
            compile(arguments[0], code, arguments[1]);
        } catch (ExaCompilationException error) {
            System.out.print(error);
            System.exit(1);
        }
    }
}
