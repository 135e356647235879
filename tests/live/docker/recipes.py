"""One image for each image of the dev stack: Debian's program of the same kind, or a stand-in written for this test.

Each names the user, the entry point and the folders that its real image has, so that the stack's own settings decide.
"""

from tests.live.docker.images import STANDINS, Image, Layer

_PYTHON = "/usr/lib/python3/dist-packages"
_POSTGRES = "/usr/lib/postgresql/15"
_ANYONE = (0, 0, 0o1777)
_TMP = "/tmp"  # noqa: S108 - a folder of the image

BUSYBOX = (
    *("cat", "chmod", "cmp", "date", "find", "head", "ln", "mkdir", "mv", "nslookup", "od", "rm", "sed", "sh"),
    *("sha256sum", "sleep", "sort", "tail", "tar", "tr", "wc", "wget"),
)
"""What is called by name in containers, in images that have a shell."""
BASE = Layer(
    programs=("/bin/busybox", "/usr/bin/curl"),
    folders={
        _TMP: _ANYONE,
        f"/var{_TMP}": _ANYONE,
        "/run": (0, 0, 0o755),
        "/etc": (0, 0, 0o755),
        "/proc": (0, 0, 0o555),
    },
    links={f"/usr/bin/{name}": "busybox" for name in BUSYBOX},
    texts={
        "/etc/passwd": "root:x:0:0::/:/bin/sh\npostgres:x:70:70::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
        "/etc/group": "root:x:0:\npostgres:x:70:\nnogroup:x:65534:\n",
        "/etc/nsswitch.conf": "hosts: files dns\n",
    },
)
PYTHON = Layer(
    programs=("/usr/bin/python3",),
    trees=("/usr/lib/python3.11", f"{_PYTHON}/psycopg2", f"{_PYTHON}/yaml"),
    copies={f"{_PYTHON}/{name}": str(STANDINS / name) for name in ("queue_client.py", "cache_client.py")},
)
NGINX = Layer(
    trees=("/usr/local/bin/nginx-1.26", "/usr/local/lib/nginx-1.26"),
    copies={"/usr/bin/openresty": str(STANDINS / "openresty.sh")},
)
POSTGRES_PROGRAMS = (
    *("postgres", "initdb", "pg_basebackup", "pg_controldata", "pg_ctl", "pg_dump", "pg_dumpall", "pg_isready"),
    *("pg_restore", "psql"),
)
POSTGRES = Layer(
    programs=(*(f"{_POSTGRES}/bin/{name}" for name in POSTGRES_PROGRAMS), "/usr/bin/flock"),
    trees=(f"{_POSTGRES}/lib", "/usr/share/postgresql/15", "/usr/share/zoneinfo/Etc"),
    copies={"/usr/bin/docker-entrypoint.sh": str(STANDINS / "postgres.sh")},
    folders={"/var/lib/postgresql": (70, 70, 0o1777)},
)
VALKEY = Layer(
    programs=("/usr/bin/redis-server",),
    copies={"/usr/bin/valkey-server": "/usr/bin/redis-server", "/usr/bin/valkey-cli": "/usr/bin/redis-cli"},
    folders={"/data": (999, 1000, 0o1777)},
)
UNBOUND = Layer(
    programs=("/usr/sbin/unbound", "/usr/sbin/unbound-control"),
    trees=("/etc/ssl/certs/ca-certificates.crt",),
    copies={"/usr/bin/drill-hc": str(STANDINS / "drill-hc.sh")},
)
CROWDSEC = Layer(
    programs=("/usr/bin/crowdsec", "/usr/bin/cscli"),
    trees=("/usr/share/zoneinfo/Etc", "/usr/lib/crowdsec/plugins"),
    folders={"/usr/local/lib/crowdsec/plugins": (0, 0, 0o755)},
)
NATS = Layer(programs=("/usr/sbin/nats-server",))
SQUID = Layer(
    programs=("/usr/sbin/squid", "/usr/lib/squid/unlinkd"),
    trees=("/usr/share/squid", "/etc/squid/errorpage.css"),
)
RESTIC = Layer(programs=("/usr/bin/restic", "/usr/bin/flock"), trees=("/etc/ssl/certs/ca-certificates.crt",))
PROMETHEUS = Layer(
    programs=("/usr/bin/prometheus", "/usr/bin/promtool"), folders={"/prometheus": (65534, 65534, 0o755)}
)
ALERTMANAGER = Layer(
    programs=("/usr/bin/prometheus-alertmanager", "/usr/bin/amtool"),
    trees=("/usr/share/prometheus/alertmanager/default.tmpl", "/usr/share/prometheus/alertmanager/email.tmpl"),
    copies={
        "/usr/bin/alertmanager": str(STANDINS / "alertmanager.sh"),
        **{f"/usr/bin/{name}": "/bin/busybox" for name in ("awk", "cut", "echo")},
    },
)


def _exporter(name: str, place: str) -> Layer:
    """Debian calls each exporter prometheus-NAME."""
    return Layer(programs=(f"/usr/bin/{name}",), copies={place: f"/usr/bin/{name}"})


def _script(name: str, place: str) -> Layer:
    return Layer(copies={place: str(STANDINS / f"{name}.py")})


KINDS: dict[str, Image] = {
    "busybox": Image((BASE,), (), ("sh",)),
    "cloudflare/cloudflared": Image(
        (BASE, PYTHON, _script("cloudflared", "/usr/bin/cloudflared")), ("cloudflared", "--no-autoupdate"), user="65532"
    ),
    "openresty/openresty": Image((BASE, NGINX), ("openresty", "-g", "daemon off;")),
    "postgres": Image(
        (BASE, POSTGRES),
        ("docker-entrypoint.sh",),
        ("postgres",),
        env={"PGDATA": "/var/lib/postgresql/18/docker"},
        stop_signal="SIGINT",
    ),
    "valkey/valkey": Image((BASE, VALKEY), (), ("valkey-server",)),
    "klutchell/unbound": Image((BASE, UNBOUND), ("unbound", "-d"), (), "101:102"),
    "crowdsecurity/crowdsec": Image((BASE, CROWDSEC), ("/bin/sh", "docker_start.sh")),
    "prom/prometheus": Image((BASE, PROMETHEUS), ("/bin/prometheus",), (), "nobody"),
    "prom/alertmanager": Image((BASE, ALERTMANAGER), ("/bin/alertmanager",), (), "nobody"),
    "prom/node-exporter": Image((BASE, _exporter("prometheus-node-exporter", "/usr/bin/node_exporter")), user="nobody"),
    "prom/blackbox-exporter": Image((BASE, _exporter("prometheus-blackbox-exporter", "/usr/bin/blackbox_exporter"))),
    "quay.io/prometheuscommunity/postgres-exporter": Image(
        (BASE, _exporter("prometheus-postgres-exporter", "/usr/bin/postgres_exporter")), user="nobody"
    ),
    "oliver006/redis_exporter": Image((BASE, _exporter("prometheus-redis-exporter", "/redis_exporter"))),
    "nats": Image((BASE, NATS), (), ("nats-server",)),
    "b4tman/squid": Image((BASE, SQUID), ("squid", "-N"), (), "3128"),
    "ghcr.io/restic/restic": Image((BASE, RESTIC), ("/usr/bin/restic",)),
    "postgrest/postgrest": Image(
        (BASE, PYTHON, _script("postgrest", "/bin/postgrest")), (), ("/bin/postgrest",), "1000"
    ),
    "darthsim/imgproxy": Image(
        (BASE, PYTHON, _script("imgproxy", "/opt/imgproxy/bin/imgproxy")), (), ("/opt/imgproxy/bin/imgproxy",), "999"
    ),
    "redpandadata/connect": Image(
        (BASE, PYTHON, _script("connect", "/redpanda-connect")), ("/redpanda-connect",), (), "10001"
    ),
    "sosedoff/pgweb": Image(
        (BASE, PYTHON, _script("pgweb", "/usr/bin/pgweb")), ("/usr/bin/pgweb", "--bind=0.0.0.0"), (), "1000"
    ),
}
"""Repository of an image → how to make it."""


def recipes(names: list[str]) -> dict[str, Image]:
    """Images by the full names that a stack asks for. Raises ``KeyError`` for one that there is no recipe for."""
    return {name: KINDS[name.partition(":")[0]] for name in sorted(names)}
