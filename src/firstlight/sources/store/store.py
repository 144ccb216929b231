"""The embedded store: a :class:`~firstlight.sources.contract.Source` that can be written to."""

import builtins
import secrets
import string
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, Executable, insert

from firstlight.instance import Instance
from firstlight.sources.contract import InstanceGone, PasswordSet
from firstlight.sources.store import changes, condition, ec2, rows
from firstlight.sources.store.claims import refuse_taken
from firstlight.sources.store.condition import Condition
from firstlight.sources.store.documents.canonical import canonical_address
from firstlight.sources.store.documents.checks import checked
from firstlight.sources.store.documents.rebuild import rebuilt
from firstlight.sources.store.errors import RevisionConflict
from firstlight.sources.store.rows import Stored
from firstlight.sources.store.sql import tables
from firstlight.sources.store.sql.database import StoreDatabase
from firstlight.sources.store.watch import Watcher

_LETTERS = string.ascii_lowercase + string.digits
_SET_PASSWORD = insert(tables.password)


def new_reservation_id() -> str:
    """As Nova makes them: ``r-`` and eight of [0-9a-z]."""
    return "r-" + "".join(secrets.choice(_LETTERS) for _ in range(8))


class Store:
    """Instances in a database of our own. Safe to use from many threads; one per process.

    Every method but :meth:`healthy` asks the database, waits a bounded time, and raises
    SourceUnavailable if it does not answer. A write that returned is on the disk.
    """

    def __init__(
        self, database: StoreDatabase, reservation_id: Callable[[], str] = new_reservation_id
    ) -> None:
        self._database = database
        self._watcher = Watcher(database)
        self._reservation_id = reservation_id

    @classmethod
    def open(cls, url: str, *, pool_size: int = 8, timeout: float = 5.0) -> "Store":
        """The store at an SQLAlchemy URL. The database is first asked when it is first used.

        Args:
            pool_size: connections, that is look-ups at the same time; others wait.
            timeout: seconds after which connecting, a statement or a wait has failed.

        Raises:
            BadConnection: the URL cannot be used.
        """
        return cls(StoreDatabase(url, pool_size=pool_size, timeout=timeout))

    @property
    def name(self) -> str:
        """The store's URL without its password, for messages."""
        return self._database.name

    @property
    def is_remote(self) -> bool:
        """Whether reading means to wait for a server."""
        return not self._database.is_sqlite

    def prepare(self) -> None:
        """Make or migrate the tables now instead of at the first use."""
        self._database.prepare()

    def healthy(self) -> str | None:
        """Why the database did not answer when it was last asked; None: it did. Asks nobody.

        While anyone watches, it is asked many times a second.
        """
        return self._database.trouble

    def close(self) -> None:
        """End the watch and close the connections."""
        self._watcher.close()
        self._database.close()

    def instance(self, uuid: str) -> Instance | None:
        """The instance, EC2 ids allotted and password read; None if nobody has that id."""
        found = self.read(uuid)
        return None if found is None else found.instance

    def read(self, uuid: str) -> Stored | None:
        """The instance and its revision, which :meth:`update` takes."""
        with self._database.reading(f"read instance {uuid}") as connection:
            return rows.read(connection, uuid)

    def named(self, name: str) -> Sequence[Instance]:
        """Every instance with this display name, in the order of their ids."""
        with self._database.reading("look for a name") as connection:
            return _instances(connection, tables.READ_NAMED, name=name)

    def list(self) -> Sequence[Instance]:
        """All of them, by name."""
        with self._database.reading("list its instances") as connection:
            return _instances(connection, tables.READ_ALL)

    def at_address(self, address: str) -> Sequence[Instance]:
        """Every instance that has this fixed address, on any network."""
        key = _address_key(address)
        if key is None:
            return ()
        with self._database.reading(f"look for address {key}") as connection:
            return _instances(connection, tables.AT_ADDRESS, address=key)

    def at_provider(self, provider: str, address: str) -> Sequence[Instance] | None:
        """Those with this address on a network `provider` serves; None if it serves no network."""
        if not provider.isprintable():  # no document has such a name, and PostgreSQL fails on it
            return None
        with self._database.reading(f"look for address {address!r} at a provider") as connection:
            if connection.execute(tables.SERVED, {"provider": provider}).first() is None:
                return None
            key = _address_key(address)
            if key is None:
                return ()
            return _instances(connection, tables.AT_PROVIDER, provider=provider, address=key)

    def watch(self, changed: Callable[[str | None], None]) -> Callable[[], None]:
        """Call `changed(uuid)` within 100 ms of a change by anyone; returns what stops it.

        It is called on the watcher's thread and must not block. ``changed(None)`` means that
        anything may have changed. While the database is away nothing is told; when it is back,
        what was missed is.
        """
        return self._watcher.add(changed)

    def add(self, instance: Instance) -> Instance:
        """Store a new instance; returns it with what was allotted: EC2 ids, a reservation.

        Raises:
            BadDocument: it cannot be one.
            InstanceExists: its UUID is stored already.
            Taken: another server has one of its ports, or of its addresses on a network.
            Ec2IdTaken: it brings an EC2 id along that is not free.
            SourceUnavailable: nothing was stored.
        """
        return self.add_all([instance])[0]

    def add_all(self, instances: Sequence[Instance]) -> builtins.list[Instance]:
        """Store all of them or, for the reasons of :meth:`add`, none."""
        new = [self._reserved(checked(instance)) for instance in instances]
        with self._database.writing(f"add {len(new)} instance(s)") as connection:
            last = changes.lock(connection)
            rows.refuse_known(connection, [instance.uuid for instance in new])
            refuse_taken(connection, new)
            new = ec2.allot(connection, new)
            rows.add(connection, new)
            changes.note(connection, last, [instance.uuid for instance in new])
        return new

    def update(
        self, instance: Instance, *, revision: int | None = None, keep_password: bool = False
    ) -> Instance:
        """Put this document in the place of the stored one, as a rebuild does.

        Project, reservation and boot roles stay; the last two may be left out. Its state is the
        usual one again, and it has no password until its guest posts one, unless `keep_password`.
        `revision` is what :meth:`read` told; None replaces whatever is there.

        Raises:
            RevisionConflict: it was changed after that revision.
            and as :meth:`revise`.
        """
        return self.revise(
            instance.uuid, lambda _old: instance, revision=revision, keep_password=keep_password
        )

    def revise(
        self,
        uuid: str,
        change: Callable[[Instance], Instance],
        *,
        revision: int | None = None,
        keep_password: bool = True,
    ) -> Instance:
        """Store what `change` makes of the instance; no other writer comes in between.

        Raises:
            InstanceGone: there is none.
            Refused: something would change that never does.
            BadDocument, Taken, Ec2IdTaken, SourceUnavailable: as :meth:`add`.
        """
        with self._database.writing(f"update instance {uuid}") as connection:
            last = changes.lock(connection)
            old = _held(connection, uuid)
            if revision not in (None, old.revision):
                raise RevisionConflict(
                    f"instance {uuid} is at revision {old.revision}, not {revision}: somebody"
                    " changed it since it was read; read it again"
                )
            password = old.instance.password if keep_password else ""
            bare = msgspec.structs.replace(old.instance, password="")
            changed = checked(rebuilt(bare, change(bare)))
            refuse_taken(connection, [changed])
            [new] = ec2.allot(connection, [changed])
            if not keep_password:
                rows.clear_password(connection, uuid)
            rows.replace(connection, new, old.revision + 1)
            condition.clear(connection, uuid)
            changes.note(connection, last, [uuid])
        return msgspec.structs.replace(new, password=password)

    def set_error(self, uuid: str, reason: str) -> None:
        """Its state is ERROR from now on, until it is updated; nothing its guest sees changes.

        Raises:
            InstanceGone: there is none.
            SourceUnavailable: nothing was stored.
        """
        with self._database.writing(f"set the state of instance {uuid}") as connection:
            changes.lock(connection)
            _held(connection, uuid)
            condition.put(connection, uuid, condition.error(reason))

    def condition(self, uuid: str) -> Condition | None:
        """The state of this instance, and why; None: the usual one."""
        with self._database.reading(f"read the state of instance {uuid}") as connection:
            return condition.read(connection, uuid)

    def remove(self, *uuids: str) -> None:
        """Forget these instances and their passwords; their EC2 ids are kept for ever.

        Raises:
            InstanceGone: one of them is not stored; none was removed.
            SourceUnavailable: none was removed.
        """
        with self._database.writing(f"remove {len(uuids)} instance(s)") as connection:
            last = changes.lock(connection)
            for uuid in uuids:
                if not rows.remove(connection, uuid):
                    raise InstanceGone(f"there is no instance {uuid}; nothing was removed")
            changes.note(connection, last, uuids)

    def set_password(self, uuid: str, password: str) -> None:
        """Store what the guest posted; an empty one leaves it unset, as Nova does.

        Raises:
            PasswordSet: one is stored already; it is left as it is.
            InstanceGone: there is no such instance any more.
            SourceUnavailable: nothing was stored.
        """
        with self._database.writing(f"store a password of instance {uuid}") as connection:
            last = changes.lock(connection)
            if _held(connection, uuid).instance.password:
                raise PasswordSet(f"instance {uuid} has a password already")
            if password:
                secret = password.encode("utf-8", "surrogatepass")
                connection.execute(_SET_PASSWORD, {"uuid": uuid, "password": secret})
                changes.note(connection, last, [uuid])

    def _reserved(self, instance: Instance) -> Instance:
        if instance.reservation_id is not None:
            return instance
        return msgspec.structs.replace(instance, reservation_id=self._reservation_id())


def _held(connection: Connection, uuid: str) -> Stored:
    found = rows.read(connection, uuid)
    if found is None:
        raise InstanceGone(f"there is no instance {uuid}")
    return found


def _instances(
    connection: Connection, statement: Executable, **values: str
) -> builtins.list[Instance]:
    return [rows.stored(*row).instance for row in connection.execute(statement, values)]


def _address_key(address: str) -> str | None:
    try:
        return canonical_address(address)
    except ValueError:
        return None
