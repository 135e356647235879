"""Names of the program's own nodes, and the ports they are called at."""

GATEWAY, CLOUDFLARED, RESOLVER, PROXY = "gateway", "cloudflared", "resolver", "egress-proxy"
CROWDSEC, EDGE_BANS, BACKUP = "crowdsec", "edge-bans", "backup"
PROMETHEUS, ALERTMANAGER, NODE_EXPORTER = "prometheus", "alertmanager", "node-exporter"
PROBER, MAIL_RELAY, LOG_SHIPPER = "prober", "mail-relay", "log-shipper"
WATCH = (PROMETHEUS, ALERTMANAGER, NODE_EXPORTER, PROBER, MAIL_RELAY, LOG_SHIPPER)
OWN = (GATEWAY, CLOUDFLARED, RESOLVER, PROXY, CROWDSEC, EDGE_BANS, BACKUP, *WATCH)
"""The program's own nodes."""
RESERVED = (*OWN, "secrets", "self", "ingress", "egress", "internal")
"""Names that no service may take: the program's own nodes, networks, and words of references."""
GATEWAY_PORT = 8080
SYSLOG_PORT = 5514
EGRESS_PORT = 3128
MAIL_PORT = 465
"""Mail with TLS from the first byte: what a proxy that reads TLS greetings can let through by name."""
