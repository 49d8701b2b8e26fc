package com.exasol;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The three pipes to the database: requests, answers to questions, replies. */
final class ExaChannel {
    private final DataInputStream requests;
    private final DataInputStream answers;
    private final DataOutputStream replies;

    ExaChannel(String requests, String answers, String replies) throws IOException {
        this.requests = input(requests);
        this.answers = input(answers);
        this.replies =
                new DataOutputStream(
                        new BufferedOutputStream(new FileOutputStream(path(replies))));
    }

    private static String path(String descriptor) {
        return "/proc/self/fd/" + descriptor;
    }

    private static DataInputStream input(String descriptor) throws IOException {
        return new DataInputStream(new BufferedInputStream(new FileInputStream(path(descriptor))));
    }

    /** The next request; ends the process when the database is gone. */
    Object receive() throws IOException {
        try {
            return frame(requests);
        } catch (EOFException gone) {
            System.exit(0);
            return null;
        }
    }

    /** Ask the database; throws IllegalStateException with its text when it refuses. */
    Object ask(String question, String name) throws IOException {
        send("ask", "[" + quoted(question) + "," + quoted(name) + "]");
        List<?> answer = (List<?>) frame(answers);
        if (!Boolean.TRUE.equals(answer.get(0))) {
            throw new IllegalStateException((String) answer.get(1));
        }
        return answer.get(1);
    }

    void send(String kind, String json) throws IOException {
        byte[] frame =
                ("{\"kind\":" + quoted(kind) + ",\"value\":" + json + "}")
                        .getBytes(StandardCharsets.UTF_8);
        replies.writeInt(frame.length);
        replies.write(frame);
        replies.flush();
    }

    private static Object frame(DataInputStream in) throws IOException {
        in.readInt();
        return value(in);
    }

    private static Object value(DataInputStream in) throws IOException {
        char tag = (char) in.readUnsignedByte();
        switch (tag) {
            case 'N':
                return null;
            case 'T':
                return Boolean.TRUE;
            case 'F':
                return Boolean.FALSE;
            case 'S':
                byte[] text = new byte[in.readInt()];
                in.readFully(text);
                return new String(text, StandardCharsets.UTF_8);
            case 'L':
                return list(in, in.readInt());
            case 'M':
                return map(in, in.readInt());
            default:
                throw new IOException("unknown tag " + tag);
        }
    }

    private static List<Object> list(DataInputStream in, int count) throws IOException {
        List<Object> items = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            items.add(value(in));
        }
        return items;
    }

    private static Map<Object, Object> map(DataInputStream in, int count) throws IOException {
        Map<Object, Object> pairs = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            Object key = value(in);
            pairs.put(key, value(in));
        }
        return pairs;
    }

    /** JSON of a text. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
