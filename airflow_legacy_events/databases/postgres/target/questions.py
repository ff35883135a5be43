"""Questions to PostgreSQL's catalog about a table that is written to, by its OID."""

from __future__ import annotations

FIND = "SELECT {}::pg_catalog.int8"
"""The OID of a table by its name, in the connection's own search path."""

PATH = "SET LOCAL search_path = pg_catalog, pg_temp"
"""Names of all other schemas are written with their schema, and no function or operator of theirs is found."""

TABLE = """
SELECT concat(quote_ident(nspname), '.', quote_ident(relname)), relkind::text, relispartition,
       quote_ident(current_user),
       has_database_privilege(current_database(), 'TEMP'), pg_get_partkeydef(c.oid),
       ARRAY(SELECT attname::text FROM pg_partitioned_table AS p JOIN pg_attribute AS a
                 ON attrelid = partrelid AND attnum = ANY (partattrs::int2[]) WHERE partrelid = c.oid),
       row_security_active(c.oid),
       ARRAY(SELECT rulename::text FROM pg_rewrite
              WHERE ev_class = c.oid AND ev_type IN ('2', '3', '4') AND ev_enabled IN ('O', 'A')),
       ARRAY(SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS r (privilege)
              WHERE NOT has_any_column_privilege(c.oid, privilege)),
       has_table_privilege(c.oid, 'DELETE'),
       ARRAY(SELECT attname::text FROM pg_attribute AS a
              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                AND NOT has_column_privilege(c.oid, attnum, 'SELECT'))
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE c.oid = {oid}
"""
TREE = """
WITH RECURSIVE tree (oid) AS (
  SELECT {oid}::oid UNION SELECT inhrelid FROM tree JOIN pg_inherits ON inhparent = tree.oid
  JOIN pg_class AS c ON c.oid = inhrelid AND relispartition
)
SELECT c.oid::int8, c.oid::regclass::text, relkind::text, relpersistence::text
  FROM tree JOIN pg_class AS c ON c.oid = tree.oid ORDER BY c.oid <> {oid}, 2
"""
# A domain's own limits and default count where the column has none.
COLUMNS = """
WITH RECURSIVE chain (attnum, oid, typmod, required, filled, depth) AS (
  SELECT attnum, atttypid, atttypmod, attnotnull, pg_get_expr(adbin, adrelid), 0
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
   WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped
   UNION ALL
  SELECT attnum, typbasetype, typtypmod, required OR typnotnull, coalesce(filled, typdefault), depth + 1
    FROM chain JOIN pg_type AS t ON t.oid = chain.oid AND typtype = 'd'
), base AS (SELECT DISTINCT ON (attnum) * FROM chain ORDER BY attnum, depth DESC)
SELECT attname, quote_ident(attname), atttypid::int8, format_type(atttypid, atttypmod), format_type(atttypid, -1),
       coalesce(e.typname, t.typname), typmod, required, attgenerated::text, attidentity::text,
       CASE WHEN attgenerated = '' THEN filled END,
       coalesce(NOT collisdeterministic, false), t.typtype::text, n.nspname = 'pg_catalog', a.attnum::int4,
       attcollation::int8, e.oid IS NOT NULL,
       CASE WHEN attcollation NOT IN (0, 100) THEN attcollation::regcollation::text END,
       EXISTS (SELECT FROM pg_cast WHERE castsource = 25 AND casttarget = t.oid AND castmethod = 'f') AND e.oid IS NULL,
       CASE WHEN NOT collisdeterministic
            THEN coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', collcollate) END
  FROM base JOIN pg_attribute AS a ON a.attnum = base.attnum AND attrelid = {oid}
  JOIN pg_type AS t ON t.oid = base.oid JOIN pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid
  LEFT JOIN pg_collation AS c ON c.oid = attcollation ORDER BY a.attnum
"""
INDEXES = """
SELECT indexrelid::regclass::text, indisprimary, indimmediate, indisexclusion,
       (indkey::int2[])[0:indnkeyatts - 1]::int4[], (indcollation::oid[])[0:indnkeyatts - 1]::int8[],
       ARRAY(SELECT format('OPERATOR(%I.%s)', nspname, oprname)
               FROM unnest((indclass::oid[])[0:indnkeyatts - 1]) WITH ORDINALITY AS k (class, at)
               JOIN pg_opclass AS o ON o.oid = class
               JOIN pg_amop ON amopfamily = opcfamily AND amopstrategy = 3 AND amoplefttype = opcintype
                           AND amoprighttype = opcintype AND opcmethod = 403
               JOIN pg_operator AS p ON p.oid = amopopr JOIN pg_namespace AS n ON n.oid = oprnamespace ORDER BY at),
       ARRAY(SELECT relname::text FROM pg_partition_tree(indexrelid::regclass) AS t JOIN pg_class ON oid = relid)
         || ARRAY[(SELECT relname::text FROM pg_class WHERE oid = indexrelid)]
  FROM pg_index
 WHERE indrelid = {oid} AND indisunique AND indisvalid AND indislive AND indpred IS NULL AND indexprs IS NULL
 ORDER BY NOT indisprimary, indexrelid
"""
# Triggers that decide about a row before it is written; those of partitions fire too.
TRIGGERS = """
SELECT DISTINCT tgname::text, tgtype::int4 & 4 <> 0 FROM pg_trigger
 WHERE tgrelid = ANY (ARRAY(SELECT relid FROM pg_partition_tree({oid}::regclass)) || {oid}::oid)
   AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype::int4 & 3 = 3 ORDER BY 1
"""
KEYS = """
SELECT conrelid = {oid}, conrelid::regclass::text, confrelid::int8, confrelid::regclass::text, confdeltype::text,
       quote_ident(conname), confupdtype::text
  FROM pg_constraint
 WHERE contype = 'f' AND conparentid = 0 AND {oid} IN (conrelid, confrelid) ORDER BY 2, 6
"""
SERVER = """
SELECT pg_catalog.current_setting('default_transaction_read_only') OPERATOR(pg_catalog.=) 'on'::pg_catalog.text,
       (SELECT relpersistence OPERATOR(pg_catalog.=) 'u'::pg_catalog."char" FROM pg_catalog.pg_class
         WHERE oid OPERATOR(pg_catalog.=) {positions})
"""
