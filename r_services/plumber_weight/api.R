# The HTTP routes of the weight service. R is one thread: a request that lasts delays all others.

source("model.R")

BAD_HEIGHT <- "height must be given once, as a finite number"

# Whether the process answers at all; asks nothing of the model.
live <- function() list(status = "live")

# Whether the model that was loaded can be used; which one it is, and what it answers for 138.
ready <- function(model) {
  function(res) {
    tryCatch(
      list(status = "ready", model_md5 = model$md5, self_score = self_score(model)),
      error = function(error) {
        res$status <- 503L
        list(status = "unready", model_md5 = model$md5, error = conditionMessage(error))
      }
    )
  }
}

# A height may come as text, absent or repeated: what is no number is the caller's mistake, 400.
weight <- function(model) {
  function(res, height = NULL) {
    parsed <- parse_height(height)
    if (is.null(parsed)) {
      res$status <- 400L
      return(list(error = BAD_HEIGHT))
    }
    list(response = predict_weight(model, parsed))
  }
}

# Scalars of /live and /ready are plain JSON; /weight answers in arrays, as plumber does by default.
weight_api <- function(model) {
  unboxed <- plumber::serializer_unboxed_json()
  plumber::pr() |>
    plumber::pr_set_docs(FALSE) |>
    plumber::pr_get("/live", live, serializer = unboxed) |>
    plumber::pr_get("/ready", ready(model), serializer = unboxed) |>
    plumber::pr_get("/weight", weight(model))
}
