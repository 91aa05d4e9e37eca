source("../api.R", chdir = TRUE)
source("../server.R")
source("../train.R")

trained <- list(fit = fit_weight(utils::read.csv("../data/weights.csv")), md5 = "of-no-file")
unusable <- list(fit = list(a = 1), md5 = "of-no-file")

# What the API answers to a GET, through plumber's router and serializers, without a socket.
get_from <- function(model, path, query = "") {
  request <- new.env()
  request$REQUEST_METHOD <- "GET"
  request$PATH_INFO <- path
  request$QUERY_STRING <- query
  request$rook.input <- list(read_lines = function() "", read = function() raw(), rewind = identity)
  answer <- weight_api(model)$call(request)
  list(status = answer$status, body = as.character(answer$body))
}

test_that("a height of 138 is answered as ever, in arrays", {
  answer <- get_from(trained, "/weight", "?height=138")

  expect_equal(answer, list(status = 200L, body = '{"response":[161.8533]}'))
})

test_that("a bad height is the caller's mistake", {
  for (query in c("", "?height=", "?height=tall", "?height=NaN", "?height=1&height=2")) {
    answer <- get_from(trained, "/weight", query)

    expect_equal(answer$status, 400L)
    expect_equal(answer$body, '{"error":["height must be given once, as a finite number"]}')
  }
})

test_that("live is constant, whatever the model", {
  for (model in list(trained, unusable)) {
    expect_equal(get_from(model, "/live"), list(status = 200L, body = '{"status":"live"}'))
  }
})

test_that("ready tells which model answers what", {
  answer <- get_from(trained, "/ready")

  expect_equal(answer$status, 200L)
  expect_equal(
    answer$body, '{"status":"ready","model_md5":"of-no-file","self_score":161.8533}'
  )
})

test_that("a model that cannot be used is not ready, and says why", {
  answer <- get_from(unusable, "/ready")

  expect_equal(answer$status, 503L)
  expect_match(answer$body, '"status":"unready"', fixed = TRUE)
  expect_match(answer$body, "the model is a list, not an lm", fixed = TRUE)
})

test_that("a port is a number that exists", {
  expect_equal(read_port("0"), 0L)
  expect_equal(read_port("8000"), 8000L)
  for (text in c("", "http", "-1", "65536")) expect_error(read_port(text), "PORT must be")
})
