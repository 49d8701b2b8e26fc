package com.exasol;

import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Date;

/** Times for the database: UTC, whatever time zone the container has. */
final class Moments {
    private static final long DAY = 86_400;

    private Moments() {}

    static Timestamp timestamp(Instant moment) {
        Instant shown = moment.truncatedTo(ChronoUnit.MICROS);
        return Timestamp.valueOf(LocalDateTime.ofInstant(shown, ZoneOffset.UTC));
    }

    static Timestamp timestamp(Date moment) {
        return moment == null ? null : timestamp(moment.toInstant());
    }

    /** Whole days from one moment to another, rounded down: -1 is less than a day ago. */
    static long days(Instant now, Date end) {
        return Math.floorDiv(end.toInstant().getEpochSecond() - now.getEpochSecond(), DAY);
    }
}
