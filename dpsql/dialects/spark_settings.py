"""Settings of a Spark session that a statement's meaning depends on: pinned, and looked at after.

Spark lets a site, a launch file and a session choose whether `1/0` is NULL, what a quote means and
how wide a decimal is. Each such setting is given its value here, every other `spark.sql.legacy.`
one is taken back to Spark's default, and then all are read again.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from dpsql.errors import EngineFailed
from dpsql.owner_log import OWNER_LOG

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PINNED: dict[str, str] = {
    # what names and texts mean
    "spark.sql.caseSensitive": "false",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    "spark.sql.ansi.enforceReservedKeywords": "false",
    "spark.sql.ansi.relationPrecedence": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.variable.substitute": "false",
    "spark.sql.groupByAliases": "false",
    "spark.sql.groupByOrdinal": "false",
    "spark.sql.orderByOrdinal": "false",
    "spark.sql.lateralColumnAlias.enableImplicitResolution": "false",
    "spark.sql.scripting.enabled": "false",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.retainGroupColumns": "true",
    # arithmetic, conversions, moments
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "true",
    "spark.sql.storeAssignmentPolicy": "ANSI",
    "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.function.concatBinaryAsString": "false",
    "spark.sql.function.eltOutputAsString": "false",
    "spark.sql.icu.caseMappings.enabled": "true",
    "spark.sql.crossJoin.enabled": "true",
    "spark.sql.constraintPropagation.enabled": "true",
    # what a file holds
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreInvalidPartitionPaths": "false",
    "spark.sql.files.ignoredPathSegmentRegex": "^[._]",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.sources.validatePartitionColumns": "true",
    "spark.sql.optimizer.metadataOnly": "false",
    "spark.sql.parquet.binaryAsString": "false",
    "spark.sql.parquet.int96AsTimestamp": "true",
    "spark.sql.parquet.int96TimestampConversion": "false",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.mergeSchema": "false",
    "spark.sql.parquet.fieldId.read.enabled": "false",
    "spark.sql.hive.metastorePartitionPruningFallbackOnException": "false",
    "spark.sql.readSideCharPadding": "true",
    "spark.sql.charAsVarchar": "false",
    # what comes back
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.execution.arrow.pyspark.selfDestruct.enabled": "false",
    # a statement that was stopped ends; its error is short
    "spark.sql.execution.interruptOnCancel": "true",
    "spark.sql.error.messageFormat": "MINIMAL",
    # legacy ways whose default is not `false`, and those that most would trip over
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.legacy.ctePrecedencePolicy": "CORRECTED",
    "spark.sql.legacy.sizeOfNull": "false",
    "spark.sql.legacy.literal.pickMinimumPrecision": "true",
    "spark.sql.legacy.nullInEmptyListBehavior": "false",
    "spark.sql.legacy.charVarcharAsString": "false",
    "spark.sql.legacy.statisticalAggregate": "false",
    "spark.sql.legacy.setopsPrecedence.enabled": "false",
    "spark.sql.legacy.exponentLiteralAsDecimal.enabled": "false",
    "spark.sql.legacy.consecutiveStringLiterals.enabled": "false",
    "spark.sql.legacy.collationAwareHashFunctions": "false",
}
LOOSE = ("spark.sql.legacy.", "spark.sql.optimizer.excludedRules")
"""Beginnings of names of settings that a session has at Spark's own default."""


def pin(session: SparkSession) -> None:
    """Give the session its settings. EngineFailed `engine-settings` where one does not hold."""
    for name, value in PINNED.items():
        with contextlib.suppress(Exception):  # what did not take is found below
            session.conf.set(name, value)
    for name in _loose(_stated(session)):
        with contextlib.suppress(Exception):
            session.conf.unset(name)
    require_pinned(session)


def require_pinned(session: SparkSession) -> None:
    """EngineFailed `engine-settings` where the session has other settings than `pin` gives it."""
    found = _stated(session)
    wrong = [name for name, value in PINNED.items() if found.get(name) != value] + _loose(found)
    if wrong:
        OWNER_LOG.error("Spark: %s is %s", wrong[0], found.get(wrong[0]))
        raise EngineFailed(
            f"this Spark does not let {wrong[0]} be set for a session",
            code="engine-settings",
            hint="a statement's meaning depends on it: docs/spark.md lists what dpsql sets",
        )


def _stated(session: SparkSession) -> dict[str, str]:
    """Settings that have been said, in the session or before it."""
    return {str(row[0]): str(row[1]) for row in session.sql("SET").collect()}


def _loose(found: dict[str, str]) -> list[str]:
    return [name for name in found if name.startswith(LOOSE) and name not in PINNED]
