"""Mail domains under which anybody can have an address."""

from typing import Final

ANYWHERE: Final = frozenset(
    """
    aol gmail gmx googlemail hotmail live mailinator msn outlook protonmail rocketmail tutanota yahoo yandex ymail
    """.split()  # noqa: SIM905 - a list of one name a line is longer than a screen
)
"""Services with a domain in many countries, without the country."""
SERVICES: Final = frozenset(
    """
    10minutemail.com 126.com 139.com 163.com att.net bigpond.com bk.ru bluewin.ch btinternet.com comcast.net cox.net
    daum.net disroot.org duck.com email.com fastmail.com fastmail.fm foxmail.com free.fr freenet.de guerrillamail.com
    hanmail.net hey.com hushmail.com icloud.com inbox.lv inbox.ru interia.pl keemail.me laposte.net libero.it list.ru
    mac.com mail.com mail.de mail.ru mailbox.org mailfence.com me.com nate.com naver.com o2.pl onet.pl op.pl orange.fr
    passport.com pm.me posteo.de proton.me qq.com rambler.ru rediffmail.com riseup.net runbox.com sbcglobal.net
    seznam.cz sfr.fr sina.com skiff.com sohu.com startmail.com t-online.de temp-mail.org tuta.com tuta.io tutamail.com
    verizon.net virgilio.it vk.com wanadoo.fr web.de windowslive.com wp.pl ya.ru yeah.net yopmail.com zoho.com zoho.eu
    zohomail.com
    """.split()  # noqa: SIM905 - likewise
)
"""Others. Not complete."""
SECOND_LEVEL: Final = frozenset(
    {"ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ltd", "ne", "net", "or", "org", "plc"}
)
"""What registries of countries sell names below: co.uk, com.au."""
COUNTRY: Final = 2
"""Letters."""


def is_public(domain: str) -> bool:
    """True for a mail service's domain, and for one under which anybody can have a domain."""
    labels = domain.lower().strip().lstrip("@").rstrip(".").split(".")
    if len(labels) > 1 and len(labels[-1]) == COUNTRY and labels[-2] in SECOND_LEVEL:
        labels = [*labels[:-2], ".".join(labels[-2:])]
    return len(labels) < 2 or labels[-2] in ANYWHERE or ".".join(labels) in SERVICES
