# Rscript --vanilla run_tests.R [JUNIT.xml]: status 1 when a test fails; the report is written anyway.

arguments <- commandArgs(trailingOnly = TRUE)
report <- if (length(arguments) > 0) arguments[[1]] else "junit.xml"
# testthat works in tests/: a relative path would end there.
report <- file.path(normalizePath(dirname(report)), basename(report))

results <- testthat::test_dir(
  "tests",
  reporter = testthat::MultiReporter$new(list(
    testthat::SummaryReporter$new(),
    testthat::JunitReporter$new(file = report)
  )),
  stop_on_failure = FALSE
)
counts <- as.data.frame(results)
quit(status = as.integer(nrow(counts) == 0 || any(counts$failed > 0, counts$error)))
