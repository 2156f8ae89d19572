-- Questions for after the event, on the sheets of `holdfast export csv --out DIR`. With DuckDB, in that folder:
--   duckdb < after-action.sql
-- Every row of a sheet says its realm: leave exercises out of figures about real events, and the other way round.
-- A sheet holds what the node that wrote it knew then: write it again once all halves have met. All columns are read as text, for a
-- sheet without rows says nothing of its types.

CREATE VIEW acts AS SELECT * FROM read_csv('acts.csv', header = true, all_varchar = true);
CREATE VIEW conflicts AS SELECT * FROM read_csv('conflicts.csv', header = true, all_varchar = true);
CREATE VIEW convoys AS SELECT * REPLACE (
    CAST(sent AS BIGINT) AS sent, CAST(in_transit AS BIGINT) AS in_transit, CAST(accepted AS BIGINT) AS accepted,
    CAST(rejected AS BIGINT) AS rejected, CAST(damaged AS BIGINT) AS damaged, CAST(missing AS BIGINT) AS missing,
    CAST(returned AS BIGINT) AS returned
) FROM read_csv('convoys.csv', header = true, all_varchar = true);
CREATE VIEW promises AS SELECT * REPLACE (
    CAST(quantity AS BIGINT) AS quantity, CAST(committed AS BIGINT) AS committed, CAST(in_transit AS BIGINT) AS in_transit,
    CAST(accepted AS BIGINT) AS accepted, CAST(rejected AS BIGINT) AS rejected, CAST(damaged AS BIGINT) AS damaged,
    CAST(missing AS BIGINT) AS missing, CAST(released AS BIGINT) AS released, CAST(diverted AS BIGINT) AS diverted
) FROM read_csv('promises.csv', header = true, all_varchar = true);
CREATE VIEW requests AS SELECT * REPLACE (
    CAST(requested AS BIGINT) AS requested, CAST(committed AS BIGINT) AS committed, CAST(in_transit AS BIGINT) AS in_transit,
    CAST(accepted AS BIGINT) AS accepted, CAST(rejected AS BIGINT) AS rejected, CAST(damaged AS BIGINT) AS damaged,
    CAST(missing AS BIGINT) AS missing
) FROM read_csv('requests.csv', header = true, all_varchar = true);
CREATE VIEW sites AS SELECT * FROM read_csv('sites.csv', header = true, all_varchar = true);

-- How long each request waited from the asking to the last receipt, those without one first, then the longest.
WITH asked AS (SELECT "of" AS request, min(CAST("at" AS TIMESTAMPTZ)) AS asked_at FROM acts WHERE act = 'request' GROUP BY 1),
signed AS (
    SELECT a."of" AS convoy, max(CAST(a."at" AS TIMESTAMPTZ)) AS signed_at FROM acts AS a WHERE a.act = 'receive' GROUP BY 1
),
served AS (SELECT DISTINCT convoy, unnest(string_split(requests, ' ')) AS request FROM convoys),
last AS (SELECT s.request, max(g.signed_at) AS last_receipt FROM served AS s JOIN signed AS g USING (convoy) GROUP BY 1),
need AS (SELECT DISTINCT request, priority, consignee_name, status FROM requests)
SELECT n.request, n.priority, n.consignee_name, n.status, a.asked_at, l.last_receipt,
       round(date_diff('minute', a.asked_at, l.last_receipt) / 60.0, 1) AS hours
FROM need AS n JOIN asked AS a USING (request) LEFT JOIN last AS l USING (request)
ORDER BY hours DESC NULLS FIRST, a.asked_at;

-- What was never covered: what open requests asked for and nobody promised, sent or brought.
SELECT coalesce(text, item) AS what, unit, sum(greatest(requested - committed - in_transit - accepted, 0)) AS lacking
FROM requests WHERE status NOT IN ('cancelled', 'closed', 'duplicate')
GROUP BY 1, 2 HAVING sum(greatest(requested - committed - in_transit - accepted, 0)) > 0 ORDER BY lacking DESC;

-- Who kept what was promised: promised, received, taken back and still owed.
SELECT supplier_name, coalesce(text, item) AS what, unit, sum(quantity) AS promised, sum(accepted) AS received,
       sum(released) AS taken_back, sum(committed + in_transit) AS owed
FROM promises GROUP BY 1, 2, 3 ORDER BY promised DESC;

-- Whose goods they were: the share of each firm in what was received.
WITH got AS (
    SELECT s.firm, coalesce(c.text, c.item) AS what, c.unit, sum(c.accepted) AS received
    FROM convoys AS c JOIN sites AS s ON s.site = c.sender GROUP BY 1, 2, 3
)
SELECT firm, what, unit, received, round(100.0 * received / sum(received) OVER (PARTITION BY what, unit), 1) AS percent
FROM got WHERE received > 0 ORDER BY what, received DESC;

-- What is still open between people: conflicts and who is to do what, convoys that left and nobody signed for.
SELECT conflict AS what, kind AS why, by_name AS who, proposed AS to_do, "of" FROM conflicts
UNION ALL
SELECT DISTINCT convoy, status, consignee_name, 'sign', convoy FROM convoys WHERE status IN ('departed', 'arrived', 'handed_over');
