"""What measurements add up to."""

from ops.audit.checks.intrusion import total


def test_measurements_are_summed_over_their_labels() -> None:
    text = 'a_total{x="1"} 2\na_total{x="2"} 3\na_total_more 9\nb 1e+03\n# a_total 7\n'
    assert (total(text, "a_total"), total(text, "b"), total(text, "c")) == (5, 1000, 0)
