"""PostgreSQL's and MariaDB's servers: where they are, and what is done there before Django is set up."""

from __future__ import annotations

import os
from contextlib import closing

import environ
import MySQLdb
import psycopg

ADDRESSES = {
    "postgresql": os.environ.get("POSTGRESQL_SERVER", "postgres://postgres@127.0.0.1:5432"),
    "mariadb": os.environ.get("MARIADB_SERVER", "mysql://root@127.0.0.1:3306"),
}


def on_server(vendor: str, statement: str) -> None:
    """Carry out a statement that makes or drops a database; nothing on SQLite, where a file is one."""
    if vendor == "postgresql":
        address = ADDRESSES[vendor].replace("postgres://", "postgresql://")
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())
    if vendor == "mariadb":
        server = environ.Env.db_url_config(f"{ADDRESSES[vendor]}/")
        login = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
        with closing(MySQLdb.connect(**login)) as connection:
            connection.cursor().execute(statement)
