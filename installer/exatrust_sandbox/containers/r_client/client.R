# The program inside an R container: runs a UDF's text as Exasol's client does (script-languages:
# exascript_r_preset.R, exascript_r_wrap.R and the C++ around them). Base R alone.
#
# Frames come over one pipe, answers to questions over a second, replies go to a third; see
# frames.py for how values are written. What belongs to the client is in an environment of its own,
# so that the script's global environment holds what it holds in a real container.

options(digits.secs = 6)
options(encoding = "UTF-8")

local({
  descriptors <- tail(commandArgs(trailingOnly = TRUE), 3)
  pipe_at <- function(number, mode) file(paste0("/proc/self/fd/", descriptors[number]), mode)
  requests <- pipe_at(1, "rb")
  answers <- pipe_at(2, "rb")
  replies <- pipe_at(3, "wb")
  batch_size <- 1000L

  # -- frames

  read_value <- function(connection) {
    count <- function() readBin(connection, "integer", 1L, size = 4L, endian = "big")
    switch(
      rawToChar(readBin(connection, "raw", 1L)),
      N = NULL,
      "T" = TRUE,
      "F" = FALSE,
      S = {
        text <- rawToChar(readBin(connection, "raw", count()))
        Encoding(text) <- "UTF-8"
        text
      },
      L = {
        # A list keeps a NULL only when it is put there as a list.
        items <- vector("list", count())
        for (i in seq_along(items)) items[i] <- list(read_value(connection))
        items
      },
      M = {
        items <- list()
        for (i in seq_len(count())) {
          key <- read_value(connection)
          items[key] <- list(read_value(connection))
        }
        items
      }
    )
  }

  frame <- function(connection) {
    size <- readBin(connection, "integer", 1L, size = 4L, endian = "big")
    if (length(size) == 0L) quit("no", 0L)
    content <- rawConnection(readBin(connection, "raw", size))
    on.exit(close(content))
    read_value(content)
  }

  quoted <- function(text) {
    text <- gsub("\\", "\\\\", enc2utf8(text), fixed = TRUE)
    text <- gsub("\"", "\\\"", text, fixed = TRUE)
    for (code in c(1:31, 127)) {
      text <- gsub(intToUtf8(code), sprintf("\\u%04x", code), text, fixed = TRUE)
    }
    paste0("\"", text, "\"")
  }

  send <- function(kind, json = "null") {
    payload <- charToRaw(enc2utf8(paste0("{\"kind\":\"", kind, "\",\"value\":", json, "}")))
    writeBin(length(payload), replies, size = 4L, endian = "big")
    writeBin(payload, replies)
    flush(replies)
  }

  ask <- function(question, name) {
    send("ask", paste0("[", quoted(question), ",", quoted(name), "]"))
    answer <- frame(answers)
    if (!answer[[1]]) stop(answer[[2]], call. = FALSE)
    answer[[2]]
  }

  # -- columns

  whole <- function(text) if (is.null(text)) NA_integer_ else as.integer(text)

  described <- function(sent) {
    precision <- whole(sent$precision)
    scale <- whole(sent$scale)
    kind <- switch(
      sent$type_name,
      DECIMAL = if (scale > 0L || precision > 18L) "NUMERIC"
                else if (precision > 9L) "INT64" else "INT32",
      VARCHAR = , CHAR = "STRING",
      sent$type_name
    )
    type <- switch(
      kind, INT32 = "integer", INT64 = , DOUBLE = "double", STRING = "character",
      BOOLEAN = "logical", NUMERIC = "numeric", DATE = , TIMESTAMP = "POSIXt"
    )
    number <- kind %in% c("INT32", "INT64", "NUMERIC")
    list(
      kind = kind,
      shown = list(
        name = sent$name, type = type, sql_type = sent$sql_type,
        precision = if (number) precision else NA,
        scale = if (kind == "NUMERIC") scale else if (number) 0 else NA,
        length = if (kind == "STRING") whole(sent$length) else NA
      )
    )
  }

  # A column of values as the database sent them, as the vector that a script sees.
  read_column <- function(kind, values) {
    texts <- vapply(values, function(v) if (is.null(v)) NA_character_ else as.character(v), "")
    switch(
      kind,
      INT32 = as.integer(texts),
      INT64 = , NUMERIC = , DOUBLE = as.double(texts),
      BOOLEAN = as.logical(texts),
      DATE = strptime(texts, "%Y-%m-%d"),
      TIMESTAMP = strptime(texts, "%Y-%m-%d %H:%M:%OS"),
      texts
    )
  }

  refuse <- function(code, column, type) {
    stop(paste0("F-UDF.CL.SL.R-", code, ": Value for column ", column, " is not of type ", type))
  }

  # The texts that a column takes of a vector that a script emits; NA is NULL.
  emitted <- function(column, values) {
    name <- column$shown$name
    texts <- switch(
      column$kind,
      DOUBLE = {
        if (is.character(values)) refuse(1037, name, "double")
        plain(as.double(values))
      },
      INT32 = {
        if (is.character(values)) refuse(1039, name, "integer")
        format_whole(as.integer(values))
      },
      INT64 = format_whole(trunc(as.double(values))),
      NUMERIC = as.character(values),
      TIMESTAMP = strftime(values, "%Y-%m-%d %H:%M:%OS3"),
      DATE = strftime(values, "%Y-%m-%d"),
      STRING = {
        if (is.numeric(values)) refuse(1041, name, "character")
        as.character(values)
      },
      BOOLEAN = {
        if (is.character(values) || is.numeric(values)) refuse(1043, name, "logical")
        tolower(as.character(as.logical(values)))
      }
    )
    ifelse(is.na(texts), "null", quoted(texts))
  }

  plain <- function(values) ifelse(is.finite(values), sprintf("%.17g", values), NA_character_)

  format_whole <- function(values) {
    ifelse(is.finite(values), sprintf("%.0f", values), NA_character_)
  }

  # -- the call

  call <- frame(requests)
  inputs <- lapply(call$inputs, described)
  outputs <- lapply(call$outputs, described)
  scalar <- identical(call$input_type, "SCALAR")
  returns <- identical(call$output_type, "RETURNS")

  make_exa <- function() {
    meta <- list()
    for (key in c("database_name", "database_version", "script_name", "script_schema",
                  "current_user", "current_schema", "scope_user", "script_code", "session_id",
                  "vm_id")) {
      meta[key] <- list(call$meta[[key]])
    }
    for (key in c("statement_id", "node_count", "node_id", "memory_limit")) {
      meta[[key]] <- as.double(call$meta[[key]])
    }
    meta$script_language <- paste(version$language, paste(version$major, version$minor, sep = "."))
    meta$input_column_count <- length(inputs)
    meta$input_columns <- lapply(inputs, function(column) column$shown)
    meta$input_type <- if (scalar) "SCALAR" else "SET"
    meta$output_column_count <- length(outputs)
    meta$output_columns <- lapply(outputs, function(column) column$shown)
    meta$output_type <- if (returns) "RETURN" else "EMIT"
    modules <- list()
    made <- list(meta = meta)
    made$import_script <- function(script) {
      code <- ask("script", script)
      if (is.null(modules[[code]])) {
        module <- new.env()
        assign("exa", made, envir = module)
        modules[[code]] <<- module
        eval(parse(text = code), module)
      }
      modules[[code]]
    }
    made$get_connection <- function(connection_name) {
      ask("connection", connection_name)[c("type", "address", "user", "password")]
    }
    made
  }

  # `ctx` of one group: a list whose columns are functions, called when they are looked at.
  context_of <- function(rows, group) {
    total <- length(rows)
    first <- 1L
    ended <- total == 0L
    shown <- list()
    pending <- character()

    show <- function(count) {
      chosen <- rows[seq(first, length.out = count)]
      shown <<- lapply(seq_along(inputs), function(i) {
        read_column(inputs[[i]]$kind, lapply(chosen, function(row) row[[i]]))
      })
    }
    flush_rows <- function() {
      if (length(pending)) {
        send("rows", paste0("[", group, ",[", paste(pending, collapse = ","), "]]"))
        pending <<- character()
      }
    }
    next_rows <- function(rowsnumber = 0) {
      if (length(rowsnumber) != 1) {
        stop("F-UDF.CL.SL.R-1030: rownumber argument to next function schould be NA or one ",
             "integer >= 0")
      }
      if (ended) {
        FALSE
      } else if (!is.na(rowsnumber) && rowsnumber == 0) {
        first <<- first + 1L
        if (first > total) ended <<- TRUE else show(1L)
        !ended
      } else {
        left <- total - first + 1L
        count <- if (is.na(rowsnumber) || rowsnumber > left) left else max(1L, rowsnumber)
        show(count)
        first <<- first + as.integer(count)
        ended <<- first > total
        TRUE
      }
    }
    emit <- function(...) {
      data <- list(...)
      if (is.null(data[[1]])) data <- list(NA)
      if (length(data) != length(outputs)) {
        stop(sprintf(
          "F-UDF.CL.SL.R-1044 emit function argument count (%d) must match the number of output columns (%d)",
          length(data), length(outputs)
        ))
      }
      if (any(vapply(data, length, 0L) < 1L)) {
        stop("F-UDF.CL.SL.R-1044 emitting empty vectors not supported")
      }
      columns <- mapply(emitted, outputs, data, SIMPLIFY = FALSE)
      # Shorter vectors are used again from their beginning.
      made <- do.call(paste, c(columns, sep = ","))
      pending <<- c(pending, paste0("[", made, "]"))
      if (length(pending) >= batch_size) flush_rows()
    }

    context <- list()
    class(context) <- "EXAUDFContext"
    for (i in seq_along(inputs)) {
      local({
        number <- i
        reader <- function() shown[[number]]
        attr(reader, "COLUMN") <- TRUE
        context[inputs[[number]]$shown$name] <<- list(reader)
      })
    }
    context["size"] <- list(function() total)
    context["next"] <- list(next_rows)
    context["next_row"] <- list(next_rows)
    if (!scalar) {
      context["reset"] <- list(function() {
        first <<- 1L
        ended <<- total == 0L
        show(1L)
      })
    }
    if (scalar || !returns) context["emit"] <- list(emit)
    if (total > 0L) show(1L)
    list(context = context, emit = emit, finish = flush_rows)
  }

  run_group <- function(rows, group) {
    made <- context_of(rows, group)
    context <- made$context
    value <- run(context) # the script's; its name and its argument's are in R's error texts
    if (returns) made$emit(if (is.null(value)) NA else value)
    made$finish()
  }

  failure <- NULL
  attempt <- function(prefix, expression) {
    if (!is.null(failure)) return(invisible())
    # conditionMessage alone loses the call that R's own text begins with.
    tried <- try(expression, silent = TRUE)
    if (inherits(tried, "try-error")) failure <<- paste0(prefix, trimws(tried, "right"))
  }

  # The codes between library and text are not published for R; those of the library are its own.
  loading <- "F-UDF-CL-LIB-1125: "
  running <- "F-UDF-CL-LIB-1127: "

  assign("exa", make_exa(), envir = globalenv())
  assign("$.EXAUDFContext", function(value, name) {
    found <- value[[name]]
    if (is.null(attr(found, "COLUMN"))) found else found()
  }, envir = globalenv())
  attempt(loading, eval(parse(text = call$code, encoding = "UTF-8"), globalenv()))
  while (is.null(failure) && !is.null(batch <- frame(requests))) {
    start <- as.integer(batch[[1]])
    attempt(running, for (i in seq_along(batch[[2]])) {
      run_group(batch[[2]][[i]], start + i - 1L)
    })
  }
  if (exists("cleanup", envir = globalenv(), mode = "function")) {
    attempt(running, get("cleanup", envir = globalenv())())
  }
  if (is.null(failure)) send("done") else send("error", quoted(failure))
  quit("no", 0L)
})
