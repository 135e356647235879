"""The evaluator that the firewall's tests lean on: it must tell yes from no, and refuse what it does not know."""

import pytest

from tests.components.edge.expressions import matches

REQUEST = {"http.host": "API.example.com", "ip.src": "203.0.113.7", "cf.edge.server_port": 443, "path.text": "/a.b"}
REQUEST |= {"$bans": ["203.0.113.0/28"], "$others": ["198.51.100.7"]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('lower(http.host) eq "api.example.com"', True),
        ('http.host eq "api.example.com"', False),
        ('lower(http.host) in {"x.example.com" "api.example.com"}', True),
        ('not lower(http.host) in {"api.example.com"}', False),
        ("ip.src in {198.51.100.0/24 203.0.113.0/24}", True),
        ("ip.src in {2001:db8::/48}", False),
        ("ip.src in $bans", True),
        ("(ip.src in $bans and not ip.src in {203.0.113.0/24})", False),
        ("ip.src in $others", False),
        ("cf.edge.server_port in {80 443}", True),
        ("not cf.edge.server_port in {80}", True),
        ('path.text contains "/a"', True),
        ('path.text contains "/b" or path.text contains "."', True),
        ('path.text contains "." and not starts_with(path.text, "/a")', False),
        ('not path.text contains "x" and not (path.text contains "y")', True),
    ],
)
def test_an_expression_means_what_the_language_says(expression: str, expected: bool) -> None:
    assert matches(expression, REQUEST) is expected


@pytest.mark.parametrize("expression", ['http.host matches "x"', "ip.src ~ 1", 'nonsense("x")'])
def test_what_is_not_known_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        matches(expression, REQUEST)
