"""Words that mean something to a server: as names they need quotes, or give another value than the column's."""

from __future__ import annotations

from tests.support.legacy import Legacy

_BARE = """
    _rowid _rowid_ analyse connection_id cube current_catalog current_connection current_date current_role
    current_schema current_time current_timestamp current_transaction current_user database deleting excluded false
    found_rows gdscode infinity inserting last_insert_id level localtime localtimestamp nan new null oid old public
    row_count rowid rownum schema session_user sqlcode sqlstate sysdate system_user systimestamp sysuid table_name tid
    true uid unknown updating user utc_date utc_time utc_timestamp value version
"""
"""Functions without brackets, pseudo columns and constants of one database or another."""

_SQLITE = """
    abort action add after all alter always analyze and as asc attach autoincrement before begin between by cascade case
    cast check collate column commit conflict constraint create cross current current_date current_time
    current_timestamp database default deferrable deferred delete desc detach distinct do drop each else end escape
    except exclude exclusive exists explain fail filter first following for foreign from full generated glob group
    groups having if ignore immediate in index indexed initially inner insert instead intersect into is isnull join key
    last left like limit match materialized natural no not nothing notnull null nulls of offset on or order others outer
    over partition plan pragma preceding primary query raise range recursive references regexp reindex release rename
    replace restrict returning right rollback row rows savepoint select set table temp temporary then ties to
    transaction trigger unbounded union unique update using vacuum values view virtual when where window with within
    without
"""
_FIREBIRD = """
    add admin all alter and any as at avg begin between bigint bit_length blob boolean both by case cast char
    char_length character character_length check close collate column commit connect constraint corr count covar_pop
    covar_samp create cross current current_connection current_date current_role current_time current_timestamp
    current_transaction current_user cursor date day dec decimal declare default delete deleting deterministic
    disconnect distinct double drop else end escape execute exists external extract false fetch filter float for foreign
    from full function gdscode global grant group having hour in index inner insensitive insert inserting int integer
    into is join leading left like long lower max maximum_segment merge min minute month national natural nchar no not
    null numeric octet_length of offset on only open or order outer over parameter plan position post_event precision
    primary procedure real record_version recreate recursive references regr_avgx regr_count regr_slope release return
    returning_values returns revoke right rollback row row_count rows savepoint scroll second select sensitive set
    similar smallint some sqlcode sqlstate start stddev_pop stddev_samp sum table then time timestamp to trailing
    trigger trim true union unique unknown update updating upper user using value values var_pop var_samp varchar
    variable varying view when where while with year
"""
_MYSQL_5_6 = """
    accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade case
    change char character check collate column condition constraint continue convert create cross current_date
    current_time current_timestamp current_user cursor database databases day_hour day_microsecond day_minute day_second
    dec decimal declare default delayed delete desc describe deterministic distinct distinctrow div double drop dual
    each else elseif enclosed escaped exists exit explain false fetch float float4 float8 for force foreign from
    fulltext get grant group having high_priority hour_microsecond hour_minute hour_second if ignore in index infile
    inner inout insensitive insert int int1 int2 int3 int4 int8 integer interval into io_after_gtids io_before_gtids is
    iterate join key keys kill leading leave left like limit linear lines load localtime localtimestamp lock long
    longblob longtext loop low_priority master_bind master_ssl_verify_server_cert match maxvalue mediumblob mediumint
    mediumtext middleint minute_microsecond minute_second mod modifies natural no_write_to_binlog not null numeric on
    optimize option optionally or order out outer outfile partition precision primary procedure purge range read
    read_write reads real references regexp release rename repeat replace require resignal restrict return revoke right
    rlike schema schemas second_microsecond select sensitive separator set show signal smallint spatial specific sql
    sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl starting straight_join
    table terminated then tinyblob tinyint tinytext to trailing trigger true undo union unique unlock unsigned update
    usage use using utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying when where while with
    write xor year_month zerofill
"""
_OF_POSTGRES = frozenset({"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"})
"""Columns that every table has; none of its own can be called so."""


def keywords(legacy: Legacy) -> list[str]:
    """Words of a server, in lower case: those that it lists itself, where it does, and those of any server."""
    listed = {"sqlite": _SQLITE, "firebird": _FIREBIRD}.get(legacy.dialect, _MYSQL_5_6).split()
    if legacy.dialect == "postgresql":
        listed = [word for (word,) in legacy.execute("SELECT word FROM pg_get_keywords()")]
    elif legacy.dialect == "mysql" and legacy.engine.name != "mysql-5.6":
        asked = "SELECT lower(word) FROM information_schema.keywords WHERE word REGEXP '^[A-Za-z0-9_]+$'"
        listed = [word for (word,) in legacy.execute(asked)]
    never = _OF_POSTGRES if legacy.dialect == "postgresql" else frozenset()
    return sorted({*listed, *_BARE.split()} - never)
