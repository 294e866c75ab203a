"""Which of the ends that proxies tell of counts."""

from pointsman.resources.key import Key
from pointsman.telemetry.expiries import FRESH_S, MOST, SILENT_S, Expiries, Expiry

EDGE = Key("VirtualGateway", "shop", "edge")
FILE = "/certs/edge.pem"


def only(expiries: Expiries, now: float) -> Expiry:
    return expiries.fresh(now)[EDGE][FILE]


def test_a_renewed_certificate_takes_over_when_no_proxy_has_the_old_one() -> None:
    made = Expiries()
    made.report(EDGE, FILE, 1000.0, 0.0)
    made.report(EDGE, FILE, 2000.0, 5.0)
    assert only(made, 5.0) == Expiry(1000.0, 0.0, 0.0), "one proxy still has it"
    made.report(EDGE, FILE, 2000.0, SILENT_S + 1)
    assert only(made, SILENT_S + 1) == Expiry(2000.0, SILENT_S + 1, SILENT_S + 1, renewed=True)


def test_an_older_certificate_counts_at_once_and_is_no_renewal() -> None:
    made = Expiries()
    made.report(EDGE, FILE, 1000.0, 0.0)
    made.report(EDGE, FILE, 900.0, 5.0)
    assert only(made, 5.0) == Expiry(900.0, 5.0, 5.0)


def test_what_nobody_tells_of_is_forgotten_and_makes_room() -> None:
    made = Expiries()
    for number in range(MOST + 1):
        made.report(EDGE, str(number), 1000.0, 0.0)
    assert len(made.fresh(0.0)[EDGE]) == MOST
    made.report(EDGE, FILE, 1000.0, FRESH_S + 1)
    assert list(made.fresh(FRESH_S + 1)[EDGE]) == [FILE]
