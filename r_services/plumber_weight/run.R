# The service: Rscript --vanilla run.R, in this folder. MODEL_PATH names the model (model.rds).

source("api.R")
source("server.R")

# Loaded before anything listens: as an argument, R would load it at the first request.
model <- load_model(Sys.getenv("MODEL_PATH", "model.rds"))
serve(weight_api(model))
