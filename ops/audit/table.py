"""All checks, in the order in which they run: from outside to inside."""

from ops.audit.checks import admin, alerts, configuration, containers, front, host, intrusion, names, perimeter, tunnel

CHECKS = (
    *perimeter.CHECKS,
    *names.CHECKS,
    *front.CHECKS,
    *admin.CHECKS,
    *tunnel.CHECKS,
    *host.CHECKS,
    *containers.CHECKS,
    *configuration.CHECKS,
    *intrusion.CHECKS,
    *alerts.CHECKS,
)
