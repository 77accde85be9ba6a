"""How passwords are kept."""

import asyncio

import pytest

from kefu.accounts import passwords
from kefu.accounts.passwords import TooManySignIns, check_password, hash_password, is_acceptable, one_time_password

PARAMETERS = "$argon2id$v=19$m=19456,t=2,p=1$"


async def test_a_hash_is_argon2id_and_salted() -> None:
    one, other = await hash_password("correct-horse-7"), await hash_password("correct-horse-7")
    assert one.startswith(PARAMETERS)
    assert one != other
    assert await check_password("correct-horse-7", one)
    assert not await check_password("correct-horse-8", one)


async def test_nobody_has_no_password_but_the_same_cost() -> None:
    assert passwords.NOBODYS_HASH.startswith(PARAMETERS)
    assert not await check_password("correct-horse-7", None)


async def test_beyond_the_queue_sign_ins_are_turned_away_and_later_ones_served() -> None:
    outcomes = await asyncio.gather(*(hash_password("correct-horse-7") for _ in range(40)), return_exceptions=True)
    turned_away = [one for one in outcomes if isinstance(one, TooManySignIns)]
    assert len(turned_away) == 40 - passwords.PLACES
    assert turned_away[0].status == 503
    assert turned_away[0].headers == {"Retry-After": "2"}
    assert await hash_password("correct-horse-7")


async def test_a_caller_who_leaves_does_not_keep_a_place() -> None:
    for _ in range(2):
        waiting = [asyncio.create_task(hash_password("correct-horse-7")) for _ in range(passwords.PLACES)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await hash_password("correct-horse-7")


@pytest.mark.parametrize("password", ["abcdefg1", "一二三四五六七8", "A1" * 64])
def test_the_rule_accepts(password: str) -> None:
    assert is_acceptable(password)


@pytest.mark.parametrize("password", ["", "abcdef1", "abcdefgh", "12345678", "!!!!!!!1", "A1" * 64 + "x"])
def test_the_rule_refuses(password: str) -> None:
    assert not is_acceptable(password)


def test_one_time_passwords_keep_the_rule_and_differ() -> None:
    made = {one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert all(map(is_acceptable, made))
