"""Which attempts `personal_data` drops, and what is nobody's."""

import json

import pytest
from pydantic import ValidationError

from filters.personal_data import PersonalData
from tests.filters.hygiene_rows import said, shown, why

FOUND = {
    "email": ["marta.kowalska@poczta-firma.pl", "j.doe+lists@gmail.com", "Mail <li_wei@tsinghua.edu.cn>,"],
    "phone": ["+49 30 901820", "+1 (212) 736-5000", "+44-20-7946-0018"],
    "card": ["4556737586899855", "5425 2334 3010 9903", "3782-822463-10104"],
    "iban": ["DE44500105175407324931", "GB33 BUKB 2020 1555 5555 55"],
    "ip": ["93.184.216.34", "connect from 151.101.1.69:443"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_what_could_be_a_persons_is_counted_and_not_repeated(kind: str, text: str):
    reason = why(
        PersonalData(kinds=("email", "phone", "card", "iban", "ip")), shown("go"), shown(f"see\n{text}\n", "tool")
    )
    assert reason == f"personal_data: 1 values > 0 (1 {kind}; first in message 2, tool)"


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.com, bob@mail.example.org, you@test.com, x@host.invalid, root@localhost",
        "git clone git@github.com:owner/name.git && git config user.email 12+bob@users.noreply.github.com",
        "pip install name@1.2.3; npm i @types/node@20.1.0; actions/checkout@v4",
        "\n@app.route('/')\n@pytest.mark.slow\ny = A@B.T + x@np.mean(z)",
        "https://user@registry.io/x",
        "4111 1111 1111 1111 and 4242424242424242",
        "4556737586899856",
        "1763859973000 0.4556737586899855 4556737586899855.5 45567375868998551234567",
        "DE89 3704 0044 0532 0130 00 and DE44500105175407324932",
        "+1 202-555-0147 and +1 555 123 4567",
        "a = b +1 234 567",
        "127.0.0.1 10.0.0.7 192.168.1.20 192.0.2.5 203.0.113.9 8.8.8.8 999.1.1.1",
        "openssl-1.1.1.2a, v10.4.2.1-rc, 1.2.3.4.5",
        "2026-11-23 07:00:00 +0000",
    ],
)
def test_what_is_nobodys_stays(text: str):
    assert why(PersonalData(kinds=("email", "phone", "card", "iban", "ip")), shown(text, "tool"), said(text)) is None


def test_equal_finds_count_once_whatever_the_way_of_writing():
    first, again = shown("+49 30 901820 Marta.Kowalska@firma.pl", "tool"), said("+4930901820 marta.kowalska@firma.pl")
    assert (
        why(PersonalData(), first, again) == "personal_data: 2 values > 0 (1 email, 1 phone; first in message 1, tool)"
    )
    assert why(PersonalData(max_values=2), first, again) is None


def test_what_the_task_made_up_stays():
    task = json.dumps({"prompt": "clean the list", "files": {"/app/people.csv": "marta@firma.pl;+49 30 901820"}})
    assert why(PersonalData(), shown("Marta@firma.pl +49-30-901820", "tool"), task=task) is None
    assert why(PersonalData(planted=False), shown("marta@firma.pl", "tool"), task=task) is not None


def test_addresses_of_machines_are_looked_for_where_named():
    assert why(PersonalData(), shown("93.184.216.34", "tool")) is None


def test_a_region_finds_numbers_without_a_code():
    call = said("call (212) 736-5000")
    assert why(PersonalData(), call) is None
    assert why(PersonalData(region="US"), call) == "personal_data: 1 values > 0 (1 phone; first in message 1, content)"
    with pytest.raises(ValidationError, match="no country with phone numbers: 'us'; two capital letters"):
        PersonalData(region="us")


def test_roles_say_whose_messages_are_searched():
    row = [shown("marta@firma.pl", "tool"), said("ok")]
    assert why(PersonalData(roles=("assistant",)), *row) is None
