# The weight service with one more route, /slow, that keeps R busy: for tests of requests in flight.

source("api.R")
source("server.R")

MODEL <- load_model(Sys.getenv("MODEL_PATH"))

# Answers when the file `until` is there, or after `seconds`.
slow <- function(until, seconds) {
  message("slow request begun")
  deadline <- Sys.time() + as.numeric(seconds)
  while (!file.exists(until) && Sys.time() < deadline) Sys.sleep(0.02)
  list(status = "done")
}

serve(plumber::pr_get(weight_api(MODEL), "/slow", slow))
