# The weight model: loading it, and asking it. Knows nothing of HTTP.

# The known row that a service asks itself about; the model in data/weights.csv answers 161.8533.
SELF_SCORE_HEIGHT <- 138

# A model with the MD5 of the very file it was read from. Stops when the file is not there.
load_model <- function(path) {
  if (!file.exists(path)) stop("model file not found: ", path, call. = FALSE)
  list(fit = readRDS(path), md5 = unname(tools::md5sum(path)))
}

predict_weight <- function(model, height) {
  if (!inherits(model$fit, "lm")) {
    stop("the model is a ", class(model$fit)[[1]], ", not an lm", call. = FALSE)
  }
  unname(stats::predict(model$fit, data.frame(height = height)))
}

self_score <- function(model) {
  score <- predict_weight(model, SELF_SCORE_HEIGHT)
  if (length(score) != 1 || !is.finite(score)) stop("the model gives no number", call. = FALSE)
  score
}

# NULL unless the text of a query is one finite number.
parse_height <- function(text) {
  if (is.null(text) || length(text) != 1) return(NULL)
  height <- suppressWarnings(as.numeric(text))
  if (is.finite(height)) height else NULL
}
