"""One stack file in, one invisible backend out: settings → plan → components → exports."""

import os

import pulumi
from pulumi.runtime import config, is_dry_run

from deployment import deploy
from settings.credentials import check_tokens
from settings.load import SettingsError, load
from topology.plan import plan


def main() -> None:
    """Read the stack file, plan, deploy, export."""
    values = {**config.get_config_env(), **config.CONFIG.get()}
    settings = load(values, pulumi.get_project())
    if settings.target == "cloud" and not is_dry_run():
        check_tokens(values, os.environ)
    for name, value in deploy(settings, plan(settings), pulumi.get_stack()).items():
        pulumi.export(name, value)


try:
    main()
except SettingsError as error:
    # A RunError is shown as it is, without a traceback.
    raise pulumi.RunError(str(error)) from None
