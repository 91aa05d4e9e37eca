# Train a kernel SVM on simulated points, and save it:
#   Rscript --vanilla train.R [--model FILE.rds] [--limit 0.7]
# A point of the square [-1, 1] x [-1, 1] is most likely outside when x^2 + y^2 is above the limit.

DEFAULTS <- list(model = "model.rds", limit = "0.7")
POINTS <- 5000
TRAINING_SHARE <- 0.8
STEEPNESS <- 20
SEED <- 33

read_options <- function(arguments) {
  if (length(arguments) %% 2 != 0) stop("every option needs a value", call. = FALSE)
  odd <- seq_along(arguments) %% 2 == 1
  names <- sub("^--", "", arguments[odd])
  unknown <- setdiff(names, names(DEFAULTS))
  if (length(unknown) > 0) stop("unknown option --", unknown[[1]], call. = FALSE)
  utils::modifyList(DEFAULTS, stats::setNames(as.list(arguments[!odd]), names))
}

simulate_points <- function(count, limit) {
  points <- data.frame(x = stats::runif(count, -1, 1), y = stats::runif(count, -1, 1))
  outside <- stats::plogis(STEEPNESS * (points$x^2 + points$y^2 - limit))
  labels <- c("inside", "outside")
  points$side <- factor(labels[1 + stats::rbinom(count, 1, outside)], levels = labels)
  points
}

# With a model of probabilities beside the decision: a score says how sure it is.
fit_svm <- function(points) {
  sigma <- stats::median(kernlab::sigest(side ~ x + y, data = points))
  kernlab::ksvm(side ~ x + y, data = points, type = "C-svc", kernel = "rbfdot",
                kpar = list(sigma = sigma), C = 1, prob.model = TRUE)
}

accuracy <- function(fit, points) mean(kernlab::predict(fit, points) == points$side)

# A service that loads the file never finds half a model.
save_model <- function(model, path) {
  unfinished <- paste0(path, ".part")
  saveRDS(model, unfinished)
  if (!file.rename(unfinished, path)) stop("cannot write ", path, call. = FALSE)
}

main <- function() {
  options <- read_options(commandArgs(trailingOnly = TRUE))
  set.seed(SEED)
  points <- simulate_points(POINTS, as.numeric(options$limit))
  training <- seq_len(POINTS * TRAINING_SHARE)
  fit <- fit_svm(points[training, ])
  save_model(fit, options$model)
  cat(sprintf("%s: %.1f %% of the points held back are right\n",
              options$model, 100 * accuracy(fit, points[-training, ])))
}

# Sourced by the tests, nothing is trained.
if (sys.nframe() == 0) main()
