"""The token list of a subscriber under an integration, against a list as the model."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from clarion.errors import LimitExceeded
from clarion.store import devices, subscribers
from clarion.store.sqlite import engine_for
from embedded_files import put_embedded
from installed import install

TOKENS = st.lists(st.integers(0, 130).map("token-{}".format), max_size=110)


class TokenList(RuleBasedStateMachine):
    """PUT replaces, PATCH appends, a dead token goes and may come back; never more than 100."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.engine = engine_for(put_embedded(Path(self.folder.name) / "clarion.db"))
        self.connection = self.engine.connect()
        install(self.connection)
        self.pk = subscribers.create(self.connection, "e", "ada", {}, 0).pk
        self.model: list[str] = []
        self.now = 0

    @rule(given=TOKENS)
    def replace(self, given: list[str]) -> None:
        self.change(list(dict.fromkeys(given)), given, devices.replace)

    @rule(given=TOKENS)
    def append(self, given: list[str]) -> None:
        self.change(list(dict.fromkeys([*self.model, *given])), given, devices.append)

    def change(self, expected: list[str], given: list[str], call: object) -> None:
        assert callable(call)
        self.now += 1
        if len(expected) <= 100:
            call(self.connection, self.pk, "i", given, self.now)
            self.model = expected
            return
        with pytest.raises(LimitExceeded) as refused:
            call(self.connection, self.pk, "i", given, self.now)
        assert (refused.value.current, refused.value.limit) == (len(expected), 100)

    @rule(index=st.integers(0, 99), ago=st.integers(0, 1))
    def die(self, index: int, ago: int) -> None:
        if index >= len(self.model):
            return
        (channel,) = devices.channels_of(self.connection, [self.pk])[self.pk]
        live = channel.devices[index]
        registered = self.connection.exec_driver_sql(
            "SELECT registered_at FROM devices WHERE pk = ?", (live.pk,)
        ).scalar_one()
        devices.retire(self.connection, [(live.pk, registered - ago, "UNREGISTERED", self.now)])
        if ago == 0:
            self.model.remove(live.token)

    @invariant()
    def the_list_is_the_models(self) -> None:
        if not hasattr(self, "pk"):
            return
        entry = devices.channels_of(self.connection, [self.pk]).get(self.pk, [])
        assert [device.token for channel in entry for device in channel.devices] == self.model

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()
            self.engine.dispose()
            self.folder.cleanup()


TestTokenList = TokenList.TestCase
TestTokenList.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
