# A small job: the mean weight per height class of a CSV file, written as CSV.
#   Rscript summary.R INPUT.csv OUTPUT.csv

CLASS_WIDTH <- 10

summarise_weights <- function(measured) {
  measured$from <- CLASS_WIDTH * measured$height %/% CLASS_WIDTH
  stats::aggregate(weight ~ from, data = measured, FUN = mean)
}

main <- function() {
  paths <- commandArgs(trailingOnly = TRUE)
  if (length(paths) != 2) stop("usage: summary.R INPUT.csv OUTPUT.csv", call. = FALSE)
  summary <- summarise_weights(utils::read.csv(paths[[1]]))
  utils::write.csv(summary, paths[[2]], row.names = FALSE)
  cat(nrow(summary), "classes of height\n")
}

if (sys.nframe() == 0) main()
