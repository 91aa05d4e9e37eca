# Serve an API where the environment says: HOST (127.0.0.1), PORT (8000; 0 = any free one).

read_port <- function(text) {
  port <- suppressWarnings(as.integer(text))
  if (is.na(port) || port < 0 || port > 65535) {
    stop("PORT must be from 0 to 65535, not ", text, call. = FALSE)
  }
  port
}

# Says the URL once it listens; returns never. An address that is taken ends R with status 1.
serve <- function(api) {
  host <- Sys.getenv("HOST", "127.0.0.1")
  port <- read_port(Sys.getenv("PORT", "8000"))
  # Below the ports that Linux gives to outgoing connections, so that none of them takes it.
  if (port == 0) port <- httpuv::randomPort(min = 10000L, max = 32000L, host = host)
  # Said by the event loop, which runs only when the server does: plumber says it before it listens.
  later::later(function() message("listening on http://", host, ":", port))
  plumber::pr_run(api, host = host, port = port, quiet = TRUE)
}
