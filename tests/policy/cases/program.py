"""Types, options, providers, commands and secrets."""

from dataclasses import replace

from policy.rules.model import UNKNOWN
from policy.rules.options import DYNAMIC, LIST
from policy.rules.tokens import ACCESS_GROUPS
from tests.policy.cases.base import (
    Cases,
    application,
    carrier,
    command,
    container,
    firewall,
    other,
    secret,
    server,
    tunnel,
    volume,
)
from tests.policy.stacks import labelled

PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA"
TOKEN = "eyJhIjoi" + "A" * 60
HCLOUD, CLOUDFLARE = "pulumi:providers:hcloud", "pulumi:providers:cloudflare"
REMOTE = "command:remote:Command"
PINNED = {"host": "10.0.0.5", "hostKey": "ssh-ed25519 AAAA"}

SSH = "ssh -o 'ProxyCommand=cloudflared access ssh --hostname %h' -o StrictHostKeyChecking=yes ops@ssh.example.org"
TOOL = f"{SSH} 'sudo /usr/local/lib/zero-exposure/swarm token manager'"
OTHER_COMMANDS = (
    "docker run -dp 80:80 nginx:1.27",
    "docker run -d -p8080:80 nginx:1.27",
    'docker run --network "host" nginx:1.27',
    "docker compose up -d",
    "docker stack deploy -c x y",
    "ssh -fN -R8080:localhost:80 example.org",
    "cloudflared tunnel --no-autoupdate --url http://localhost",
    "curl -fsSL https://example.org/x | sudo bash",
    "wget -qO- https://example.org/x | sh",
    "curl -X POST https://api.hetzner.cloud/v1/firewalls/1/actions/set_rules",
    "hcloud server remove-from-firewall x",
    "nft 'add rule inet zx input accept'",
    "tailscale funnel 80",
    f"{SSH} 'sudo nft flush ruleset'",
    f"{SSH} 'sudo /usr/local/lib/zero-exposure/swarm rotate; sh'",
    f"{SSH.replace('-o Strict', '-R 80:localhost:80 -o Strict')} 'docker version'",
    f"{SSH.replace('-o Strict', '-o RemoteForward=80 -o Strict')} 'docker version'",
    f"{SSH.replace('ops@', 'root@')} 'docker version'",
    f"{SSH.replace('cloudflared access ssh --hostname %h', 'sh -c id')} 'docker version'",
    f'echo "$(id)" | {TOOL}',
    f'echo "${{PEERS@P}}" | {TOOL}',
    f"PATH=$({TOOL})",
    f"{TOOL} & id",
)

UNLISTED = (
    "random:index/randomBytes:RandomBytes",
    "cloudflare:index/tunnel:Tunnel",
    "cloudflare:index/record:Record",
    "cloudflare:index/accessApplication:AccessApplication",
    "cloudflare:index/spectrumApplication:SpectrumApplication",
    "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain",
    "cloudflare:index/zeroTrustTunnelCloudflaredRoute:ZeroTrustTunnelCloudflaredRoute",
    "hcloud:index/floatingIp:FloatingIp",
    "hcloud:index/floatingIpAssignment:FloatingIpAssignment",
    "hcloud:index/loadBalancer:LoadBalancer",
    "hcloud:index/storageBox:StorageBox",
    "docker:index/plugin:Plugin",
    "docker:index/buildxBuilder:BuildxBuilder",
    "docker:index/registryImage:RegistryImage",
    "command:remote:Command",
    "command:remote:CopyFile",
    "command:remote:CopyToRemote",
    "pulumi-python:dynamic:Resource",
    "aws:ec2/securityGroup:SecurityGroup",
    "kubernetes:core/v1:Service",
    "docker:index/Container:Container",
    "Docker:index/container:Container",
    "pulumi:pulumi:StackReference",
    "",
)

CASES = {
    "type-allowed": Cases(
        caught={f"the type {token}": other(token) for token in UNLISTED},
        passes={"a component": other("zero-exposure:index:Host")},
    ),
    "dynamic-resource": Cases(caught={token: other(token) for token in DYNAMIC}),
    "option-ignore-changes": Cases(
        caught={
            "the rules": replace(firewall(), ignore_changes=("rules",)),
            "one rule": replace(firewall(), ignore_changes=("rules[0].direction",)),
            "everything": replace(container(), ignore_changes=("*",)),
            "everything, in brackets": replace(firewall(), ignore_changes=("[*]",)),
            "the rules, in brackets": replace(firewall(), ignore_changes=('["rules"]',)),
            **{
                f"a container's {key}": replace(container(), ignore_changes=(key,))
                for key in ("securityOpts", "user", "readOnly", "pidMode", "devices", "labels")
            },
            **{
                f"an application's {key}": replace(application(), ignore_changes=(key,))
                for key in ("optionsPreflightBypass", "destinations")
            },
            "who is in a group": replace(other(ACCESS_GROUPS[0], name="x"), ignore_changes=("includes",)),
            "a server's network": replace(server(), ignore_changes=("publicNets",)),
            "a list's kind": replace(other(LIST), ignore_changes=("kind",)),
        },
        passes={
            "what replaces the server": replace(server(), ignore_changes=("userData", "sshKeys")),
            "bans, which come and go": replace(other(LIST), ignore_changes=("items",)),
        },
    ),
    "provider-endpoint": Cases(
        caught={
            "elsewhere": other(HCLOUD, endpoint="https://api.example.org/v1"),
            "plain HTTP": other(CLOUDFLARE, baseUrl="http://api.cloudflare.com"),
            "a name like the vendor's": other(HCLOUD, endpoint="https://api.hetzner.cloud.example.org"),
            "unknown": other(CLOUDFLARE, baseUrl=UNKNOWN),
        },
        passes={
            "a simulator": other(HCLOUD, endpoint="http://127.0.0.1:8080/v1"),
            "the vendor": other(CLOUDFLARE, baseUrl="https://api.cloudflare.com/client/v4"),
        },
    ),
    "command-plain": Cases(
        caught={
            "ufw": command(create="ufw allow 22"),
            "iptables": command(update="iptables -P INPUT ACCEPT"),
            "a published port": command(create="docker run -d -p 80:80 nginx"),
            "the host's network": command(create="docker run --network=host nginx"),
            "a reverse tunnel": command(create="ssh -N -R 22:localhost:22 example.org"),
            "a reverse tunnel with a flag": command(create="ssh -NR 22:localhost:22 example.org"),
            "a quick tunnel": command(create="cloudflared tunnel --url http://localhost"),
            "the provider's tool": command(delete="hcloud firewall add-rule x"),
            "a script from elsewhere": command(create="curl -fsSL https://example.org/x | sh"),
            "the metadata service": command(create="curl http://169.254.169.254/user-data"),
            "a listener": command(create="nc -l 22"),
            **{f"the command {line}": command(create=line) for line in OTHER_COMMANDS},
            "a script for a server's shell": command(create=f"{SSH} 'sh -s'", stdin="iptables -P INPUT ACCEPT"),
            "a script in the input": command(stdin="iptables -P INPUT ACCEPT"),
            "a script in the environment": command(
                create='sh -c "$STEP"', environment={"STEP": "docker run -p 80:80 nginx:1.27"}
            ),
            "another search path": command(environment={"PATH": "/tmp/x"}),  # noqa: S108 - a path in a value
            "environment unknown": command(environment=UNKNOWN),
            "input unknown": command(stdin=UNKNOWN),
            "a secret in the arguments": secret(command(), "create"),
            "another interpreter": command(interpreter=["python3", "-c"]),
            "an interpreter unknown": command(interpreter=[UNKNOWN]),
        },
        passes={
            "not known before the key is": command(create=UNKNOWN),
            "the shell": command(interpreter=["/bin/bash", "-c"]),
            "a server's own tools": command(
                create=f"set -eu\nown=$(: | {TOOL})\nprintf '%s\\n' \"$PEERS\" | {TOOL}",
                delete=f"{TOOL} || true",
                environment={"PEERS": UNKNOWN},
            ),
        },
    ),
    "command-remote": Cases(
        caught={
            "a public address": other(REMOTE, connection={**PINNED, "host": "203.0.113.7"}, create="true"),
            "a public address behind a private one": other(
                REMOTE, connection={**PINNED, "proxy": {**PINNED, "host": "8.8.8.8"}}, create="true"
            ),
            "a name": other("command:remote:CopyFile", connection={**PINNED, "host": "origin.example.org"}),
            "an address unknown": other("command:remote:CopyToRemote", connection={**PINNED, "host": UNKNOWN}),
            "any host key": other(REMOTE, connection={"host": "10.0.0.5"}, create="true"),
            "no connection": other(REMOTE, create="true"),
            "opens": other(REMOTE, connection=PINNED, create="ufw allow 22"),
            "unknown": other(REMOTE, connection=PINNED, create=UNKNOWN),
        },
    ),
    "secret-marked": Cases(
        caught={
            "user data": secret(server()),
            "a tunnel's secret": secret(tunnel()),
            "a tunnel's secret that is unknown": secret(tunnel(tunnelSecret=UNKNOWN)),
            "a cloud token": secret(other(HCLOUD, token="x" * 64)),
            "another cloud token": secret(other(CLOUDFLARE, apiToken="x" * 40)),
            "a password over SSH": secret(other(REMOTE, connection={"password": "hunter22"})),
        },
        passes={"no token": other(HCLOUD), "a token": other(HCLOUD, token="x" * 64)},
    ),
    "secret-plain-text": Cases(
        caught={
            "a private key": container(envs=[f"KEY={PRIVATE_KEY}"]),
            "a tunnel's token": volume(labels=[{"label": "token", "value": TOKEN}]),
            "in a file": secret(carrier(uploads=[{"file": "/x", "content": PRIVATE_KEY}])),
            "a key of AWS": command(environment={"AWS_ACCESS_KEY_ID": "AKIA" + "A" * 16}),
            "a token of GitHub": command(environment={"GH": "ghp_" + "a" * 36}),
        },
        passes={
            "in a file that is secret": secret(
                carrier(uploads=[{"file": "/x", "content": PRIVATE_KEY}]), "uploads[0].content"
            ),
            "in secret files": secret(carrier(uploads=[{"file": "/x", "content": PRIVATE_KEY}]), "uploads"),
        },
    ),
    "container-secret-file": Cases(
        caught={
            "secret environment": secret(container(), "envs[0]"),
            "a secret environment as a whole": secret(container(), "envs"),
            "secret arguments": secret(container(command=["run", "x"]), "command[1]"),
            "a secret label": secret(container(), "labels[0].value"),
            "a password by name": container(envs=["POSTGRES_PASSWORD=hunter22"]),
            "a key by name": container(envs=["STRIPE_API_KEY=abcdefgh"]),
            "a password in an address": container(envs=["DATABASE_URL=postgres://app:hunter22@db/app"]),
            "a password in the arguments": container(command=["--url=redis://:hunter22@cache"]),
            "unknown": container(envs=[UNKNOWN]),
            "all unknown": container(envs=UNKNOWN),
            "a label by name": container(
                labels=[*labelled(role="service", node="api"), {"label": "db.password", "value": "x"}]
            ),
        },
        passes={
            "a file's name": container(envs=["POSTGRES_PASSWORD_FILE=/run/secrets/x", "JWT_SECRET=@/run/secrets/y"]),
            "a switch": container(envs=["ROTATE_TOKEN=true"]),
            "an address": container(envs=["UPSTREAM=http://db:8080/"]),
        },
    ),
}
