source("../score.R")
source("../train.R")

set.seed(SEED)
points <- simulate_points(600, 0.7)
fit <- fit_svm(points[1:500, ])

score <- function(text) jsonlite::fromJSON(score_rows(fit, text))

test_that("points are simulated on both sides of the border", {
  expect_equal(levels(points$side), c("inside", "outside"))
  expect_true(all(table(points$side) > 100))
  expect_true(all(abs(points$x) <= 1 & abs(points$y) <= 1))
})

test_that("most of the points held back are right", {
  expect_gt(accuracy(fit, points[501:600, ]), 0.8)
})

test_that("a score is a probability per class, a row per row", {
  answer <- score("[[0, 0], [0.95, 0.95]]")

  expect_equal(answer$classes, c("inside", "outside"))
  expect_equal(rowSums(answer$scores), c(1, 1), tolerance = 1e-6)
  expect_gt(answer$scores[1, 1], 0.9)
  expect_gt(answer$scores[2, 2], 0.9)
})

test_that("one row is answered by one row", {
  expect_equal(dim(score("[[0, 0]]")$scores), c(1L, 2L))
})

test_that("the time that R took comes with the scores", {
  expect_gte(score("[[0, 0]]")$r_ms, 0)
})

test_that("the same points have the same scores, however they are grouped", {
  together <- score("[[0, 0], [0.5, 0.5]]")$scores

  expect_equal(rbind(score("[[0, 0]]")$scores, score("[[0.5, 0.5]]")$scores), together)
})

test_that("a saved model scores as before", {
  path <- tempfile(fileext = ".rds")
  save_model(fit, path)

  loaded <- jsonlite::fromJSON(score_rows(load_model(path), "[[0.5, 0.5]]"))

  expect_equal(loaded$scores, score("[[0.5, 0.5]]")$scores)
})

test_that("a model that is not there is named", {
  expect_error(load_model("nowhere.rds"), "model file not found: nowhere.rds", fixed = TRUE)
})

test_that("what is no SVM scores nothing", {
  expect_error(score_rows(list(a = 1), "[[0, 0]]"), "the model is a list, not a ksvm")
})

test_that("options of the training are names with values", {
  expect_equal(read_options(c("--limit", "0.3")), list(model = "model.rds", limit = "0.3"))
  expect_error(read_options("--limit"), "every option needs a value")
  expect_error(read_options(c("--limits", "1")), "unknown option --limits")
})
