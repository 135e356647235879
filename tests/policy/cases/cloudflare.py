"""Cloudflare: DNS, tunnels, Access, the edge."""

from typing import Any

from policy.rules.bucket import R2_LIFECYCLE
from policy.rules.edge import (
    BALANCER,
    HOST_TLS,
    POOL,
    R2_CUSTOM,
    R2_MANAGED,
    ROUTED,
    SCRIPT_SUBDOMAIN,
    SPECTRUM,
    WORKER,
)
from policy.rules.model import UNKNOWN
from policy.rules.ruleset import ACCESS_RULE, FIREWALL_RULE, PAGE_RULE
from policy.rules.tokens import ACCESS_GROUPS, ACCESS_TOKENS, BOT_MANAGEMENT, DNS_RECORDS, TUNNEL_CONFIGS, TUNNELS
from policy.rules.tunnel import ROUTES
from tests.policy.cases.base import (
    Cases,
    allow,
    application,
    edge_rule,
    ingress,
    other,
    policy,
    record,
    setting,
    tunnel,
)
from tests.policy.stacks import TUNNEL_ID, guarded

WEB = {"hostname": "api.example.org", "service": "http://10.128.0.18:8080"}
SSH = {"hostname": "ssh.example.org", "service": "ssh://localhost:22"}
AGED = {"condition": {"type": "Age", "maxAge": 86400}}
OVERRIDES = {
    "a rule off": {"rules": [{"id": "a", "enabled": False}]},
    "a category off": {"categories": [{"category": "sqli", "enabled": False}]},
    "a log in place of a block": {"action": "log"},
    "no sensitivity": {"sensitivityLevel": "eoff"},
}
CHALLENGE = {"phases": ["http_request_sbfm"]}


def text(kind: str, content: Any, **more: Any) -> Any:
    """A record that is no CNAME."""
    return record(type=kind, content=content, proxied=None, **more)


def verification(**more: Any) -> Any:
    """A record for a machine that checks whose the zone is."""
    return record(**{"name": "_acme-challenge.api", "content": "x.acme.example.net", "proxied": False, **more})


def ssh(**access: Any) -> Any:
    """SSH with an Access check that is changed."""
    return ingress({**SSH, "originRequest": {"access": {**guarded(True)["access"], **access}}})


CASES = {
    "dns-tunnel-only": Cases(
        caught={
            "an address": text("A", "203.0.113.7"),
            "an address behind the edge": record(type="A", content="203.0.113.7"),
            "an IPv6 address": text("AAAA", "2001:db8::7"),
            "in lower case": text("a", "203.0.113.7"),
            "the old type": other(DNS_RECORDS[1], type="A", content="203.0.113.7"),
            "not proxied": record(proxied=False),
            "proxied unknown": record(proxied=UNKNOWN),
            "proxied not said": record(proxied=None),
            "another target": record(content="origin.example.org"),
            "a name like a tunnel's": record(content=f"{TUNNEL_ID}.cfargotunnel.com.example.org"),
            "no tunnel's id": record(content="mine.cfargotunnel.com"),
            "the target in data": record(data={"target": "origin.example.org"}),
            "type unknown": record(type=UNKNOWN),
            "a service record": text("SRV", None, data={"target": "origin.example.org", "port": 22}),
            "an HTTPS record": text("HTTPS", None, data={"value": 'ipv4hint="203.0.113.7"'}),
            "a name server": text("NS", "ns.example.net"),
            "a location": text("LOC", "51 30 12.748 N 0 7 39.611 W 0m"),
            "an address in SPF": text("TXT", "v=spf1 ip4:203.0.113.7 -all"),
            "an address in a text": text("TXT", "origin=203.0.113.7"),
            "an IPv6 address in a text": text("TXT", "2a01:4f8:c0c:1234::1"),
            "an IPv6 address after a word": text("TXT", "origin:2a01:4f8::1;"),
            "an IPv4 address in an IPv6 one": text("TXT", "::ffff:203.0.113.7"),
            "the origin's name in SPF": text("TXT", "v=spf1 a:static.4.3.2.1.clients.your-server.de -all"),
            "a release like an address": text("TXT", "release 1.2.3.4"),
            "mail to an address": text("MX", "203.0.113.7"),
            "mail to an IPv6 address": text("MX", "2001:db8::7"),
            "mail to the origin's name": text("MX", "static.4.3.2.1.clients.your-server.de"),
            "mail to a target in data": text("MX", "mx.example.net", data={"target": "origin.example.org"}),
            "the zone's own name": record(name="@"),
            "a verification name for the origin": verification(content="static.4.3.2.1.clients.your-server.de"),
            "a verification name for an address": verification(content="203-0-113-7.sslip.io"),
            "a verification name for the origin's own": verification(content="my-origin.clients.your-server.de"),
            "a verification name for one in hexadecimal": verification(content="cb007107.nip.io"),
            "a verification name for another cloud's": verification(content="ec2-203-0-113-7.compute-1.amazonaws.com"),
            "a verification name with its target in data": verification(data={"target": "origin.example.org"}),
            "a verification name that is proxied": verification(proxied=True),
            "a mail key that is proxied": verification(name="s1._domainkey.example.org", proxied=True),
            "a name like a mail key's": verification(name="x-domainkey.example.org"),
            "private routing": record(privateRouting=True),
        },
        passes={
            "not known before the tunnel is": record(content=UNKNOWN),
            "mail": text("MX", "mx.example.net", priority=10),
            "verification": text("TXT", "v=spf1 include:_spf.example.net -all"),
            "a certificate's issuer": text("CAA", None, data={"flags": 0, "tag": "issue", "value": "example.net"}),
            "a verification name": verification(),
            "a verification name whose target is not known yet": verification(content=UNKNOWN),
            "a certificate's check": verification(
                name="_3639ac514e785e898d2646601fa951d5.example.org",
                content="_98d2646601fa951d53639ac514e785e8.mhbtsbpdnt.acm-validations.aws",
            ),
            "a mail service's key": verification(
                name="selector1._domainkey.example.org",
                content="selector1-example-org._domainkey.contoso.onmicrosoft.com",
            ),
            "another mail service's key": verification(
                name="s1._domainkey", content="s1.domainkey.u1234567.wl203.sendgrid.net"
            ),
            "a mail key in a text": text("TXT", "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ"),
            "a time in a text": text("TXT", "std::string at 12:30:45 on 2026-01-02, mac 00:1b:44:11:3a:b7"),
            "a version in a text": text("TXT", "release 1.2.3, v1.2.3.4"),
            "mail at a hoster's": text("MX", "www123.your-server.de"),
        },
    ),
    "tunnel-config-source": Cases(
        caught={
            "local": tunnel(configSrc="local"),
            "by default": tunnel(configSrc=None),
            "unknown": tunnel(configSrc=UNKNOWN),
            "the old type": other(TUNNELS[1], configSrc="local"),
        },
    ),
    "tunnel-secret-length": Cases(
        caught={
            "short": tunnel(tunnelSecret="c2hvcnQ="),
            "not base64": tunnel(tunnelSecret="not base64 at all, but long"),
        },
        passes={"unknown": tunnel(tunnelSecret=UNKNOWN)},
    ),
    "ingress-service": Cases(
        caught={
            "no catch-all": ingress(WEB, ingresses=[WEB]),
            "no rules": ingress(ingresses=[]),
            "unknown": ingress(ingresses=UNKNOWN),
            "a service unknown": ingress({**WEB, "service": UNKNOWN}),
            "a rule without a name": ingress({"service": "http://10.128.0.18:8080"}),
            "another catch-all": ingress(ingresses=[WEB, {"service": "http://10.128.0.18:8080"}]),
            "plain TCP": ingress({**WEB, "service": "tcp://10.128.0.18:5432"}),
            "remote desktop": ingress({**WEB, "service": "rdp://10.128.0.18:3389"}),
            "a proxy": ingress({**WEB, "service": "socks-proxy"}),
            "a bastion": ingress({**WEB, "service": "bastion"}),
            "a socket": ingress({**WEB, "service": "unix:/var/run/docker.sock"}),
            "the metadata service": ingress({**WEB, "service": "http://169.254.169.254"}),
            "the Docker Engine": ingress({**WEB, "service": "http://localhost:2375"}),
            "a public address": ingress({**WEB, "service": "http://8.8.8.8"}),
            "a public name": ingress({**WEB, "service": "https://origin.example.org"}),
            "SSH without Access": ingress(SSH),
            "SSH where Access is not required": ssh(required=False),
            "SSH where Access is required perhaps": ssh(required=UNKNOWN),
            "SSH without an application": ssh(audTags=[]),
            "SSH without a team": ssh(teamName=""),
            "from a file": other(TUNNEL_CONFIGS[0], source="local", config=ingress(WEB).props["config"]),
            "the old type": other(TUNNEL_CONFIGS[1], config={"ingresses": [WEB]}),
        },
        passes={
            "web": ingress(WEB),
            "by name": ingress({**WEB, "service": "http://gateway:8080"}),
            "SSH behind Access": ingress({**SSH, "originRequest": guarded(False)}),
        },
    ),
    "ingress-origin-request": Cases(
        caught={
            "Access where it is ignored": ingress(WEB, originRequest=guarded(True)),
            "no certificate check": ingress({**WEB, "originRequest": {"noTlsVerify": True}}),
            "no certificate check at all": ingress(WEB, originRequest={"noTlsVerify": True}),
            "a proxy": ingress({**WEB, "originRequest": {"proxyType": "socks"}}),
            "another host": ingress({**WEB, "originRequest": {"httpHostHeader": "admin.example.org"}}),
            "another host everywhere": ingress(WEB, originRequest={"httpHostHeader": "admin.example.org"}),
            "another host, perhaps": ingress({**WEB, "originRequest": {"httpHostHeader": UNKNOWN}}),
            "another certificate": ingress({**WEB, "originRequest": {"originServerName": "origin.example.org"}}),
            "another authority": ingress({**WEB, "originRequest": {"caPool": "/etc/ca.pem"}}),
            "the visitor's name": ingress({**WEB, "originRequest": {"matchSnItoHost": True}}),
            "a setting that nobody looked at": ingress({**WEB, "originRequest": {"newSetting": "on"}}),
            "unknown": ingress({**WEB, "originRequest": UNKNOWN}),
        },
        passes={
            "a timeout": ingress({**WEB, "originRequest": {"connectTimeout": 4, "noTlsVerify": False}}),
            "Access": ingress({**WEB, "originRequest": guarded(False)}),
        },
    ),
    "tunnel-private-route": Cases(
        caught={
            "everything": other(ROUTES[0], network="0.0.0.0/0"),
            "a whole private range": other(ROUTES[1], network="10.0.0.0/8"),
            "not a network": other(ROUTES[0], network="private"),
            "a public name": other(ROUTES[2], hostname="db.example.org"),
            "a connector of networks": other(ROUTES[3], name="warp"),
        },
    ),
    "access-policy": Cases(
        caught={
            "bypass": policy(decision="bypass"),
            "unknown": policy(decision=UNKNOWN),
            "everyone": allow(everyone={}),
            "any token": policy(decision="non_identity", includes=[{"anyValidServiceToken": {}}]),
            "everyone without identity": policy(decision="non_identity", includes=[{"everyone": {}}]),
            "a person without identity": policy(decision="non_identity", includes=[{"email": {"email": "a@b.org"}}]),
            "every IPv4 address": allow(ip={"ip": "0.0.0.0/0"}),
            "half of them": allow(ip={"ip": "128.0.0.0/1"}),
            "every IPv6 address": allow(ip={"ip": "::/0"}),
            "an address unknown": allow(ip={"ip": UNKNOWN}),
            "not an address": allow(ip={"ip": "any"}),
            "a country": allow(geo={"countryCode": "DE"}),
            "whoever logs in": allow(loginMethod={"id": "x"}),
            "a public mail service": allow(emailDomain={"domain": "GMail.com"}),
            **{
                f"a public mail service: {domain}": allow(emailDomain={"domain": domain})
                for domain in (
                    *(
                        "gmx.com",
                        "msn.com",
                        "pm.me",
                        "ymail.com",
                        "outlook.de",
                        "yahoo.de",
                        "fastmail.com",
                        "yandex.ru",
                    ),
                    *("yahoo.co.uk", "hotmail.com.br", "@me.com", "web.de.", "mail.yahoo.com"),
                )
            },
            "a registry's domain": allow(emailDomain={"domain": "co.uk"}),
            "another registry's domain": allow(emailDomain={"domain": "com.au"}),
            "a top-level domain": allow(emailDomain={"domain": "org"}),
            "a mail address without a place": allow(email={"email": "someone"}),
            "a list of mail addresses": allow(emailList={"id": "list"}),
            "a list of networks": policy(decision="non_identity", includes=[{"ipList": {"id": "list"}}]),
            "any organization": allow(githubOrganization={"identityProviderId": "github"}),
            "any claim": allow(oidc={"claimName": "department", "claimValue": ""}),
            "any token's id": policy(decision="non_identity", includes=[{"serviceToken": {}}]),
            "nobody": policy(includes=[]),
            "an empty include": policy(includes=[{}]),
            "an unknown include": policy(includes=[UNKNOWN]),
            "a group of everyone": other(ACCESS_GROUPS[0], includes=[{"everyone": {}}]),
        },
        passes={
            "a person": allow(email={"email": "someone@example.org"}),
            "a group": allow(group={"id": UNKNOWN}),
            "an organization": allow(githubOrganization={"name": "example", "identityProviderId": UNKNOWN}),
            "an office": allow(ip={"ip": "203.0.113.0/24"}),
            "a domain": allow(emailDomain={"domain": "example.org"}),
            "a domain under a registry's": allow(emailDomain={"domain": "example.co.uk"}),
            "a domain with a service's word in it": allow(emailDomain={"domain": "live.example.com"}),
            "a token": policy(decision="non_identity", includes=[{"serviceToken": {"tokenId": UNKNOWN}}]),
            "a refusal": policy(decision="deny", includes=[{"everyone": {}}]),
            "a group of persons": other(ACCESS_GROUPS[0], includes=[{"email": {"email": "someone@example.org"}}]),
        },
    ),
    "access-application": Cases(
        caught={
            "no policy": application(policies=[]),
            "policies unknown": application(policies=UNKNOWN),
            "an empty policy": application(policies=[{}]),
            "bypass inline": application(policies=[{"decision": "bypass", "includes": [{"everyone": {}}]}]),
            "everyone inline": application(policies=[{"decision": "allow", "includes": [{"everyone": {}}]}]),
            "a policy of elsewhere called one of ours": application(
                policies=[{"id": "f174e90a", "decision": "allow", "includes": [{"email": {"email": "a@example.org"}}]}]
            ),
            "no host": application(domain=None),
            "a bookmark": application(type="bookmark"),
            "preflight": application(optionsPreflightBypass=True),
            "any page": application(corsHeaders={"allowAllOrigins": True}),
            "any page by name": application(corsHeaders={"allowedOrigins": ["*"], "allowCredentials": True}),
            "any page of a domain": application(corsHeaders={"allowedOrigins": ["https://*.example.org"]}),
            "a page in plain text": application(corsHeaders={"allowedOrigins": ["http://www.example.org"]}),
            "a page unknown": application(corsHeaders={"allowedOrigins": [UNKNOWN]}),
            "a private network": application(destinations=[{"type": "private", "cidr": "10.0.0.0/8"}]),
        },
        passes={
            "one page": application(corsHeaders={"allowedOrigins": ["https://www.example.org"]}),
            "by id": application(policies=[{"id": UNKNOWN}]),
            "inline": application(policies=[{"decision": "deny", "includes": [{"everyone": {}}]}]),
        },
    ),
    "access-token-expires": Cases(
        caught={
            "never": other(ACCESS_TOKENS[0], duration="forever"),
            "in a century": other(ACCESS_TOKENS[0], duration="876000h"),
            "in a century of minutes": other(ACCESS_TOKENS[0], duration="52560000m"),
            "unknown": other(ACCESS_TOKENS[0], duration=UNKNOWN),
        },
        passes={
            "a year": other(ACCESS_TOKENS[0], duration="8760h"),
            "a year by default": other(ACCESS_TOKENS[0], name="ci"),
        },
    ),
    "zone-setting": Cases(
        caught={
            "no TLS to the origin": setting("ssl", "off"),
            "flexible": setting("ssl", "flexible"),
            "old TLS": setting("min_tls_version", "1.0"),
            "plain HTTP": setting("always_use_https", "off"),
            "no checks": setting("security_level", "essentially_off"),
            "replays": setting("0rtt", "on"),
            "a value unknown": setting("ssl", UNKNOWN),
            "a setting unknown": setting(UNKNOWN, "on"),
            "a setting that nobody looked at": setting("new_setting", "on"),
            "HSTS off": setting("security_header", {"strict_transport_security": {"enabled": False}}),
            "HSTS for a minute": setting(
                "security_header", {"strict_transport_security": {"enabled": True, "max_age": 60}}
            ),
            "weak ciphers": setting("ciphers", ["AES128-SHA"]),
            "broken ciphers": setting("ciphers", ["ECDHE-RSA-RC4-MD5"]),
        },
        passes={
            "HSTS": setting("security_header", {"strict_transport_security": {"enabled": True, "max_age": 31536000}}),
            "good ciphers": setting("ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256"]),
            "compression": setting("brotli", "on"),
        },
    ),
    "host-tls": Cases(caught={"old TLS": other(HOST_TLS, settingId="min_tls_version", value="1.0")}),
    "bot-management": Cases(
        caught={
            "off": other(BOT_MANAGEMENT, fightMode=False),
            "AI bots let in": other(BOT_MANAGEMENT, aiBotsProtection="disabled"),
            "no labyrinth": other(BOT_MANAGEMENT, crawlerProtection="disabled"),
        },
        passes={"on": other(BOT_MANAGEMENT, crawlerProtection="enabled")},
    ),
    "edge-not-public": Cases(
        caught={
            "a bucket": other(R2_MANAGED, enabled=True),
            "a bucket, perhaps": other(R2_MANAGED, enabled=UNKNOWN),
            "a bucket by default": other(R2_MANAGED, bucketName="b"),
            "a bucket's own domain": other(R2_CUSTOM, enabled=True, minTls="1.0"),
            "a worker": other(SCRIPT_SUBDOMAIN, enabled=True),
            "a worker's previews": other(SCRIPT_SUBDOMAIN, enabled=False, previewsEnabled=True),
            "a worker's subdomain": other(WORKER, subdomain={"enabled": True}),
            **{f"public by existing: {token}": other(token, hostname="x.example.org") for token in ROUTED},
        },
        passes={"a bucket that is closed": other(R2_MANAGED, enabled=False)},
    ),
    "bucket-keeps": Cases(
        caught={
            "objects go by their age": other(
                R2_LIFECYCLE, rules=[{"id": "x", "enabled": True, "deleteObjectsTransition": AGED}]
            ),
            "rules unknown": other(R2_LIFECYCLE, rules=UNKNOWN),
        },
        passes={
            "unfinished uploads go": other(
                R2_LIFECYCLE, rules=[{"id": "x", "enabled": True, "abortMultipartUploadsTransition": AGED}]
            )
        },
    ),
    "edge-no-direct-origin": Cases(
        caught={
            "a forwarded port": other(SPECTRUM, protocol="tcp/22", originDirects=["tcp://203.0.113.7:22"]),
            "a balancer that is not proxied": other(BALANCER, proxied=False),
            "an origin by address": other(POOL, origins=[{"address": "203.0.113.7"}]),
            "an origin unknown": other(POOL, origins=[{"address": UNKNOWN}]),
        },
    ),
    "ruleset-action": Cases(
        caught={
            "skip": edge_rule(action="skip"),
            "skip everything on one host": edge_rule(
                action="skip", actionParameters={"ruleset": "current"}, expression='http.host eq "ssh.example.org"'
            ),
            "skip the challenge everywhere": edge_rule(action="skip", actionParameters=CHALLENGE),
            "route": edge_rule(action="route", actionParameters={"origin": {"host": "origin.example.org"}}),
            "action unknown": edge_rule(action=UNKNOWN),
            "flexible TLS": edge_rule(action="set_config", actionParameters={"ssl": "flexible"}),
            "no checks": edge_rule(action="set_config", actionParameters={"securityLevel": "essentially_off"}),
            "no integrity check": edge_rule(action="set_config", actionParameters={"bic": False}),
            "another host": edge_rule(action="rewrite", actionParameters={"hostHeader": "x"}),
            "a managed ruleset off": edge_rule(action="execute", actionParameters={"overrides": {"enabled": False}}),
            "to plain HTTP": edge_rule(
                action="redirect", actionParameters={"fromValue": {"targetUrl": {"value": "http://example.org"}}}
            ),
            "to plain HTTP, by an expression": edge_rule(
                action="redirect",
                actionParameters={"fromValue": {"targetUrl": {"expression": 'concat("http://", http.host)'}}},
            ),
            "to nowhere known": edge_rule(action="redirect", actionParameters={"fromValue": {"targetUrl": UNKNOWN}}),
            "to a list's targets": edge_rule(action="redirect", actionParameters={"fromList": {"name": "x"}}),
            **{
                f"a managed ruleset with {name}": edge_rule(action="execute", actionParameters={"overrides": overrides})
                for name, overrides in OVERRIDES.items()
            },
            "a header taken away": edge_rule(
                action="rewrite", actionParameters={"headers": {"Content-Security-Policy": {"operation": "remove"}}}
            ),
            "everything kept for everyone": edge_rule(
                action="set_cache_settings", actionParameters={"cache": True, "edgeTtl": {"mode": "override_origin"}}
            ),
            "parameters unknown": edge_rule(action="block", actionParameters=UNKNOWN),
        },
        passes={
            "a block": edge_rule(action="block"),
            "a block with an answer": edge_rule(action="block", actionParameters={"response": {"statusCode": 403}}),
            "a managed ruleset": edge_rule(
                action="execute", actionParameters={"id": "efb7b8c949ac4650a09736fc376e9aee"}
            ),
            "to HTTPS": edge_rule(
                action="redirect",
                actionParameters={"fromValue": {"statusCode": 301, "targetUrl": {"value": "https://example.org"}}},
            ),
            "no bot challenge for SSH": edge_rule(
                action="skip", actionParameters=CHALLENGE, expression='lower(http.host) eq "ssh.example.org"'
            ),
        },
    ),
    "page-rule": Cases(
        caught={
            "no checks": other(PAGE_RULE, actions={"disableSecurity": True}),
            "flexible TLS": other(PAGE_RULE, actions={"ssl": "flexible"}),
            "another origin": other(PAGE_RULE, actions={"resolveOverride": "origin.example.org"}),
            "another host": other(PAGE_RULE, actions={"hostHeaderOverride": "x"}),
            "to plain HTTP": other(PAGE_RULE, actions={"forwardingUrl": {"url": "http://example.org"}}),
            "unknown": other(PAGE_RULE, actions=UNKNOWN),
        },
    ),
    "edge-address-rule": Cases(
        caught={
            "let past": other(ACCESS_RULE, mode="whitelist"),
            "allowed": other(FIREWALL_RULE, action="allow"),
            "bypassed": other(FIREWALL_RULE, action="bypass"),
        },
    ),
}
