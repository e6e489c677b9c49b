export const dynamic = 'force-dynamic'

let calls = 0

export function GET () {
  calls += 1
  return Response.json(
    { calls },
    { headers: { 'Cache-Control': 's-maxage=600, stale-while-revalidate=600', 'Vercel-Cache-Tag': 'stock,goods' } }
  )
}
