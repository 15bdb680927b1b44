"""Where everything is kept."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from clarion.settings.addresses import SQLITE, checked_database_url, checked_nats_urls
from clarion.settings.rules import Rule, Whole, between

_DATABASE_FILE = "clarion.db"
_DATABASE_FORMS = "sqlite:///relative/path, sqlite:////absolute/path or postgresql://host/database"

_DatabaseUrl = Annotated[str, AfterValidator(checked_database_url)]


class Storage(BaseModel):
    """The data directory, the database and the journal."""

    data_dir: Annotated[Path, Rule("the path of a directory")] = Field(
        default=Path("clarion-data"),
        description="Directory of everything Clarion keeps. Below the working directory, so that a first"
        " start needs no rights elsewhere.",
    )
    database_url: Annotated[
        _DatabaseUrl | None, Rule(_DATABASE_FORMS, absent="sqlite:///<data_dir>/clarion.db", hidden=True)
    ] = Field(
        default=None,
        repr=False,
        description="The database. One file in the data directory is all that one machine needs."
        " PostgreSQL (15 or newer) is for many processes or machines.",
    )
    journal_url: Annotated[
        Annotated[str, AfterValidator(checked_nats_urls)] | None,
        Rule("nats://host:port, several with commas", absent="the same database", hidden=True),
    ] = Field(
        default=None,
        repr=False,
        description="The durable queue. The same database, so that there is one thing to run and to back"
        " up; NATS JetStream servers take its load off the database.",
    )
    journal_replicas: Annotated[Whole, between(1, 5)] = Field(
        default=1,
        description="Servers that hold each record of a JetStream journal. 1 is what a single server"
        " can do; 3 survive the loss of one.",
    )
    journal_credentials_file: Annotated[
        Path | None, Rule("the path of a .creds file", absent="what the address says")
    ] = Field(
        default=None,
        description="Who Clarion is to the NATS servers: a user's JWT and seed as `nsc generate creds` writes"
        " them. None, since an address may name user and password.",
    )
    journal_ca_file: Annotated[Path | None, Rule("the path of a PEM file", absent="the system's roots")] = (
        Field(
            default=None,
            description="Authorities that sign the certificates of the NATS servers (`tls://` addresses)."
            " None takes the system's.",
        )
    )
    journal_certificate_file: Annotated[
        Path | None, Rule("the path of a PEM file", absent="no client certificate")
    ] = Field(
        default=None,
        description="Client certificate and its key in one PEM file, for NATS servers that verify clients.",
    )

    @property
    def postgresql_url(self) -> str | None:
        """The URL of the PostgreSQL database; None when the database is embedded."""
        url = self.database_url
        return url if url is not None and not url.startswith(SQLITE) else None

    @property
    def database_path(self) -> Path:
        """The file of the embedded database."""
        if self.database_url is None or self.postgresql_url:
            return self.data_dir / _DATABASE_FILE
        return Path(self.database_url.removeprefix(SQLITE))
