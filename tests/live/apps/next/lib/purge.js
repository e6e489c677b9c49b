/** Vercel's REST API, or whatever answers like it. */
const API = process.env.VERCEL_API_URL ?? 'https://api.vercel.com'

/** `how` is `invalidate` or `dangerously-delete`. */
export async function purge (how, tags) {
  const answer = await fetch(`${API}/v1/edge-cache/${how}-by-tags?projectIdOrName=shop`, {
    method: 'POST',
    headers: { authorization: `Bearer ${process.env.VERCEL_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tags, target: 'production' }),
    cache: 'no-store'
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
}
