"""Sessions of Spark that are dpsql's own: on this machine, by Spark Connect, beside an owner's.

pyspark is imported here alone, when a Spark is opened.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
import warnings
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dpsql.dialects.spark_url import Remote, read_local, read_remote
from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXTRA = "pip install 'dpsql[spark]'"
_QUIET = "status = off\nrootLogger.level = off\n"
_LOCAL_SETTINGS = {
    "spark.app.name": "dpsql",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
CONNECT_SECONDS = 15
RETRIES = 5
"""Of one call: within about ten seconds."""
_VERSION = re.compile(r"(\d+)\.(\d+)")
SUPPORTED_MAJORS = (4,)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that nobody else has, and which Spark it is of: equal for no other."""

    session: SparkSession
    place: str
    remote: bool


_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""pyspark's own, in Python: they print what a server said, with values in it, to stderr."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without pyspark's warnings, which would land in an analyst's terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def require_pyspark() -> None:
    """EngineFailed `engine-missing` where pyspark is not installed, or not of a known version."""
    try:
        with quiet():
            import pyspark
    except ImportError:
        raise EngineFailed(
            "pyspark is not installed, and the policy's database is Spark",
            code="engine-missing",
            hint=EXTRA,
        ) from None
    check_version(pyspark.__version__, "pyspark")
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True


def check_version(version: str, what: str) -> None:
    found = _VERSION.match(version)
    if found is None or int(found[1]) not in SUPPORTED_MAJORS:
        raise EngineFailed(
            f"{what} {version} is not a version dpsql has been verified on",
            code="engine-version",
            hint="use Spark 4",
        )


# ---- on this machine -------------------------------------------------------------------------


class _Local:
    """The one Spark that a process may run in itself, once it does."""

    lock = threading.Lock()
    session: SparkSession | None = None
    master: str = ""


def open_local(url: str, memory: str | None = None) -> Opened:
    """A new session of the Spark in this process, which is started where there is none.

    EngineFailed `engine-missing` without Java, `engine-locked` where another one runs here.
    """
    master = read_local(url)
    require_pyspark()
    with _Local.lock, quiet():
        if _Local.session is None or _stopped(_Local.session):
            _Local.session, _Local.master = _started(master, memory), master
        elif _Local.master != master:
            raise EngineFailed(
                f"this process runs a Spark of {_Local.master} already, and can run no second one",
                code="engine-locked",
                hint="name the same master in all policies of a process",
            )
        check_version(_Local.session.version, "Spark")
        return Opened(_Local.session.newSession(), _place_of(_Local.session), remote=False)


def _started(master: str, memory: str | None) -> SparkSession:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if getattr(SparkContext, "_active_spark_context", None) is not None:
        raise EngineFailed(
            "this process runs a Spark already",
            code="engine-locked",
            hint="pass its session: dpsql.connect(policy, engine=session)",
        )
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        raise EngineFailed(
            "there is no Java on this machine, which a Spark here runs in",
            code="engine-missing",
            hint="install Java 17, set JAVA_HOME, or name a server: sc://host:15002",
        )
    folder = tempfile.mkdtemp(prefix="dpsql-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with open(os.path.join(folder, "log4j2.properties"), "w", encoding="utf-8") as file:
        file.write(_QUIET)
    log = f"-Dlog4j2.configurationFile=file:{folder}/log4j2.properties"
    settings = _LOCAL_SETTINGS | {
        "spark.master": master,
        "spark.driver.extraJavaOptions": log,
        "spark.sql.warehouse.dir": f"file:{folder}/warehouse",
        "spark.sql.shuffle.partitions": str(_cores(master) * 2),
    }
    if memory is not None:
        settings["spark.driver.memory"] = memory
    conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        launch: Any = launch_gateway
        gateway = launch(conf=conf, popen_kwargs=silent)
        with _same_handler():
            context = SparkContext(gateway=gateway, conf=conf)
            return SparkSession(context)
    except Exception as problem:
        OWNER_LOG.error("Spark: %s", problem)
        raise EngineFailed(
            "Spark does not start on this machine",
            code="engine-open",
            hint="it needs Java 17 or 21; the owner's log has the reason",
        ) from None


def _cores(master: str) -> int:
    named = re.search(r"\[(\d+|\*)", master)
    if named is None:
        return 1
    return (os.cpu_count() or 1) if named[1] == "*" else int(named[1])


@contextlib.contextmanager
def _same_handler() -> Iterator[None]:
    """Spark's context takes SIGINT for itself; it goes back to whom it had."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _stopped(session: Any) -> bool:
    try:
        return session._jsc is None or bool(session.sparkContext._jsc.sc().isStopped())
    except Exception:
        return True


# ---- elsewhere -------------------------------------------------------------------------------


def open_remote(url: str) -> Opened:
    """A session of our own on a Spark Connect server. EngineFailed without the server's words."""
    remote = read_remote(url)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it is read once, and writes to stderr
    require_pyspark()
    with quiet():
        try:
            from pyspark.sql.connect.client.retries import DefaultPolicy
            from pyspark.sql.connect.session import SparkSession
        except Exception as problem:
            OWNER_LOG.error("Spark: %s", problem)
            raise EngineFailed(
                "what Spark Connect needs is not installed", code="engine-missing", hint=EXTRA
            ) from None
        try:
            # A server that is not there: pyspark would try for ten minutes.
            socket.create_connection((remote.host, remote.port), CONNECT_SECONDS).close()
            session: Any = SparkSession(remote.url)
            session.client.set_retry_policies([DefaultPolicy(max_retries=RETRIES)])
            version = session.version
        except Exception as problem:
            log(problem, remote)
            raise unreachable() from None
    check_version(version, "Spark")
    return Opened(session, remote.place, remote=True)


def unreachable() -> EngineFailed:
    return EngineFailed(
        "the Spark Connect server cannot be reached",
        code="engine-missing",
        hint="is it running, and `database:` right? The owner's log has the reason",
    )


def log(problem: BaseException, remote: Remote | None = None) -> None:
    """What Spark said, for the owner alone; a token of the URL is in none of it."""
    said = str(problem)
    for secret in () if remote is None else remote.secrets:
        said = said.replace(secret, "***")
    OWNER_LOG.error("Spark: %s", said)


# ---- an owner's ------------------------------------------------------------------------------


_PLACES: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


def adopt(session: Any) -> Opened:
    """A new session beside the owner's: its catalogs, none of its settings and temporary views."""
    require_pyspark()
    with quiet():
        try:
            check_version(session.version, "Spark")
            return Opened(session.newSession(), _place_of(session), remote=_is_remote(session))
        except EngineFailed:
            raise
        except Exception as problem:
            log(problem)
            raise EngineFailed(
                "no session can be opened beside the Spark session passed as engine=",
                code="engine-missing",
                hint="is it stopped? Spark Connect before 4.3 has no newSession: name the server"
                " as `database: sc://host:15002`",
            ) from None


def _is_remote(session: Any) -> bool:
    return type(session).__module__.startswith("pyspark.sql.connect")


def _place_of(session: Any) -> str:
    """Of a Spark in this process: what lies in its memory is found again by nobody else.

    All sessions of one context are the same place, all those of one Connect client's host too.
    """
    if _is_remote(session):
        builder = getattr(session.client, "_builder", None)
        return f"sc:{str(getattr(builder, 'endpoint', session.client.host)).lower()}"
    context = session.sparkContext
    if context not in _PLACES:
        _PLACES[context] = f"local:{os.getpid()}:{uuid.uuid4().hex}"
    return _PLACES[context]
