"""The Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from dashboard_http import dashboard_http_functions
from scoring_http import scoring_http_functions
from scoring_queue import scoring_queue_functions
from scoring_timer import scoring_timer_functions
from shutdown_http import shutdown_http_functions
from shutdown_queue import shutdown_queue_functions
from shutdown_timer import shutdown_timer_functions

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(shutdown_timer_functions)
app.register_functions(shutdown_http_functions)
app.register_functions(shutdown_queue_functions)
app.register_functions(scoring_timer_functions)
app.register_functions(scoring_http_functions)
app.register_functions(scoring_queue_functions)
app.register_functions(dashboard_http_functions)
