/**
 * The suite's own client, for programs: `node client.mjs BASE CHUNK [ID…]` prints one JSON array on stdout.
 * Named tests dump their heads, on stderr. As the suite's cli.mjs does, surrogate-control is run too.
 */
import fetch from 'node-fetch'
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs'
import suites from 'http-cache-tests/tests/index.mjs'
import surrogate from 'http-cache-tests/tests/surrogate-control.mjs'

const REQUEST_TIMEOUT = 20_000

const [base, chunk, ...ids] = process.argv.slice(2)
console.log = console.error

const wanted = test => !test.browser_only && (ids.length === 0 || ids.includes(test.id))
const chosen = [...suites, surrogate].map(suite => ({ ...suite, tests: suite.tests.filter(wanted) }))
const tests = chosen.flatMap(suite => suite.tests.map(test => ({ suite: suite.id, test })))

const unknown = ids.filter(id => !tests.some(({ test }) => test.id === id))
if (unknown.length > 0) {
  console.error(`no such test: ${unknown.join(', ')}`)
  process.exit(2)
}
if (ids.length > 0 && process.env.SWERVE_CONFORMANCE_DUMP) tests.forEach(({ test }) => { test.dump = true })

// A proxy that never answers is one failed test, not a run that never ends.
const fetchInTime = (url, init) => fetch(url, { ...init, timeout: REQUEST_TIMEOUT })

await runTests(chosen, fetchInTime, false, base, Number(chunk))
const results = getResults()
const rows = tests.map(({ suite, test }) => {
  const [failure, message] = results[test.id] === true ? ['', ''] : results[test.id]
  return { suite, id: test.id, kind: test.kind ?? 'required', name: test.name, failure, message }
})
process.stdout.write(JSON.stringify(rows))
