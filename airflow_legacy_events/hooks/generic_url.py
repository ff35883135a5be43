"""SQLAlchemy URL of any other connection type, from its extra or its Airflow hook."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.hooks.extras import extras_of


def generic_url(conn_id: str, connection: Any) -> sa.URL:
    """Return the extra `sqlalchemy_url`, else the URL of the connection's own Airflow hook.

    Login and password of the connection fill in what the URL leaves out, so the password need not be in the extra. No
    error shows the URL, which may hold a password.

    Raises:
        ConfigurationError: there is no URL, it is invalid, or its dialect or driver is not installed.
    """
    extras = connection.extra_dejson
    found = (extras if isinstance(extras, dict) else extras_of(conn_id, connection)).get("sqlalchemy_url")
    where = "its extra sqlalchemy_url" if found else f"the Airflow hook of its type {connection.conn_type!r}"
    url = parsed(conn_id, found or _of_hook(conn_id, connection), where)
    if found and not url.username:
        url = url.set(username=connection.login or None)
    if found and not url.password:
        url = url.set(password=connection.password or None)
    _refuse_missing_driver(conn_id, where, url)
    return url


def parsed(conn_id: str, found: Any, where: str) -> sa.URL:
    """Parse a URL from text; no error shows it.

    Args:
        conn_id: Airflow's name of the connection.
        found: the text.
        where: where it was found, in words.

    Raises:
        ConfigurationError: it is not a URL.
    """
    try:
        return sa.make_url(found.strip() if isinstance(found, str) else found)
    except (sa.exc.ArgumentError, ValueError, TypeError):
        raise ConfigurationError(
            f"connection {conn_id!r}: what {where} gives is not a SQLAlchemy URL, such as"
            " 'firebird+firebird://host:3050//path/to/file.fdb'"
        ) from None


def _of_hook(conn_id: str, connection: Any) -> Any:
    if connection.conn_type == "generic":
        raise _neither(conn_id, connection, "a generic connection has no other source of one")
    try:
        hook: Any = connection.get_hook()
    except Exception as error:
        raise _neither(conn_id, connection, f"Airflow has no hook for it ({type(error).__name__})") from error
    for name in ("sqlalchemy_url", "get_uri"):
        try:
            found = getattr(hook, name)
            return found() if callable(found) else found
        except (AttributeError, NotImplementedError):
            continue
        except Exception as error:
            raise _neither(conn_id, connection, f"its hook's {name} failed ({type(error).__name__})") from error
    raise _neither(conn_id, connection, f"its hook {type(hook).__name__} returns no URL")


def _neither(conn_id: str, connection: Any, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"connection {conn_id!r} of type {connection.conn_type!r} leads to no SQLAlchemy URL: it has no extra"
        f" 'sqlalchemy_url', and {found}. Put the URL of the database into the extra, such as {{\"sqlalchemy_url\":"
        ' "dialect+driver://host:port/database"}; or make it a connection of type legacy_database, postgres, mysql or'
        " sqlite; or install the Airflow provider of that type"
    )


def _refuse_missing_driver(conn_id: str, where: str, url: sa.URL) -> None:
    try:
        url.get_dialect().import_dbapi()
    except sa.exc.NoSuchModuleError as error:
        raise ConfigurationError(
            f"connection {conn_id!r}: the SQLAlchemy dialect {url.drivername!r} that {where} names is not installed."
            " Install its package where the tasks run"
        ) from error
    except ImportError as error:
        raise ConfigurationError(
            f"connection {conn_id!r}: the driver of {url.drivername!r} can't be imported ({error}). Install it where"
            " the tasks run"
        ) from error
