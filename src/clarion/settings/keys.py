"""What must stay secret."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from clarion.settings.rules import Rule, checked_secret

Secret = Annotated[SecretStr, AfterValidator(checked_secret)]


class Keys(BaseModel):
    """The first API key, and the keys that seal credentials."""

    api_key: Annotated[
        Secret | None,
        Rule("visible ASCII characters without spaces", absent="generated, shown once", hidden=True),
    ] = Field(
        default=None,
        description="Secret key of the Development environment, read at the first start only. A generated"
        " key can't be guessed or shared by two installations.",
    )
    encryption_key: Annotated[
        Secret | None,
        Rule("32 random bytes in base64", absent="made in the data directory, mode 0600", hidden=True),
    ] = Field(
        default=None,
        description="Key that seals provider credentials: 32 bytes in base64 (openssl rand -base64 32). Made"
        " at the first start, so that nothing is ever stored unsealed; set it to keep it away from the data.",
    )
    old_encryption_keys: Annotated[
        Secret | None,
        Rule("keys in base64, separated by commas", absent="none", hidden=True),
    ] = Field(
        default=None,
        description="Keys that still open what was sealed with them, while `clarion keys rotate-encryption`"
        " seals it anew. None, since a fresh installation has one key.",
    )
