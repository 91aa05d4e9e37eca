source("../model.R")
source("../train.R")

trained <- function() {
  list(fit = fit_weight(utils::read.csv("../data/weights.csv")), md5 = "of-no-file")
}

saved <- function(fit) {
  path <- tempfile(fileext = ".rds")
  save_model(fit, path)
  path
}

test_that("the least-squares line has the known coefficients", {
  coefficients <- unname(coef(trained()$fit))

  expect_equal(coefficients, c(232.58576211106737, -0.5125541551792044), tolerance = 1e-12)
})

test_that("a height of 138 is answered with 161.8533", {
  expect_equal(round(predict_weight(trained(), 138), 4), 161.8533)
})

test_that("several heights are answered in their order", {
  weights <- predict_weight(trained(), c(2000, 138))

  expect_equal(round(weights, 4), c(-792.5225, 161.8533))
})

test_that("a saved model comes back with the MD5 of its file", {
  path <- saved(trained()$fit)

  loaded <- load_model(path)

  expect_equal(loaded$md5, unname(tools::md5sum(path)))
  expect_equal(predict_weight(loaded, 138), predict_weight(trained(), 138))
})

test_that("saving leaves no unfinished file", {
  path <- saved(trained()$fit)

  expect_false(file.exists(paste0(path, ".part")))
})

test_that("a model that is not there is named", {
  expect_error(load_model("nowhere.rds"), "model file not found: nowhere.rds", fixed = TRUE)
})

test_that("what is no linear model gives no answer", {
  model <- load_model(saved(list(a = 1)))

  expect_error(predict_weight(model, 138), "the model is a list, not an lm")
})

test_that("a model without a number fails its own score", {
  flat <- data.frame(height = c(1, 1), weight = c(NA, NA_real_))
  fit <- trained()$fit
  fit$coefficients[] <- NaN

  expect_error(fit_weight(flat))
  expect_error(self_score(list(fit = fit, md5 = "")), "the model gives no number")
})

test_that("only one finite number is a height", {
  expect_equal(parse_height("138"), 138)
  expect_equal(parse_height("1.5e2"), 150)
  for (text in list(NULL, "", "tall", "NA", "NaN", "Inf", "1e999", c("1", "2"))) {
    expect_null(parse_height(text))
  }
})

test_that("options of the training are names with values", {
  expect_equal(read_options(c("--data", "a.csv")), list(data = "a.csv", model = "model.rds"))
  expect_error(read_options("--data"), "every option needs a value")
  expect_error(read_options(c("--date", "x")), "unknown option --date")
})

test_that("data without a weight cannot be fitted", {
  expect_error(fit_weight(data.frame(height = 1:3)), "the data has no column weight")
})
