# What the entry script asks of R: load the model once, then score rows. JSON goes in and out.

COLUMNS <- c("x", "y")

# Stops when the file is not there. `kernlab` must be loaded for its classes and their predict.
load_model <- function(path) {
  if (!file.exists(path)) stop("model file not found: ", path, call. = FALSE)
  requireNamespace("kernlab")
  readRDS(path)
}

# Probabilities, a row per row of the text [[x, y], ...], and the milliseconds that R took for it.
score_rows <- function(model, text) {
  if (!methods::is(model, "ksvm")) {
    stop("the model is a ", class(model)[[1]], ", not a ksvm", call. = FALSE)
  }
  begun <- proc.time()[["elapsed"]]
  rows <- as.data.frame(jsonlite::fromJSON(text))
  names(rows) <- COLUMNS
  scores <- kernlab::predict(model, rows, type = "probabilities")
  milliseconds <- 1000 * (proc.time()[["elapsed"]] - begun)
  answer <- list(classes = colnames(scores), scores = unname(scores), r_ms = milliseconds)
  as.character(jsonlite::toJSON(answer, digits = 8, auto_unbox = TRUE))
}
