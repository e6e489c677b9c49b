import { revalidateTag } from 'next/cache'
import { purge } from '../../../lib/purge.js'

/** What a CMS would call: first this app's own cache, then the one in front of it. */
export async function POST (request) {
  const { searchParams } = new URL(request.url)
  const tag = searchParams.get('tag')
  revalidateTag(tag, 'max')
  await purge(searchParams.get('how'), [tag])
  return new Response('done')
}
