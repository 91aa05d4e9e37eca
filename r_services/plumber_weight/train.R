# Fit the weight model by least squares and save it:
#   Rscript --vanilla train.R [--data FILE.csv] [--model FILE.rds]

DEFAULTS <- list(data = "data/weights.csv", model = "model.rds")

read_options <- function(arguments) {
  if (length(arguments) %% 2 != 0) stop("every option needs a value", call. = FALSE)
  odd <- seq_along(arguments) %% 2 == 1
  names <- sub("^--", "", arguments[odd])
  unknown <- setdiff(names, names(DEFAULTS))
  if (length(unknown) > 0) stop("unknown option --", unknown[[1]], call. = FALSE)
  utils::modifyList(DEFAULTS, stats::setNames(as.list(arguments[!odd]), names))
}

fit_weight <- function(measured) {
  missing <- setdiff(c("height", "weight"), names(measured))
  if (length(missing) > 0) stop("the data has no column ", missing[[1]], call. = FALSE)
  stats::lm(weight ~ height, data = measured)
}

# A service that loads the file never finds half a model.
save_model <- function(model, path) {
  unfinished <- paste0(path, ".part")
  saveRDS(model, unfinished)
  if (!file.rename(unfinished, path)) stop("cannot write ", path, call. = FALSE)
}

main <- function() {
  options <- read_options(commandArgs(trailingOnly = TRUE))
  model <- fit_weight(utils::read.csv(options$data))
  save_model(model, options$model)
  cat(sprintf("%s: weight = %.4f %+.4f height\n",
              options$model, stats::coef(model)[[1]], stats::coef(model)[[2]]))
}

# Sourced by the tests, nothing is trained.
if (sys.nframe() == 0) main()
