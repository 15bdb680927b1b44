"""Who owns which device, against a dictionary as the model."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from clarion.store import registry, subscribers
from clarion.store.registry import Registration
from clarion.store.sqlite import engine_for
from embedded_files import put_embedded
from installed import install

OWNERS = st.sampled_from(["ada", "bob", "eve"])
NAMES = st.sampled_from([None, "phone", "tablet", "watch"])
TOKENS = st.sampled_from([f"token-{number}" for number in range(5)])


class Owners(RuleBasedStateMachine):
    """A token and an id that the app chose have one owner under an integration, the last that registered."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.engine = engine_for(put_embedded(Path(self.folder.name) / "clarion.db"))
        self.connection = self.engine.connect()
        install(self.connection)
        made = [subscribers.create(self.connection, "e", name, {}, 0) for name in ("ada", "bob", "eve")]
        self.pks = {person.subscriber_id: person.pk for person in made}
        self.owner_of_token: dict[str, str] = {}
        self.now = 0

    @rule(owner=OWNERS, name=NAMES, token=TOKENS)
    def register(self, owner: str, name: str | None, token: str) -> None:
        self.now += 1
        known = {device.chosen_id: device for device in self.devices(owner)}
        given = Registration("i", token, name)
        row, created = registry.register(self.connection, self.pks[owner], given, self.now, moves=True)
        assert (row.token, row.retired_at, row.registered_at) == (token, None, self.now)
        if name:
            assert row.id == name
        if name and name in known:
            assert (row.pk, created) == (known[name].pk, False)
        for others in self.pks:
            tokens = {device.token for device in self.devices(others)}
            ids = {device.chosen_id for device in self.devices(others)}
            assert (token in tokens) == (others == owner)
            assert name is None or (name in ids) == (others == owner)

    @rule(owner=OWNERS, place=st.integers(0, 4))
    def remove(self, owner: str, place: int) -> None:
        held = self.devices(owner)
        if place < len(held):
            found = registry.find(self.connection, self.pks[owner], held[place].id)
            assert found == held[place]
            registry.remove(self.connection, found.pk)
            assert registry.find(self.connection, self.pks[owner], held[place].id) is None

    @rule(before=st.integers(0, 50))
    def prune(self, before: int) -> None:
        unseen = registry.unseen(self.connection, "e", before)
        assert registry.unseen(self.connection, "another", before) == 0
        retired, after = 0, 0
        while True:
            step, last = registry.prune(self.connection, None, before, self.now, after, 2)
            retired += len(step)
            if last is None:
                break
            after = last
        assert retired == unseen
        assert registry.unseen(self.connection, "e", before) == 0

    @invariant()
    def nothing_is_owned_twice(self) -> None:
        if not hasattr(self, "pks"):
            return
        every = [device for owner in self.pks for device in self.devices(owner)]
        assert len({device.token for device in every}) == len(every)
        chosen = [device.chosen_id for device in every if device.chosen_id]
        assert len(set(chosen)) == len(chosen)

    def devices(self, owner: str) -> list[registry.DeviceRow]:
        return registry.of_subscriber(self.connection, self.pks[owner])

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()
            self.engine.dispose()
            self.folder.cleanup()


TestOwners = Owners.TestCase
TestOwners.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
