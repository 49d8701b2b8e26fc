# One row for each endpoint and truststore: does R's libcurl accept it? Base R alone, but for SHA-256
# before R 4.5, which the package openssl then gives.

TIMEOUT <- 10L
MAX_TIMEOUT <- 120L

# -- truststores

sha256_of <- function(path) {
  if (exists("sha256sum", envir = asNamespace("tools"), inherits = FALSE)) {
    return(unname(tools::sha256sum(path)))
  }
  if (!requireNamespace("openssl", quietly = TRUE)) {
    stop("this R has no SHA-256: it needs R 4.5, or the package openssl")
  }
  file <- file(path, "rb")
  on.exit(close(file))
  paste0(openssl::sha256(file)) # without its class
}

# The release's bundle: the bytes that libcurl reads are a copy of this process's own, compared here.
shared_bundle <- function() {
  path <- paste0(PIN$directory, "/", PIN$bundle)
  store <- list(name = "shared-bundle", path = path, sha256 = NA, file = NA, problem = NA)
  copy <- tempfile("exatrust", fileext = ".pem")
  tried <- tryCatch({
    if (!file.copy(path, copy)) stop("cannot be read")
    found <- sha256_of(copy)
    if (!identical(found, PIN$bundle_sha256)) stop("was altered, found: SHA-256 ", found)
    found
  }, error = function(e) e, warning = function(e) e)
  if (inherits(tried, "condition")) {
    store$problem <- paste0(
      "exatrust: node ", exa$meta$node_id, ": ", path, ": ", conditionMessage(tried),
      ". Expected SHA-256 ", PIN$bundle_sha256,
      ". Run `exatrust status`, then `exatrust install`."
    )
  } else {
    store$sha256 <- tried
    store$file <- copy
  }
  store
}

default_store <- function() {
  list(name = "libcurl", path = NA, sha256 = NA, file = "", problem = NA)
}

# -- endpoints

endpoint_of <- function(values) {
  text <- function(i) if (i > length(values) || is.na(values[[i]])) NA else as.character(values[[i]])
  given <- text(1)
  found <- list(host = given, port = NA, options = text(3), timeout = TIMEOUT, problem = NA)
  wrong <- function(why) {
    found$problem <- why
    found
  }
  if (length(values) > 3) return(wrong(paste(length(values), "arguments given, 1 to 3 expected")))
  if (is.na(given) || !nzchar(trimws(given))) return(wrong("the host is missing"))
  port <- text(2)
  if (is.na(port)) {
    if (!grepl("^.+:[0-9]+$", trimws(given))) return(wrong("there is no port; write 'host:port'"))
    port <- sub("^.*:", "", trimws(given))
    found$host <- sub(":[0-9]+$", "", trimws(given))
  }
  if (!grepl("^[0-9]{1,5}$", port) || as.integer(port) < 1 || as.integer(port) > 65535) {
    return(wrong("the port must be a number from 1 to 65535"))
  }
  found$port <- as.integer(port)
  found$host <- gsub("^\\[|\\]$", "", trimws(found$host))
  if (!grepl("^[A-Za-z0-9_.:%-]{1,253}$", found$host)) {
    return(wrong("this is not a host name, or not in ASCII"))
  }
  if (!is.na(found$options)) {
    seconds <- sub("^timeout=", "", trimws(found$options))
    if (!grepl("^timeout=[0-9]{1,3}$", trimws(found$options)) ||
        as.integer(seconds) < 1 || as.integer(seconds) > MAX_TIMEOUT) {
      return(wrong(paste("R's script knows one option, timeout=SECONDS, 1 to", MAX_TIMEOUT)))
    }
    found$timeout <- as.integer(seconds)
  }
  found
}

# -- what libcurl says

# What comes after a verified handshake says nothing against the endpoint: it may not speak HTTP.
AFTER_THE_HANDSHAKE <- c(1L, 8L, 16L, 18L, 22L, 52L, 56L, 92L)

TEXTS <- c(
  "self[- ]signed certificate in certificate chain" = "CA_NOT_IN_TRUSTSTORE",
  "self[- ]signed certificate" = "SELF_SIGNED",
  "unable to get (local )?issuer certificate" = "CA_NOT_IN_TRUSTSTORE",
  "certificate has expired" = "EXPIRED",
  "certificate is not yet valid" = "NOT_YET_VALID",
  "(alternative )?certificate subject name .*does(n't| not) match|no alternative certificate subject" =
    "HOST_MISMATCH",
  "key too (small|weak)" = "WEAK_KEY",
  "md too weak|signature digest" = "WEAK_SIGNATURE",
  "wrong version number|packet length too long|unknown protocol" = "NOT_TLS",
  "protocol version|unsupported protocol" = "PROTOCOL_VERSION",
  "no shared cipher|alert handshake failure" = "NO_CIPHER",
  "alert certificate required" = "CLIENT_CERT_REQUIRED",
  "unrecognized name" = "UNRECOGNIZED_NAME",
  "[Nn]o route to host|[Nn]etwork is unreachable" = "UNREACHABLE",
  "unexpected eof|SSL_ERROR_SYSCALL|[Cc]onnection reset" = "CLOSED",
  "alert" = "ALERT"
)

CODES <- c(
  "6" = "DNS", "7" = "REFUSED", "28" = "TIMEOUT", "35" = "HANDSHAKE_FAILED", "51" = "HOST_MISMATCH",
  "60" = "VERIFY_ERROR", "77" = "TRUST_STORE_EMPTY"
)

finding_of <- function(code, text) {
  for (pattern in names(TEXTS)) {
    if (grepl(pattern, text)) return(TEXTS[[pattern]])
  }
  known <- CODES[as.character(code)]
  if (is.na(known)) "HANDSHAKE_FAILED" else unname(known)
}

judged <- function(store, endpoint) {
  host <- if (grepl(":", endpoint$host)) paste0("[", endpoint$host, "]") else endpoint$host
  Sys.setenv(CURL_CA_BUNDLE = store$file)
  on.exit(Sys.unsetenv("CURL_CA_BUNDLE"))
  url <- paste0("https://", host, ":", endpoint$port, "/")
  told <- tryCatch({
    curlGetHeaders(url, redirect = FALSE, verify = TRUE, timeout = endpoint$timeout)
    NULL
  }, error = conditionMessage)
  if (is.null(told)) return(list(trusted = TRUE, finding = NA, code = 0L, text = NA))
  code <- suppressWarnings(as.integer(sub("(?s)^.*error code ([0-9]+):.*$", "\\1", told, perl = TRUE)))
  text <- trimws(sub("(?s)^.*error code [0-9]+:\\s*", "", told, perl = TRUE))
  if (code %in% AFTER_THE_HANDSHAKE) {
    return(list(trusted = TRUE, finding = NA, code = code, text = text))
  }
  # The handshake may be over, or not: libcurl words both alike.
  open <- code %in% 28L && grepl("Operation timed out", text)
  list(
    trusted = if (open) NA else FALSE,
    finding = if (open) "VERDICT_UNKNOWN" else finding_of(code, text),
    code = code, text = text
  )
}

# -- the rows

run <- function(ctx) {
  now <- as.POSIXlt(Sys.time(), tz = "UTC")
  stores <- list(shared_bundle(), default_store())
  version <- libcurlVersion()
  curl <- paste0("libcurl ", version, " ", attr(version, "ssl_version"))
  repeat {
    values <- lapply(seq_len(exa$meta$input_column_count), function(i) ctx[[i]]())
    endpoint <- endpoint_of(values)
    for (store in stores) {
      found <- if (!is.na(endpoint$problem)) {
        list(trusted = FALSE, finding = "BAD_INPUT", code = NA, text = endpoint$problem)
      } else if (!is.na(store$problem)) {
        list(trusted = FALSE, finding = "TRUST_STORE_EMPTY", code = NA, text = store$problem)
      } else {
        judged(store, endpoint)
      }
      ctx$emit(
        exa$meta$node_id, PIN$alias, PIN$release, now, as.character(endpoint$host), endpoint$port,
        as.character(endpoint$options), store$name, as.character(store$path),
        as.character(store$sha256), found$trusted, as.character(found$finding), found$code,
        as.character(found$text), R.version.string, curl
      )
    }
    if (!ctx$next_row()) break
  }
}
