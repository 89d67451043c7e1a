"""Launch lines of serving engines: what people type, paste and keep in files, read into the settings that they make."""

from jevons.serving.launch.line import LaunchLine, Setting, read_launch, settings_of
from jevons.serving.launch.meaning import Given, changed_factors, deployment_of, layout_of, model_of, names_known_model

__all__ = [
    "Given",
    "LaunchLine",
    "Setting",
    "changed_factors",
    "deployment_of",
    "layout_of",
    "model_of",
    "names_known_model",
    "read_launch",
    "settings_of",
]
