export const dynamic = 'force-dynamic'

let calls = 0

/** A response that asks to be shared and carries one visitor's cookie: no cache may store it. */
export function GET () {
  calls += 1
  return Response.json(
    { calls },
    { headers: { 'Cache-Control': 's-maxage=60', 'Set-Cookie': `session=${calls}; Path=/; HttpOnly` } }
  )
}
