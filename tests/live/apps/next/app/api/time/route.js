export const dynamic = 'force-dynamic'

let calls = 0

export function GET () {
  calls += 1
  return Response.json(
    { calls, now: new Date().toISOString() },
    { headers: { 'Cache-Control': 's-maxage=2, stale-while-revalidate=10' } }
  )
}
